"""Watching exchanges: both wires of the last ones."""
