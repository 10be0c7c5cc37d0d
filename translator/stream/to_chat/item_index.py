"""Find the item of a Response that an event is about: by id, then place, then text (protocol 5.5, R4, R8, W30)."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any, NamedTuple

from ...wire.validate import list_index
from ..growing import to_utf8
from .item_parts import Body, Names, ReceivedItem, names_of_event

Fits = Callable[[ReceivedItem], bool]


class FinishedItem(NamedTuple):
    """What is known about an item of a finished output before it is read."""

    kind: str
    names: Names
    text: str | None = None  # all of it


class ItemIndex:
    """The items of one Response, by name and by place."""

    def __init__(self) -> None:
        self.all: list[ReceivedItem] = []
        self._by_index: dict[tuple[str, int], ReceivedItem] = {}
        self._first: dict[tuple[str, str], ReceivedItem] = {}  # of a kind and a name
        self._latest: dict[tuple[str, str], ReceivedItem] = {}
        self._exact: dict[tuple[str, str, int], ReceivedItem] = {}
        self._last: dict[str, ReceivedItem] = {}

    def item_of(self, event: Body, kind: str, fits: Fits | None = None) -> ReceivedItem | None:
        """Return the item that an event about a part of it means; None if nothing came of that before.

        An event that ends something says by *fits* whether what came of an item is what it says.
        """
        return self.find(kind, list_index(event.get("output_index")), names_of_event(event), fits)

    def is_named(self, event: Body, kind: str) -> bool:
        """Whether an event calls an item of this kind by its name."""
        return any((kind, name) in self._latest for name in names_of_event(event))

    def add(self, item: ReceivedItem, index: Any, names: Names) -> None:
        """Take a new item, which has that place and those names."""
        kind, latest = item.kind, self._latest
        for name in names:
            if (namesake := latest.get((kind, name))) is not None:
                item.follow(namesake)
                break
        self.all.append(item)
        self._last[kind] = item
        if isinstance(index, int):
            item.learn_index(index)
            self._by_index[kind, index] = item
        for name in names:
            latest[kind, name] = item
        self.add_names(item, names)

    def add_names(self, item: ReceivedItem, names: Names) -> None:
        """Take more names of an item."""
        item.learn_names(names)
        kind, index = item.kind, item.index
        for name in names:
            self._first.setdefault((kind, name), item)
            self._latest.setdefault((kind, name), item)
            if index is not None:
                self._exact.setdefault((kind, name, index), item)

    def find(self, kind: str, index: Any, names: Names, fits: Fits | None = None) -> ReceivedItem | None:
        """Return the item of one of those names, else the one at that place, else the open one; None: a new one."""
        item = self._named(kind, index, names, ends=fits is not None) or self._placed(kind, index, names, fits)
        if item is not None and item.index is None and isinstance(index, int):
            item.learn_index(index)
            self._by_index.setdefault((kind, index), item)
        return item

    def _named(self, kind: str, index: Any, names: Names, ends: bool) -> ReceivedItem | None:
        """Return the item of a name; of several, the one at that place, unless it is over and another one is not."""
        for name in names:
            latest = self._latest.get((kind, name))
            exact = self._exact.get((kind, name, index)) if isinstance(index, int) else None
            if exact is not None and latest is not None and exact.done and not (latest.done or ends):
                exact = None
            item = exact or latest
            if item is not None and not item.is_other(names):
                return item
        return None

    def _placed(self, kind: str, index: Any, names: Names, fits: Fits | None) -> ReceivedItem | None:
        last = self._last.get(kind)
        placed = self._by_index.get((kind, index)) if isinstance(index, int) else None
        if last is None:
            return None
        if placed is not None and placed is not last:
            if fits is not None and not fits(placed) and fits(last):
                return last
            if placed.done and not last.done and fits is None:
                return last  # some servers say 0 in each delta
        if placed is not None and not (placed.done and names and placed.named):
            return placed
        is_free = not isinstance(index, int) or last.index is None
        is_there = is_free or last.index == index
        if fits is not None and (is_there or not last.done) and fits(last):
            return last
        if last.done:
            return None
        return last if is_free or (last.announced and not (names and last.named)) else None

    def find_announced(self, kind: str, index: Any, names: Names) -> ReceivedItem | None:
        """Return the item that an announcement is about if it is known already: something of it came before."""
        named = (self._latest.get((kind, name)) for name in names)
        item = next((item for item in named if item is not None and not item.done and not item.is_other(names)), None)
        if item is not None:
            return item
        last = self._last.get(kind)
        if last is None or last.done or (names and last.named):
            return None
        return last if isinstance(index, int) and last.index == index else None

    def is_over(self, kind: str, index: Any, names: Names) -> bool:
        """Whether an announcement is about an item that has had its end: of that place and name."""
        placed = self._by_index.get((kind, index)) if isinstance(index, int) else None
        is_same = placed is not None and placed.done and not placed.is_other(names)
        return is_same and any(self._exact.get((kind, name, index)) is placed for name in names)

    def match(self, finished: list[FinishedItem]) -> list[ReceivedItem | None]:
        """Return for each item of a finished output the one that it repeats, if there is one.

        Places say nothing here: some servers leave items out. The same id does, then the same text; else the same order
        within a kind.
        """
        free = dict.fromkeys(self.all)
        matches: list[ReceivedItem | None] = []
        for kind, names, _ in finished:
            named = (self._first.get((kind, name)) for name in names)
            item = next(
                (item for item in named if item is not None and item in free and not item.is_other(names)), None
            )
            if item is not None:
                del free[item]
            matches.append(item)
        if free and None in matches:
            self._match_texts(finished, matches, free)
            _match_order(finished, matches, free)
        return matches

    def _match_texts(
        self, finished: list[FinishedItem], matches: list[ReceivedItem | None], free: dict[ReceivedItem, None]
    ) -> None:
        by_text: dict[tuple[str, bytes], deque[ReceivedItem]] = {}
        for item in free:
            if received := item.received_text():
                by_text.setdefault((item.kind, received), deque()).append(item)
        for i, (kind, _, text) in enumerate(finished):
            same = by_text.get((kind, to_utf8(text))) if text and matches[i] is None else None
            if same:
                item = matches[i] = same.popleft()
                del free[item]


def _match_order(
    finished: list[FinishedItem], matches: list[ReceivedItem | None], free: dict[ReceivedItem, None]
) -> None:
    left: dict[str, deque[ReceivedItem]] = {}
    for item in free:
        left.setdefault(item.kind, deque()).append(item)
    for i, (kind, _, _) in enumerate(finished):
        if matches[i] is None and left.get(kind):
            matches[i] = left[kind].popleft()
