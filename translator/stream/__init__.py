"""Streams of answers, in both directions."""
