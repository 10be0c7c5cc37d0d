"""Server-sent events: bytes to events, events to bytes (protocol 5.6)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from ..errors import BadUpstream
from . import json

DONE = b"data: [DONE]\n\n"
DONE_WORDS = (b"[DONE]", b"DONE")  # D24: some servers forget the brackets
MAX_LINE = 32 * 1024 * 1024
LARGE = 2 * json.MAX_VALUES
"""In bytes: an event that is larger may hold more values than are read."""
_BOM = b"\xef\xbb\xbf"
_LF, _CR = b"\n\r"
_END = b"\n\n"
_JSON = b"{["


class Event(msgspec.Struct, frozen=True, gc=False):
    """What came between two blank lines."""

    name: str
    data: bytes

    @property
    def is_done(self) -> bool:
        if self.data[:1] == b"{":  # as nearly always
            return False
        return self.data.strip() in DONE_WORDS or self.data.startswith(b"[DONE]")


def event(body: dict[str, Any]) -> bytes:
    """One Responses event as it goes over the wire; `event:` equals the body's `type`."""
    return b"event: " + body["type"].encode() + b"\ndata: " + json.encode(body) + b"\n\n"


def data(body: dict[str, Any]) -> bytes:
    """One chat chunk as it goes over the wire."""
    return b"data: " + json.encode(body) + b"\n\n"


def with_hole(frame: bytes, field: str) -> bytes | None:
    """Return *frame* as a template for `%`, in which `%b` stands for the empty string that *field* has.

    None unless there is exactly one: quotes inside of strings are escaped, so nothing else looks like it.
    """
    key = b'"%b":' % field.encode()
    pieces = frame.replace(b"%", b"%%").split(key + b'""')
    return (key + b"%b").join(pieces) if len(pieces) == 2 else None


def _nothing() -> None:
    """Nobody wants to know."""


class Decoder:
    """Bytes in, events out, wherever the bytes were cut.

    Reads LF, CR and CRLF, several data lines, a byte order mark, comments, and bare JSON lines without ``data:`` (D30).
    Raises BadUpstream when one event is larger than *max_line* bytes.
    """

    def __init__(self, max_line: int = MAX_LINE) -> None:
        self.warn: Callable[[], None] = _nothing
        """Called before an event is returned that is larger than LARGE."""
        self._max_line = max_line
        self._quick = min(max_line, LARGE)
        self._tail: list[bytes] = []
        self._size = 0  # of the tail and the data lines together
        self._after_cr = False
        self._first = True
        self._name = ""
        self._data: list[bytes] = []
        self._is_idle = False  # the next bytes begin an event
        self._before = ""  # what the last event was called
        self._usual = ""  # what nearly all are called, and how one of that name begins
        self._beginning = b"data: "
        self._around = len(self._beginning + _END)

    def feed(self, data: bytes) -> list[Event]:
        """Take any piece of the stream; return the events that are whole now."""
        line = data.removeprefix(self._beginning).removesuffix(_END)
        if self._is_idle and len(data) - len(line) == self._around and _CR not in line and len(data) <= self._quick:
            if _LF not in line:
                return [Event(self._usual, line)]  # as nearly all reads are
            between = _END + self._beginning
            lines = line.split(between)
            if line.count(b"\n") == between.count(b"\n") * (len(lines) - 1):
                return [Event(self._usual, line) for line in lines]
        return self._read(data)

    def _read(self, data: bytes) -> list[Event]:
        events: list[Event] = []
        if self._after_cr and data[:1] == b"\n":
            data, self._after_cr = data[1:], False
        if not data:
            return events
        self._after_cr = data[-1] == _CR
        lines = data.splitlines()
        rest = b"" if data[-1] == _LF or self._after_cr else lines.pop()
        may_be_too_much = self._size + len(data) > self._max_line
        for given in lines:
            line = self._whole(given) if self._tail or self._first else given
            if may_be_too_much:
                self._expect_room(line)
            if line[:6] == b"data: ":
                self._size += len(line)
                self._data.append(line[6:])
            elif line[:6] == b"event:":
                self._name = line[6:].strip().decode("utf-8", "replace")
            elif line:
                self._take_unusual(line, events)
            else:
                self._end_event(events)
        if rest:
            self._expect_room(rest)
            self._size += len(rest)
            self._tail.append(rest)
        self._is_idle = not (self._size or self._name or self._after_cr or self._first)
        return events

    def flush(self) -> list[Event]:
        """The stream is over: return what was still waiting for its blank line."""
        return self.feed(b"\n\n\n")  # one may be the other half of a line's end

    def _expect_room(self, line: bytes) -> None:
        if self._size + len(line) > self._max_line:
            raise BadUpstream(f"The upstream sent an event of more than {self._max_line} bytes.")

    def _whole(self, line: bytes) -> bytes:
        """A line with what came of it before, and without the mark at the beginning of the stream."""
        if self._tail:
            self._size -= sum(map(len, self._tail))
            line = b"".join([*self._tail, line])
            self._tail.clear()
        if self._first:
            line, self._first = line.removeprefix(_BOM), False
        return line

    def _end_event(self, events: list[Event]) -> None:
        if self._data:
            if self._size > LARGE:
                self.warn()
            events.append(Event(self._name, b"\n".join(self._data)))
            self._data, self._size = [], 0
            if self._name != self._usual:
                self._learn()
        self._name = ""

    def _learn(self) -> None:
        """What comes twice in a row comes again."""
        if self._name == self._before:
            self._usual = self._name
            self._beginning = b"event: %b\ndata: " % self._name.encode() if self._name else b"data: "
            self._around = len(self._beginning + _END)
        self._before = self._name

    def _take_unusual(self, line: bytes, events: list[Event]) -> None:
        if line.startswith(b"data:"):
            self._size += len(line)
            self._data.append(line[5:])
        elif line[0] in _JSON:
            if len(line) > LARGE:
                self.warn()
            events.append(Event("", line))
