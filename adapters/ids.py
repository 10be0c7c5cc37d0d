"""Identifiers."""

from __future__ import annotations

import secrets


def new_id(prefix: str) -> str:
    """Return a fresh identifier that nobody can guess: `resp` becomes `resp_<32 hex digits>`."""
    return f"{prefix}_{secrets.token_hex(16)}"
