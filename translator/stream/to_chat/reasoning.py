"""The events of reasoning items (protocol 5.5, R9)."""

from __future__ import annotations

from typing import Any

from ...context import Context
from ...parts import reasoning
from ...wire import json
from ...wire.validate import list_index
from ..growing import ChunkWriter
from .completion import Completion
from .item_index import Fits, ItemIndex
from .item_parts import Body, Names, ReceivedItem, names_of_event
from .received_part import ReceivedPart
from .text_output import TextOutput
from .text_queue import TextQueue

_FIELD = "reasoning_content"


class ReasoningReader:
    """Reads reasoning: its content or its summary, whichever is wanted or arrives first."""

    def __init__(self, items: ItemIndex, output: TextOutput, context: Context) -> None:
        self.queue: TextQueue = TextQueue(output, context.report, "\n\n", "\n\n")
        self._items = items
        self._out: Completion = output.out
        self._exposed = context.profile.reasoning_expose
        self._seals = context.seals
        self._item: ReceivedItem | None = None  # what the last piece belonged to
        self._part: ReceivedPart | None = None

    def begin(self, index: Any, names: Names) -> ReceivedItem:
        """Return a new reasoning item; its turn is behind those that are there."""
        item = ReceivedItem("reasoning")
        self.queue.add(item)
        self._out.sealed.add(item)
        self._items.add(item, index, names)
        return item

    def _item_of(self, event: Body, fits: Fits | None = None) -> ReceivedItem:
        item = self._items.item_of(event, "reasoning", fits)
        return item or self.begin(list_index(event.get("output_index")), names_of_event(event))

    def add(self, kind: str, event: Body, delta: str) -> None:
        """Take a piece of a text; *kind* is `content` or `summary`."""
        self._part = None
        if delta and self._shows(item := self._item_of(event), kind):
            part = item.part(_FIELD, list_index(event.get(f"{kind}_index")))
            self._item, self._part = item, part
            self.queue.feed(item, part, delta, [])

    def appender(self) -> ChunkWriter | None:
        """Return what sends the next piece of the text that grows."""
        item, part = self._item, self._part
        if item is None or part is None or not self.queue.is_current(item, part):
            return None
        return self._out.text_appender(_FIELD, part.text)

    def announce_part(self, kind: str, event: Body, text: Any) -> None:
        """A part is announced, perhaps with its text (W31)."""
        item = self._item_of(event) if text else self._items.item_of(event, "reasoning")
        if item is not None:
            index = list_index(event.get(f"{kind}_index"))
            item.announce_part(_FIELD, index)
            self._announce_text(item, kind, index, text)

    def announce(self, item: ReceivedItem, body: Body) -> None:
        """A reasoning item is announced, perhaps with its parts."""
        for kind in ("content", "summary"):
            for index, text in _texts(body.get(kind)):
                self._announce_text(item, kind, index, text)

    def _announce_text(self, item: ReceivedItem, kind: str, index: Any, text: Any) -> None:
        if text and isinstance(text, str) and self._shows(item, kind):
            self.queue.announce(item, item.part(_FIELD, index), text)

    def finish_part(self, kind: str, event: Body, text: Any) -> None:
        """A part is whole; one without a text, of which nothing came, is none."""

        def fits(item: ReceivedItem) -> bool:
            return item.may_end_with(_FIELD, text)

        item = self._item_of(event, fits) if text else self._items.item_of(event, "reasoning", fits)
        if item is not None and (self._shows(item, kind) if text else item.shown_kind == kind):
            part = item.whole_part(_FIELD, list_index(event.get(f"{kind}_index")), text or None)
            self.queue.finish_part(item, part, text or None)

    def finish(self, item: ReceivedItem, body: Body) -> bool:
        """A reasoning item is done, and *body* is all of it; return False if that is nested too deeply to be kept.

        What only its server can read travels along, sealed.
        """
        for kind in ("content", "summary"):
            texts = _texts(body.get(kind))
            if texts and self._shows(item, kind):
                self._finish_parts(item, texts)
        if body.get("encrypted_content") and self._exposed != "off" and not self._is_listed(item):
            if json.is_deep(body):
                return False
            item.mark_listed()
            self._out.sealed.seal(item, reasoning.to_details(body, self._seals))
        return True

    def _finish_parts(self, item: ReceivedItem, texts: list[tuple[int, str]]) -> None:
        known = item if item.parts else item.namesake
        if known is not None and known.parts and known.has_text(_FIELD, "".join([text for _, text in texts])):
            return  # nothing is added twice
        for n, (index, text) in enumerate(texts):
            self.queue.finish_part(item, item.nth_part(_FIELD, index, n, text), text)

    def _shows(self, item: ReceivedItem, kind: str) -> bool:
        """Whether this kind of part is shown; where both may be, the item decides by the one that comes first."""
        if not item.shown_kind and self._exposed in ("auto", "both", kind):
            item.show(kind)
        return item.shown_kind == kind

    def _is_listed(self, item: ReceivedItem) -> bool:
        return item.listed or (item.namesake is not None and item.namesake.listed)


def _texts(parts: Any) -> list[tuple[int, str]]:
    """Return the texts of some parts with their places."""
    texts: list[tuple[int, str]] = []
    for i, part in enumerate(parts if isinstance(parts, list) else ()):
        text = part.get("text") if isinstance(part, dict) else None
        if text and isinstance(text, str):
            texts.append((i, text))
    return texts
