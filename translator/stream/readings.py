"""What came of each item of a Response, and which item an event means (protocol 5.5, R4, R8)."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

from ..parts import calls
from ..wire.shape import place
from .pieces import Pieces, encoded, joined

Body = dict[str, Any]
Tokens = list[Body]
Names = tuple[str, ...]

TEXTS = {"output_text": "content", "text": "content", "refusal": "refusal"}
"""The parts of a message, and where their text goes in a chat message."""


def kind_of(body: Body) -> str:
    """What an item is: a `message`, `reasoning`, a `call` that the client runs, or the wire's own word for it."""
    kind = body.get("type")
    if not isinstance(kind, str):
        return ""
    if kind in calls.CALLS and (kind != "tool_search_call" or body.get("execution") == "client"):
        return "call"
    if kind == "call":  # a word of ours, and of nobody else
        return ""
    return "message" if kind in TEXTS else kind  # TokenOps: a text without a message around it


def names_of(*given: Any) -> Names:
    return tuple(name for name in given if name and isinstance(name, str))


class Part:
    """One text of an item. ``field`` is where it goes in a chat message."""

    def __init__(self, item: Item, field: str) -> None:
        self.item = item
        self.field = field
        self.index: int | None = None
        self.text = Pieces()  # heard
        self.waiting: list[tuple[str, Tokens]] = []  # heard, and not its turn yet
        self.turn = 0  # its number among all that had a turn; 0: not yet
        self.offset = 0  # where its text begins in the message
        self.done = False
        self.has_tokens = False
        self.cited: list[Any] = []
        self.citations = 0  # of these, how many were said


class Item:
    """One output item."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.index: int | None = None
        self.named = False
        self.parts: list[Part] = []
        self.at = 0  # the part whose turn it is
        self.done = False
        self.cut = False
        self.shows = ""  # of reasoning: which kind of part is shown
        self.twin: Item | None = None  # an earlier one of the same name: some servers announce an item twice
        self.listed = False  # whether it is a member of one of the lists of the message
        self._by_index: dict[tuple[str, int], Part] = {}
        self._by_field: dict[str, list[Part]] = {}
        self._heard: dict[str, bytes] = {}

    def part(self, field: str, index: Any) -> Part:
        """Return the part that a delta belongs to: the one of that index, or the one that is open (R4)."""
        last = self._last(field)
        if last is not None and not last.done and (last.index is None or not isinstance(index, int)):
            return self._indexed(last, index)
        return self._indexed_part(field, index)

    def whole_part(self, field: str, index: Any, text: Any = None) -> Part:
        """Return the part of which it is said that *text* is all of it; without an index, it is the last one."""
        last = self._last(field)
        if last is None or (last.index is not None and isinstance(index, int)):
            return self.part(field, index)
        if last.done and isinstance(text, str) and last.text.rest_of(text) is None:
            return self._indexed_part(field, index)  # another one
        return self._indexed(last, index)

    def nth_part(self, field: str, index: int, n: int) -> Part:
        """Return the part at place *index* of the finished item, the *n*-th of its field."""
        of_field = self._by_field.get(field, ())
        if n < len(of_field) and of_field[n].index is None:
            return of_field[n]
        return self._indexed_part(field, index)

    def has_heard(self, field: str, text: str) -> bool:
        """Whether *text* is what came of a field."""
        heard = self._heard.get(field)
        if heard is None:
            heard = joined([part.text for part in self._by_field.get(field, ())])
            if self.done:  # it does not grow any more, and it may be asked for each part of another item
                self._heard[field] = heard
        return heard == encoded(text)

    def _last(self, field: str) -> Part | None:
        of_field = self._by_field.get(field)
        return of_field[-1] if of_field else None

    def _indexed_part(self, field: str, index: Any) -> Part:
        known = self._by_index.get((field, index)) if isinstance(index, int) else None
        if known is not None:
            return known
        part = Part(self, field)
        self.parts.append(part)
        self._by_field.setdefault(field, []).append(part)
        return self._indexed(part, index)

    def _indexed(self, part: Part, index: Any) -> Part:
        if part.index is None and isinstance(index, int):
            part.index = index
            self._by_index[part.field, index] = part
        return part


class Items:
    """The items of one Response, found by index, by id, or as the one of their kind that is open.

    *make* gets the kind of an item that is new, and its name on the wire.
    """

    def __init__(self, make: Callable[[str, str], Item]) -> None:
        self.all: list[Item] = []
        self._make = make
        self._by_index: dict[int, Item] = {}
        self._by_id: dict[str, Item] = {}
        self._last: dict[str, Item] = {}

    def of(self, event: Body, kind: str, wire_kind: str = "") -> Item:
        """Return the item that an event about a part of it means; it may never have been announced."""
        names, index = names_of(event.get("item_id")), place(event.get("output_index"))
        return self.find(kind, index, names) or self.begin(kind, wire_kind, index, names)

    def known(self, event: Body, kind: str) -> Item | None:
        """Return the item that an event about a part of it means, if anything was said of that."""
        return self.find(kind, place(event.get("output_index")), names_of(event.get("item_id")))

    def begin(self, kind: str, wire_kind: str, index: Any, names: Names) -> Item:
        item = self._make(kind, wire_kind)
        earlier = (self._by_id.get(name) for name in names)
        item.twin = next((other for other in earlier if other is not None and other.kind == kind), None)
        self.all.append(item)
        self._last[kind] = item
        if isinstance(index, int):
            item.index = index
            self._by_index[index] = item
        self.name(item, names)
        return item

    def name(self, item: Item, names: Names) -> None:
        """Learn the names of an item; the first item of a name keeps it."""
        item.named = item.named or bool(names)
        for name in names:
            self._by_id.setdefault(name, item)

    def find(self, kind: str, index: Any, names: Names) -> Item | None:
        """Return the item of that index or of one of those names, else the one that is open."""
        last = self._last.get(kind)
        last = None if last is None or last.done else last
        if not isinstance(index, int):
            named = (self._by_id.get(name) for name in names)
            return next((item for item in named if item is not None and item.kind == kind), last)
        found = self._by_index.get(index)
        if found is not None and found.kind == kind:
            return found
        for item in (*(self._by_id.get(name) for name in names), last):
            if item is not None and item.kind == kind and item.index in (None, index):
                item.index = index
                self._by_index.setdefault(index, item)
                return item
        return None

    def announced(self, kind: str, index: Any, names: Names) -> Item | None:
        """Return the item that an announcement is about if it is known already: something of it came before."""
        last = self._last.get(kind)
        if last is None or last.done:
            return None
        if names and last.named:
            return last if any(self._by_id.get(name) is last for name in names) else None
        return last if isinstance(index, int) and last.index == index else None

    def is_over(self, kind: str, index: Any, names: Names) -> bool:
        """Whether an announcement is about an item that has had its end: of that place and name."""
        found = self._by_index.get(index) if isinstance(index, int) else None
        is_done = found is not None and found.done and found.kind == kind
        return is_done and any(self._by_id.get(name) is found for name in names)

    def matched(self, finished: list[tuple[str, Names]]) -> list[Item | None]:
        """Return for each item of a finished output (its kind and its names) the one that it repeats, if there is one.

        Places say nothing here: some servers leave items out. The same id does; else the same order within a kind.
        """
        found: list[Item | None] = []
        free = dict.fromkeys(self.all)
        for kind, names in finished:
            named = (self._by_id.get(name) for name in names)
            item = next((item for item in named if item is not None and item in free and item.kind == kind), None)
            if item is not None:
                del free[item]
            found.append(item)
        left: dict[str, deque[Item]] = {}
        for item in free:
            left.setdefault(item.kind, deque()).append(item)
        for i, (kind, _) in enumerate(finished):
            if found[i] is None and left.get(kind):
                found[i] = left[kind].popleft()
        return found
