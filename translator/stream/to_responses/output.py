"""The growing answer: the only owner of item ids, output indexes and sequence numbers.

Items wait in a queue. The first one is *live*: its changes become events at once. Those of a later one wait until the
items before it are complete, so items never overlap, however a server interleaves them (protocol 5.2, 5.4).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

from ...wire import json, sse
from ...wire.template import HOLE, NUMBER, FrameTemplate
from ..growing import OptionalPieceWriter, PieceWriter, TextBuffer

Body = dict[str, Any]

_OPEN_RESPONSES_NAMES = {
    "response.reasoning_text.delta": "response.reasoning.delta",
    "response.reasoning_text.done": "response.reasoning.done",
}


class OutputItem(ABC):
    """An output item. Subclasses define how it opens, grows and closes."""

    def __init__(self) -> None:
        self.body: Body = {}
        self.index: int = -1
        self.live: bool = False
        self.buffer: TextBuffer = TextBuffer()
        """The text that grows."""
        self._pending: list[tuple[Callable[..., None], tuple[Any, ...]]] = []

    def when_live(self, method: Callable[..., None], *arguments: Any) -> None:
        """Call a method of this item now, or when its turn has come."""
        if self.live:
            method(*arguments)
        else:
            self._pending.append((method, arguments))

    def pending(self, method: Callable[..., None]) -> Iterator[str]:
        """Return the texts that wait for *method*."""
        return (arguments[0] for waiting, arguments in self._pending if waiting == method)

    def delta_event(self) -> tuple[str, Body] | None:
        """Type and fields of the event about the next piece of its text; None if it takes the general path.

        See fast_path.py.
        """
        return None

    def piece_reader(self) -> Callable[[str], str | None] | None:
        """Return what takes a piece whose event shows something else, and returns that; None: the event shows it.

        The reader returns None for a piece that must take the general path.
        """
        return None

    def begin(self, out: Output) -> None:
        """Its turn has come: open it as soon as it is ready, and do what waited."""
        if not self.is_ready():
            return
        self.live = True
        self.open(out)
        if self._pending:
            pending, self._pending = self._pending, []
            for method, arguments in pending:
                method(*arguments)

    def is_ready(self) -> bool:
        """Whether it can open: an announced item never changes its name or its call."""
        return True

    def settle(self) -> None:  # noqa: B027
        """Something else begins: what is still missing for it to open will not come. Most items miss nothing."""

    def is_whole(self) -> bool:
        """Whether nothing can follow when another item begins."""
        return True

    def _announce(self, out: Output, prefix: str, body: Body) -> None:
        """Take an id and the next place in the answer, and add the event about it; *body* is all but the id."""
        self.body = {"id": out.new_id(prefix), **body}
        self.index = len(out.answer["output"])
        out.answer["output"].append(self.body)
        if not out.quiet:
            item = {key: list(value) if isinstance(value, list) else value for key, value in self.body.items()}
            out.emit("response.output_item.added", output_index=self.index, item=item)

    @abstractmethod
    def open(self, out: Output) -> None:
        """Announce the item."""

    @abstractmethod
    def close(self, status: str) -> None:
        """Send what is left to send, and conclude it."""


class Output:
    """Collects the answer and, unless *quiet*, the events, which the transducer takes after every step."""

    def __init__(
        self, answer: Body, new_id: Callable[[str], str], flavour: str, quiet: bool = False, apart: bool = False
    ) -> None:
        self.answer: Body = answer
        self.new_id: Callable[[str], str] = new_id
        self.quiet: bool = quiet
        self.events: list[Body] = []
        self.steps: int = 0
        """How often the events were taken: another text than before may be growing now."""
        self.last: OutputItem | None = None
        """The item that began last, if it is still growing."""
        self._apart = apart
        self._names = _OPEN_RESPONSES_NAMES if flavour == "openresponses" else {}
        self._number = 0
        self._queue: deque[OutputItem] = deque()

    def take_events(self) -> list[Body]:
        """Return the events since the last time."""
        self.steps += 1
        events, self.events = self.events, []
        return json.deep_copy(events) if self._apart else events

    def emit(self, kind: str, **fields: Any) -> None:
        """Add an event about the whole answer."""
        if self.quiet:
            return
        self.events.append({"type": kind, "sequence_number": self._number, **fields})
        self._number += 1

    def emit_for(self, item: OutputItem, kind: str, **fields: Any) -> None:
        """Add an event about *item*."""
        if self.quiet:
            return
        self.events.append(self._event(item, kind, fields))
        self._number += 1

    def _event(self, item: OutputItem, kind: str, fields: Body) -> Body:
        return {
            "type": self._names.get(kind, kind),
            "sequence_number": self._number,
            "item_id": item.body["id"],
            "output_index": item.index,
            **fields,
        }

    def piece_writer(self) -> PieceWriter | OptionalPieceWriter | None:
        """Return what appends a piece to the text of the last item and gives its frame; None if no text grows."""
        item = self.last
        event = None if item is None else item.delta_event()
        if item is None or event is None:
            return None
        kind, fields = event
        holes = {**self._event(item, kind, fields), "sequence_number": NUMBER, "delta": HOLE}
        end = b',"logprobs":[]' if holes.pop("logprobs", None) is not None else b""
        template = FrameTemplate.of(holes, sse.event)
        if template is None:
            return None
        if (read := item.piece_reader()) is not None:
            return self._reading_writer(read, template)
        add, encode, fill = item.buffer.add, json.encode_strict, template.fill

        def write(piece: str, end: bytes = end) -> bytes:
            add(piece)
            number = self._number
            self._number = number + 1
            return fill((number, encode(piece), end))

        return write

    def _reading_writer(self, read: Callable[[str], str | None], template: FrameTemplate) -> OptionalPieceWriter:
        encode, fill = json.encode_strict, template.fill

        def write(piece: str, end: bytes = b"") -> bytes | None:
            text = read(piece)
            if text is None:
                return None
            number = self._number
            self._number = number + 1
            return fill((number, encode(text), end))

        return write

    def conclude(self, item: OutputItem) -> None:
        """Add the event that *item* is done; nothing of it changes any more."""
        if not self.quiet:
            self.emit("response.output_item.done", output_index=item.index, item=item.body)

    def place(self, body: Body) -> None:
        """Add an item that is there as a whole, in front of all others."""
        body = {**body, "id": self.new_id("cmp")}
        index = len(self.answer["output"])
        self.answer["output"].append(body)
        self.emit("response.output_item.added", output_index=index, item=body)
        self.emit("response.output_item.done", output_index=index, item=body)

    def add(self, item: OutputItem) -> None:
        """*item* begins now, or as soon as those before it are whole."""
        queue = self._queue
        queue.append(item)
        self.last = item
        while True:
            first, others_wait = queue[0], len(queue) > 1
            if not first.live:
                if others_wait:
                    first.settle()
                first.begin(self)
            if not (others_wait and first.live and first.is_whole()):
                return
            queue.popleft().close("completed")

    def begin_first(self) -> None:
        """The first item may have become ready."""
        if self._queue and not self._queue[0].live:
            self._queue[0].begin(self)

    def close_all(self, last_status: str) -> None:
        """Close every item in order; the last one may have been cut (an incomplete item is the last, I19)."""
        self.last = None
        while self._queue:
            item = self._queue.popleft()
            if not item.live:
                item.settle()
                item.begin(self)
            if item.live:
                item.close("completed" if self._queue else last_status)
