"""Responses events in, Chat Completions chunks out (protocol 5.5)."""
