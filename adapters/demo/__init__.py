"""The embedded upstream: a script instead of a model."""
