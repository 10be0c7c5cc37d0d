"""Server-sent events: bytes to events, events to bytes (protocol 5.6)."""

from __future__ import annotations

from typing import Any

import msgspec

from ..errors import UpstreamError
from . import json

DONE = b"data: [DONE]\n\n"
DONE_WORDS = (b"[DONE]", b"DONE")  # D24, W9: some servers forget the brackets, or quote it
MAX_LINE = 32 * 1024 * 1024
LARGE = 2 * json.MAX_VALUES
"""In bytes: a larger event may hold more values than are read."""
_BOM = b"\xef\xbb\xbf"
_LF, _CR = b"\n\r"
_END = b"\n\n"
_JSON = (b"{", b"[")
_CLOSING = (b"}", b"]")
_GOES_ON = (b",", b"}", b"]", b"")  # how a line may begin that goes on with JSON behind a bracket
_FIELDS = (b":", b"id:", b"retry:")  # which nobody needs
_AROUND_DONE = b" \t\"'"


class Event(msgspec.Struct, frozen=True, gc=False):
    """The data between two blank lines."""

    name: str
    data: bytes

    @property
    def is_done(self) -> bool:
        return self.data[:1] != b"{" and _is_done(self.data)  # as nearly always


def _is_done(data: bytes) -> bool:
    return data.strip(_AROUND_DONE).upper() in DONE_WORDS or data.startswith(b"[DONE]")


def event(body: dict[str, Any]) -> bytes:
    """One Responses event as it goes over the wire; `event:` equals the body's `type`."""
    return b"event: " + body["type"].encode() + b"\ndata: " + json.encode(body) + b"\n\n"


def data(body: dict[str, Any]) -> bytes:
    """One chat chunk as it goes over the wire."""
    return b"data: " + json.encode(body) + b"\n\n"


class Decoder:
    """Bytes in, events out, wherever the bytes were cut.

    Reads LF, CR and CRLF, several data lines, a byte order mark, comments, bare JSON lines without ``data:`` (D30),
    JSON that spans several lines, and events without a blank line between them (W9).
    Raises UpstreamError if one event is larger than *max_line* bytes.
    """

    def __init__(self, max_line: int = MAX_LINE) -> None:
        self._max_line = max_line
        self._quick = min(max_line, LARGE)
        self._tail: list[bytes] = []
        self._size = 0  # of the tail and the data lines together
        self._after_cr = False
        self._first = True
        self._name = ""
        self._data: list[bytes] = []
        self._is_single = False  # there are events without a blank line between them
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
                self._take_data(line[6:], events)
            elif line[:6] == b"event:":
                if self._name and self._data:
                    self._end_event(events)
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
            raise UpstreamError(f"The upstream sent an event of more than {self._max_line} bytes.")

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

    def _take_data(self, data: bytes, events: list[Event]) -> None:
        if self._data and self._begins_another(data):
            self._end_event(events)
            self._is_single = True
        self._size += len(data) + len(b"data: ")
        self._data.append(data)
        if len(self._data) == 1 and (_is_done(data) if data[:1] != b"{" else self._is_single and data[-1:] == b"}"):
            self._end_event(events)  # there may be no blank line to wait for

    def _begins_another(self, data: bytes) -> bool:
        """Whether a line cannot go on with what waits: some servers leave the blank line out (W9).

        Behind a closing bracket JSON goes on with a comma or a bracket only; what is no JSON has none behind it.
        """
        if self._data[-1].rstrip()[-1:] in _CLOSING:
            return data.lstrip()[:1] not in _GOES_ON
        return _is_done(data) or (data[:1] == b"{" and self._data[0].lstrip()[:1] not in _JSON)

    def _take_unusual(self, line: bytes, events: list[Event]) -> None:
        if line.startswith(b"data:"):
            self._take_data(line[5:], events)
        elif line.startswith(_FIELDS):
            return
        elif self._data and self._data[0].lstrip()[:1] in _JSON:
            self._take_data(line, events)  # JSON over several lines, of which only the first says that it is data
        elif line.lstrip()[:1] in _JSON:
            if line.rstrip()[-1:] not in _CLOSING:
                self._take_data(line, events)
                return
            events.append(Event("", line))
