"""Chat Completions chunks in, Responses events out (protocol 5.4)."""
