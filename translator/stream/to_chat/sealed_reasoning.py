"""Reasoning that only its server can read: sent in `reasoning_details`, to come back with the next request."""

from __future__ import annotations

from typing import Any

from .item_parts import ReceivedItem
from .turn_order import TurnQueue

Body = dict[str, Any]


class SealedReasoning(TurnQueue[ReceivedItem]):
    """The sealed reasoning items, in their order."""

    def __init__(self) -> None:
        super().__init__()
        self._sealed: dict[ReceivedItem, Body] = {}
        self._ready: list[Body] = []
        self._count = 0

    def add(self, item: ReceivedItem) -> None:
        """A reasoning item begins."""
        self._queue.append(item)

    def seal(self, item: ReceivedItem, details: Body) -> None:
        """Take the member of `reasoning_details` for an item."""
        self._sealed[item] = details

    def take(self) -> list[Body]:
        """Return the members of `reasoning_details` for the items that are done."""
        self.advance()
        ready, self._ready = self._ready, []
        return ready

    def _take_turn(self, member: ReceivedItem) -> bool:
        if member.done and (details := self._sealed.pop(member, None)) is not None:
            self._ready.append({**details, "index": self._count})
            self._count += 1
        return member.done
