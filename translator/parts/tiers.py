"""Service tiers: the same words on both sides, but for one that only Responses has."""

from __future__ import annotations

from typing import Any

from ..profiles import Terms


def to_chat(tier: Any, path: str, terms: Terms) -> Any:
    """Return the tier; None for `ultrafast` (protocol 1.2)."""
    if tier == "ultrafast":
        terms.report.dropped(path, "chat requests know no such tier", tier)
        return None
    return tier
