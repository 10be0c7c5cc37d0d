"""The vocabulary of ASGI and HTTP, without any translation."""
