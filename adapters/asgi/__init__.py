"""ASGI and HTTP, without any translation."""
