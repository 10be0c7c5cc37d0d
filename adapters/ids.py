"""Random identifiers."""

from __future__ import annotations

import os


def new_id(prefix: str) -> str:
    """Return a new identifier that nobody can guess: `resp` becomes `resp_<32 hex digits>`."""
    return f"{prefix}_{os.urandom(16).hex()}"
