"""Prompt caches: the same words on both sides, but for a life time that only Responses has."""

from __future__ import annotations

from typing import Any

from ..profiles import Terms


def ttl_to_chat(ttl: Any, path: str, terms: Terms) -> Any:
    """Return the life time; None for `12h` (protocol 1.2)."""
    if ttl == "12h":
        terms.report.dropped(path, "chat requests know no such life time", ttl)
        return None
    return ttl
