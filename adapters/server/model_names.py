"""Which entry of a table a model's name belongs to: the longest one that matches wins."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Generic, TypeVar

Entry = TypeVar("Entry")
ANY = "*"


def problem(pattern: str) -> str | None:
    """Return what is wrong with a name or pattern, or None."""
    if not pattern or not pattern.isprintable():
        return "is not the name of a model, or a pattern such as gpt-5*"
    return "has more than one *" if pattern.count(ANY) > 1 else None


def matches(pattern: str, name: str) -> bool:
    """Whether a *pattern*, in which one `*` stands for any text, matches a name."""
    start, star, end = pattern.partition(ANY)
    if not star:
        return name == pattern
    return len(name) >= len(start) + len(end) and name.startswith(start) and name.endswith(end)


class ModelNames(Generic[Entry]):
    """The *entries* of a table, by name or pattern, in its order."""

    def __init__(self, entries: Mapping[str, Entry]) -> None:
        self.entries: Mapping[str, Entry] = entries
        patterns = [pattern for pattern in entries if ANY in pattern]
        self._patterns = sorted(patterns, key=len, reverse=True)  # of equally long ones, the first in the table

    def pattern_of(self, name: str) -> str | None:
        """Return the name or pattern that counts for a model, or None."""
        if name in self.entries and ANY not in name:
            return name
        return next((pattern for pattern in self._patterns if matches(pattern, name)), None)
