"""Where a JSON object ends that comes in pieces, without reading it again from its beginning."""

from __future__ import annotations

import re

from ...wire import json
from ..growing import TextBuffer

_MARK = re.compile(rb'["{}]')
_END = re.compile(rb'["\\]')  # of a string, or of what may be read without a thought
_SPACE = b" \t\r\n"


class ObjectCheck:
    """Whether arguments are one whole object. However often that is asked, they are read a few times only."""

    def __init__(self) -> None:
        self._braces: BraceScanner | None = None
        self._asked_at = -1  # how much there was when it was asked last
        self._read = 0  # how much of it the braces had
        self._answer = False

    def is_object(self, text: TextBuffer) -> bool:
        size = len(text)
        if size != self._asked_at and text.may_end_with(b"}"):
            self._answer = self._look(text)
            self._asked_at = size
        return self._answer and size == self._asked_at

    def _look(self, text: TextBuffer) -> bool:
        """The first time, as nearly always, they are whole: that is decoded. Later, it is if the braces say so."""
        if self._asked_at < 0:
            return _is_object(text)
        braces = self._braces = self._braces or BraceScanner()
        was_closed = braces.closed
        braces.feed(text.since(self._read))
        self._read = len(text)
        return braces.closed and (self._answer if was_closed else _is_object(text))


def _is_object(text: TextBuffer) -> bool:
    try:
        return isinstance(json.decode(text.whole()), dict)
    except ValueError:
        return False


class BraceScanner:
    """Bytes in; ``closed`` while they are one object in braces and white space. Every byte is looked at once.

    What else is wrong with it is not seen.
    """

    def __init__(self) -> None:
        self.closed = False
        self._broken = False  # something stands in front of it, or behind it
        self._depth = 0
        self._in_string = False
        self._skips = False  # the next byte belongs to a backslash

    def feed(self, data: bytes) -> None:
        if not self._depth:
            data = data.lstrip(_SPACE)
            self._broken = self._broken or (bool(data) and (self.closed or data[:1] != b"{"))
            self.closed = self.closed and not self._broken
        at = 0
        while at < len(data) and not self._broken:
            at = self._string(data, at) if self._in_string else self._outside(data, at)

    def _outside(self, data: bytes, at: int) -> int:
        """Read up to a string, a brace, or the end of the object; return where to go on."""
        found = _MARK.search(data, at)
        if found is None:
            return len(data)
        mark = found[0]
        self._in_string = mark == b'"'
        self._depth += (mark == b"{") - (mark == b"}")
        if self._depth:
            return found.end()
        rest = data[found.end() :].strip(_SPACE)
        self._broken, self.closed = bool(rest), not rest
        return len(data)

    def _string(self, data: bytes, at: int) -> int:
        if self._skips:
            self._skips = False
            return at + 1
        found = _END.search(data, at)
        if found is None:
            return len(data)
        self._in_string = found[0] != b'"'
        self._skips = self._in_string
        return found.end()
