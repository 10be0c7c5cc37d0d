"""The items of one conversation in memory."""

from __future__ import annotations

from collections.abc import Sequence

from .errors import DuplicateItem, HistoryTooLarge, NoSuchItem
from .values import Conversation, NewItem, StoredItem


class Log:
    """Items by their place, which no other item gets when one is deleted."""

    def __init__(self, about: Conversation) -> None:
        self.about: Conversation = about
        self.items: dict[int, NewItem] = {}
        self.next: int = 0
        self.holder: str | None = None
        self.fence: int = 0
        self._places: dict[str, int] = {}

    def add(self, items: Sequence[NewItem]) -> None:
        """Add all of them; raises DuplicateItem, and then adds none."""
        seen: set[str] = set()
        for item in items:
            if item.id in self._places or item.id in seen:
                raise DuplicateItem(item.id)
            seen.add(item.id)
        for item in items:
            self.items[self.next] = item
            self._places[item.id] = self.next
            self.next += 1

    def item(self, item_id: str) -> bytes | None:
        place = self._places.get(item_id)
        return None if place is None else self.items[place].body

    def remove(self, item_id: str) -> NewItem | None:
        """Take an item away and return it; None if it is not there."""
        place = self._places.pop(item_id, None)
        return None if place is None else self.items.pop(place)

    def page(self, after: str | None, limit: int, descending: bool) -> list[StoredItem]:
        if after is not None and after not in self._places:
            raise NoSuchItem(after)
        places = [*self.items] if not descending else [*reversed(self.items)]
        start = places.index(self._places[after]) + 1 if after is not None else 0
        return [self._shown(place) for place in places[start : start + limit]]

    def context(self, limit: int, until: int | None) -> list[StoredItem]:
        places = [place for place in self.items if until is None or place < until]
        base = max((place for place in places if self.items[place].compacts), default=0)
        found = [self._shown(place) for place in places if place >= base]
        size = sum(len(item.body) for item in found)
        if size > limit:
            raise HistoryTooLarge(size)
        return found

    def _shown(self, place: int) -> StoredItem:
        item = self.items[place]
        return StoredItem(item.id, item.body)
