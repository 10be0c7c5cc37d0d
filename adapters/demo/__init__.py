"""The demo upstream: a script instead of a model."""
