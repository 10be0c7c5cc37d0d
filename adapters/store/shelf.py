"""The chat completions of one tenant in memory."""

from __future__ import annotations

from bisect import bisect_left, insort
from itertools import takewhile

from .errors import NoSuchItem
from .values import Completion, Filter


class Shelf:
    """Completions by id, and in the order of their times."""

    def __init__(self) -> None:
        self.completions: dict[str, Completion] = {}
        self._expiry: dict[str, float] = {}  # the first one expires first
        self._order: list[tuple[int, str]] = []

    def add(self, completion: Completion, expires: float) -> bool:
        """Keep a completion; return whether it was new."""
        if completion.id in self.completions:
            return False
        self.completions[completion.id] = completion
        self._expiry[completion.id] = expires
        insort(self._order, (completion.created, completion.id))
        return True

    def expired(self, now: float) -> list[str]:
        """Return the ids of those that have expired."""
        return list(takewhile(lambda completion_id: self._expiry[completion_id] <= now, self._expiry))

    def label(self, completion_id: str, metadata: dict[str, str]) -> Completion:
        """Replace the metadata of one that is there, and return it."""
        labelled = self.completions[completion_id]._replace(metadata=metadata)
        self.completions[completion_id] = labelled
        return labelled

    def remove(self, completion_id: str) -> Completion:
        """Take one away that is there, and return it."""
        found = self.completions.pop(completion_id)
        del self._expiry[completion_id]
        del self._order[bisect_left(self._order, (found.created, found.id))]
        return found

    def page(self, asked: Filter) -> list[Completion]:
        order = self._order[::-1] if asked.descending else self._order
        start = 0
        if asked.after is not None:
            last = self.completions.get(asked.after)
            if last is None:
                raise NoSuchItem(asked.after)
            start = order.index((last.created, last.id)) + 1
        found: list[Completion] = []
        for _, completion_id in order[start:]:
            if len(found) == asked.limit:
                break
            if fits(self.completions[completion_id], asked):
                found.append(self.completions[completion_id])
        return found


def fits(completion: Completion, asked: Filter) -> bool:
    """Whether a page has this completion, its place aside."""
    is_model = asked.model in (None, completion.model)
    return is_model and all(completion.metadata.get(name) == value for name, value in asked.metadata.items())
