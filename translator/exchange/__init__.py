"""One object per call: ties request, answer, stream, errors and losses together."""
