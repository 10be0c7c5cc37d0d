"""Find the end of a JSON object that arrives in pieces, without reading it again from the beginning."""

from __future__ import annotations

import re

from ...wire import json
from ..growing import TextBuffer

_MARK = re.compile(rb'["{}]')
_END = re.compile(rb'["\\]')  # of a string, or of what may be skipped inside of one
_SPACE = b" \t\r\n"


class ObjectCheck:
    """Tells whether a growing text is one whole object; however often, the text is read only a few times."""

    __slots__ = ("_answer", "_checked", "_scanned", "_scanner")

    def __init__(self) -> None:
        self._scanner: BraceScanner | None = None
        self._scanned = 0  # how many bytes the scanner had
        self._checked = -1  # how many bytes there were at the last check
        self._answer = False  # of the last check

    def is_object(self, text: TextBuffer) -> bool:
        """Whether *text* is one whole object now."""
        size = len(text)
        if size != self._checked and text.may_end_with(b"}"):
            self._answer = self._check(text)
            self._checked = size
        return self._answer and size == self._checked

    def _check(self, text: TextBuffer) -> bool:
        """The first time, it is decoded: as nearly always, it is whole. Later, it is decoded if the braces match."""
        if self._checked < 0:
            return _is_object(text)
        scanner = self._scanner = self._scanner or BraceScanner()
        was_closed = scanner.closed
        scanner.feed(text.since(self._scanned))
        self._scanned = len(text)
        return scanner.closed and (self._answer if was_closed else _is_object(text))


def _is_object(text: TextBuffer) -> bool:
    try:
        return isinstance(json.decode(text), dict)
    except ValueError:
        return False


class BraceScanner:
    """Bytes in; ``closed`` while they are one object in braces and white space. Every byte is read once.

    Other errors in the JSON are not detected.
    """

    __slots__ = ("_broken", "_depth", "_in_string", "_skips", "closed")

    def __init__(self) -> None:
        self.closed: bool = False
        self._broken = False  # something stands in front of it, or behind it
        self._depth = 0
        self._in_string = False
        self._skips = False  # the next byte belongs to a backslash

    def feed(self, data: bytes) -> None:
        """Read the next bytes."""
        if not self._depth:
            data = data.lstrip(_SPACE)
            self._broken = self._broken or (bool(data) and (self.closed or data[:1] != b"{"))
            self.closed = self.closed and not self._broken
        at = 0
        while at < len(data) and not self._broken:
            at = self._read_string(data, at) if self._in_string else self._read_outside(data, at)

    def _read_outside(self, data: bytes, at: int) -> int:
        """Read up to a string, a brace, or the end of the object; return where to go on."""
        mark = _MARK.search(data, at)
        if mark is None:
            return len(data)
        self._in_string = mark[0] == b'"'
        self._depth += (mark[0] == b"{") - (mark[0] == b"}")
        if self._depth:
            return mark.end()
        rest = data[mark.end() :].strip(_SPACE)
        self._broken, self.closed = bool(rest), not rest
        return len(data)

    def _read_string(self, data: bytes, at: int) -> int:
        """Read up to the end of the string, or to a backslash; return where to go on."""
        if self._skips:
            self._skips = False
            return at + 1
        mark = _END.search(data, at)
        if mark is None:
            return len(data)
        self._in_string = mark[0] != b'"'
        self._skips = self._in_string
        return mark.end()
