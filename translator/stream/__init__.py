"""Streams: chunks in, events out."""
