"""Which item of a Response an event means: id, then place, then text (protocol 5.5, R4, R8, W30)."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any, NamedTuple

from ...wire.validate import list_index
from ..growing import encoded
from .item_parts import Body, Item, Names, names_of

Fits = Callable[[Item], bool]


class Finished(NamedTuple):
    """What is known of an item of a finished output before it is read."""

    kind: str
    names: Names
    text: str | None = None  # all that it says


class Items:
    """The items of one Response.

    *make* gets the kind of an item that is new, and what is known of it: its type on the wire at least.
    """

    def __init__(self, make: Callable[[str, Body], Item]) -> None:
        self.all: list[Item] = []
        self._make = make
        self._by_index: dict[tuple[str, int], Item] = {}
        self._first: dict[tuple[str, str], Item] = {}  # of a kind and a name
        self._latest: dict[tuple[str, str], Item] = {}
        self._exact: dict[tuple[str, str, int], Item] = {}
        self._last: dict[str, Item] = {}

    def of(self, event: Body, kind: str, wire_kind: str = "", fits: Fits | None = None) -> Item:
        """Return the item that an event about a part of it means; it may never have been announced.

        An event that ends something says by *fits* whether what came of an item is what it says.
        """
        names, index = names_of(event.get("item_id")), list_index(event.get("output_index"))
        return self.find(kind, index, names, fits) or self.begin(kind, {"type": wire_kind}, index, names)

    def known(self, event: Body, kind: str, fits: Fits | None = None) -> Item | None:
        """Return the item that an event about a part of it means, if anything was said of that."""
        return self.find(kind, list_index(event.get("output_index")), names_of(event.get("item_id")), fits)

    def is_named(self, event: Body, kind: str) -> bool:
        """Whether an event calls an item of this kind by its name."""
        return any((kind, name) in self._latest for name in names_of(event.get("item_id")))

    def begin(self, kind: str, body: Body, index: Any, names: Names) -> Item:
        item = self._make(kind, body)
        earlier = (self._latest.get((kind, name)) for name in names)
        item.twin = next((other for other in earlier if other is not None), None)
        self.all.append(item)
        self._last[kind] = item
        if isinstance(index, int):
            item.index = index
            self._by_index[kind, index] = item
        for name in names:
            self._latest[kind, name] = item
        self.name(item, names)
        return item

    def name(self, item: Item, names: Names) -> None:
        """Learn the names of an item."""
        item.learn(names)
        for name in names:
            self._first.setdefault((item.kind, name), item)
            self._latest.setdefault((item.kind, name), item)
            if item.index is not None:
                self._exact.setdefault((item.kind, name, item.index), item)

    def find(self, kind: str, index: Any, names: Names, fits: Fits | None = None) -> Item | None:
        """Return the item of one of those names, else the one at that place, else the open one; None: a new one."""
        item = self._named(kind, index, names, ends=fits is not None) or self._placed(kind, index, names, fits)
        if item is not None and item.index is None and isinstance(index, int):
            item.index = index
            self._by_index.setdefault((kind, index), item)
        return item

    def _named(self, kind: str, index: Any, names: Names, ends: bool) -> Item | None:
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

    def _placed(self, kind: str, index: Any, names: Names, fits: Fits | None) -> Item | None:
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

    def announced(self, kind: str, index: Any, names: Names) -> Item | None:
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
        found = self._by_index.get((kind, index)) if isinstance(index, int) else None
        is_same = found is not None and found.done and not found.is_other(names)
        return is_same and any(self._exact.get((kind, name, index)) is found for name in names)

    def matched(self, finished: list[Finished]) -> list[Item | None]:
        """Return for each item of a finished output the one that it repeats, if there is one.

        Places say nothing here: some servers leave items out. The same id does, then the same text; else the same order
        within a kind.
        """
        free = dict.fromkeys(self.all)
        found: list[Item | None] = []
        for kind, names, _ in finished:
            named = (self._first.get((kind, name)) for name in names)
            item = next(
                (item for item in named if item is not None and item in free and not item.is_other(names)), None
            )
            if item is not None:
                del free[item]
            found.append(item)
        if free and None in found:
            self._match_texts(finished, found, free)
            _match_order(finished, found, free)
        return found

    def _match_texts(self, finished: list[Finished], found: list[Item | None], free: dict[Item, None]) -> None:
        said: dict[tuple[str, bytes], deque[Item]] = {}
        for item in free:
            if heard := item.heard():
                said.setdefault((item.kind, heard), deque()).append(item)
        for i, (kind, _, text) in enumerate(finished):
            same = said.get((kind, encoded(text))) if text and found[i] is None else None
            if same:
                item = found[i] = same.popleft()
                del free[item]


def _match_order(finished: list[Finished], found: list[Item | None], free: dict[Item, None]) -> None:
    left: dict[str, deque[Item]] = {}
    for item in free:
        left.setdefault(item.kind, deque()).append(item)
    for i, (kind, _, _) in enumerate(finished):
        if found[i] is None and left.get(kind):
            found[i] = left[kind].popleft()
