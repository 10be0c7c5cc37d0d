"""The annotations of texts for a chat message (protocol 5.5)."""

from __future__ import annotations

from typing import Any

from ...losses import Report
from ...parts import annotations
from .item_parts import ReceivedPart

Body = dict[str, Any]


class Citations:
    """Parts of messages with unsent annotations, whose places count from the beginning of the whole text."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._ready: dict[ReceivedPart, None] = {}
        self._early: dict[ReceivedPart, None] = {}  # whose turn has not come
        self._length: int | None = None  # of a text that was stopped

    def add(self, part: ReceivedPart) -> None:
        """Take a part with new annotations, or one with annotations whose turn has come."""
        if part.field != "content":
            self._report.dropped("annotations", "the text with the citation is shown as reasoning", part.annotations)
        elif part.turn:
            self._early.pop(part, None)
            self._ready[part] = None
        else:
            self._early[part] = None

    def end_text(self, length: int) -> None:
        """A stop sequence ended the text, which has this length now."""
        self._length = length

    def take(self) -> list[Body]:
        """Return the annotations of the texts that were sent, in the order of the texts."""
        if not (self._ready or self._early):
            return []
        ready = sorted(self._ready, key=_turn_of)
        self._ready.clear()
        if self._length is not None:
            ready += self._early
            self._early.clear()
        links = [self._link(part, annotation) for part in ready for annotation in part.take_annotations()]
        return [link for link in links if link is not None]

    def _link(self, part: ReceivedPart, annotation: Any) -> Body | None:
        """Return an annotation as chat has it, unless it is about words behind the end of a text that was stopped."""
        length = self._length
        link = annotations.to_chat(annotation, part.offset)
        if link is None:
            self._report.dropped("annotations", "chat has only URL citations", annotation)
        elif length is not None and (not part.turn or link["url_citation"]["end_index"] > length):
            self._report.dropped("annotations", "the cited text comes after a stop sequence", annotation)
        else:
            return link
        return None


def _turn_of(part: ReceivedPart) -> int:
    return part.turn
