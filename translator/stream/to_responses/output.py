"""The answer as it grows: the only owner of item ids, output indexes and sequence numbers.

Items stand in a queue. The first one is *live*: what happens to it becomes events at once. What belongs to a later one
waits until those before it are whole, so items never overlap, however a server interleaves them (protocol 5.2, 5.4).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

from ...wire import json, sse
from ..growing import Grow, MayGrow, Pieces

Body = dict[str, Any]

_OPEN_RESPONSES_NAMES = {
    "response.reasoning_text.delta": "response.reasoning.delta",
    "response.reasoning_text.done": "response.reasoning.done",
}


class Item(ABC):
    """One output item. Subclasses say how it opens, grows and closes."""

    prefix = ""
    reads: Callable[[str], str | None] | None = None
    """Takes a piece, where the event says something else; returns that, or None for what takes a closer look."""

    def __init__(self) -> None:
        self.body: Body = {}
        self.index = -1
        self.live = False
        self.closed = False
        self.pieces = Pieces()
        """The text that grows."""
        self.delta: tuple[str, Body] | None = None
        """What the event about one more piece of its text is called and has, while it grows (see fast_path.py)."""
        self._waiting: list[tuple[Callable[..., None], tuple[Any, ...]]] = []

    def take(self, grow: Callable[..., None], *given: Any) -> None:
        """Let *grow* (a method of this item) happen now, or when its turn has come."""
        if self.live:
            grow(*given)
        else:
            self._waiting.append((grow, given))

    def waiting(self, grow: Callable[..., None]) -> Iterator[str]:
        """Return the texts that wait for *grow*."""
        return (given[0] for waits, given in self._waiting if waits == grow)

    def begin(self, out: Output) -> None:
        """Its turn has come: open it as soon as it can be, and let happen what waited."""
        if not self.is_ready():
            return
        self.live = True
        self.open(out)
        waiting, self._waiting = self._waiting, []
        for grow, given in waiting:
            grow(*given)

    def is_ready(self) -> bool:
        """Whether it can open: an announced item never changes its name or its call."""
        return True

    def settle(self) -> None:  # noqa: B027  # most items need nothing
        """Something else begins: what it still needs in order to open, it will not get."""

    def is_whole(self) -> bool:
        """Whether nothing can follow when another item begins."""
        return True

    @abstractmethod
    def open(self, out: Output) -> None:
        """Announce the item."""

    @abstractmethod
    def close(self, status: str) -> None:
        """Say what is still to say, and conclude it."""


class Output:
    """Collects the answer and, unless it is *quiet*, events, which the transducer takes after every step."""

    def __init__(
        self, answer: Body, new_id: Callable[[str], str], flavour: str, quiet: bool = False, apart: bool = False
    ) -> None:
        self.answer = answer
        self.quiet = quiet
        self.events: list[Body] = []
        self.cause: Any = None
        """The chunk that was taken last."""
        self._apart = apart
        self._new_id = new_id
        self._names = _OPEN_RESPONSES_NAMES if flavour == "openresponses" else {}
        self._number = 0
        self._queue: deque[Item] = deque()

    def take_events(self) -> list[Body]:
        events, self.events = self.events, []
        return json.deep_copy(events) if self._apart else events

    def say(self, kind: str, **fields: Any) -> None:
        """Add an event about the whole answer."""
        if self.quiet:
            return
        self.events.append({"type": kind, "sequence_number": self._number, **fields})
        self._number += 1

    def say_of(self, item: Item, kind: str, **fields: Any) -> None:
        """Add an event about *item*."""
        if self.quiet:
            return
        self.events.append(self._event(item, kind, fields))
        self._number += 1

    def _event(self, item: Item, kind: str, fields: Body) -> Body:
        return {
            "type": self._names.get(kind, kind),
            "sequence_number": self._number,
            "item_id": item.body["id"],
            "output_index": item.index,
            **fields,
        }

    def _template(self, item: Item, kind: str, fields: Body) -> bytes | None:
        """The frame of an event about *item* with holes for its number and for its delta."""
        frame = sse.event({**self._event(item, kind, fields), "sequence_number": 0, "delta": ""})
        template = sse.with_hole(frame, "delta")
        return template and template.replace(b'"sequence_number":0', b'"sequence_number":%d', 1)

    def growing(self) -> Grow | MayGrow | None:
        """Return what lets the text of the last item grow and gives the frame that says so; None if nothing grows."""
        item = self.last
        template = None if item is None or item.delta is None else self._template(item, *item.delta)
        if item is None or template is None:
            return None
        if item.reads is not None:
            return self._reading(item.reads, template)
        add, encode = item.pieces.add, json.encode_strict

        def grow(piece: str) -> bytes:
            add(piece)
            number = self._number
            self._number = number + 1
            return template % (number, encode(piece))

        return grow

    def _reading(self, read: Callable[[str], str | None], template: bytes) -> MayGrow:
        encode = json.encode_strict

        def grow(piece: str) -> bytes | None:
            said = read(piece)
            if said is None:
                return None
            number = self._number
            self._number = number + 1
            return template % (number, encode(said))

        return grow

    def announce(self, item: Item, body: Body) -> None:
        """Give *item* its place and its id, and say that it is there."""
        item.body = {"id": self._new_id(item.prefix), **body}
        item.index = len(self.answer["output"])
        self.answer["output"].append(item.body)
        if self.quiet:
            return
        added = {key: list(value) if isinstance(value, list) else value for key, value in item.body.items()}
        self.say("response.output_item.added", output_index=item.index, item=added)

    def conclude(self, item: Item) -> None:
        """Say that *item* is done; nothing of it changes any more."""
        item.closed = True
        self.say("response.output_item.done", output_index=item.index, item=item.body)

    @property
    def last(self) -> Item | None:
        """The item that began last, if it is still growing."""
        return self._queue[-1] if self._queue else None

    def add(self, item: Item) -> None:
        """*item* begins now, or as soon as those before it are whole."""
        self._queue.append(item)
        self._begin_first(settle=len(self._queue) > 1)
        while len(self._queue) > 1 and self._queue[0].live and self._queue[0].is_whole():
            self._queue.popleft().close("completed")
            self._begin_first(settle=len(self._queue) > 1)

    def begin_first(self) -> None:
        """The first item may have become ready."""
        self._begin_first(settle=False)

    def _begin_first(self, settle: bool) -> None:
        if self._queue and not self._queue[0].live:
            if settle:
                self._queue[0].settle()
            self._queue[0].begin(self)

    def close_all(self, last_status: str) -> None:
        """Close every item in order; the last one may have been cut (an incomplete item is the last, I19)."""
        while self._queue:
            self._begin_first(settle=True)
            item = self._queue.popleft()
            if item.live:
                item.close("completed" if self._queue else last_status)
