"""One object per call, which ties request, answer, stream, errors and losses together."""
