"""Server-sent events: bytes to events, events to bytes (protocol 5.6)."""

from __future__ import annotations

from typing import Any, NamedTuple

from ..errors import BadUpstream
from . import json

DONE = b"data: [DONE]\n\n"
DONE_WORDS = (b"[DONE]", b"DONE")  # D24: some servers forget the brackets
MAX_LINE = 32 * 1024 * 1024
_BOM = b"\xef\xbb\xbf"


class Event(NamedTuple):
    name: str
    data: bytes

    @property
    def is_done(self) -> bool:
        return self.data.strip() in DONE_WORDS or self.data.startswith(b"[DONE]")


def event(body: dict[str, Any]) -> bytes:
    """One Responses event as it goes over the wire; `event:` equals the body's `type`."""
    return b"event: " + body["type"].encode() + b"\ndata: " + json.encode(body) + b"\n\n"


def data(body: dict[str, Any]) -> bytes:
    """One chat chunk as it goes over the wire."""
    return b"data: " + json.encode(body) + b"\n\n"


class Decoder:
    """Bytes in, events out, wherever the bytes were cut.

    Reads LF, CR and CRLF, several data lines, a byte order mark, comments, and bare JSON lines without ``data:`` (D30).
    Raises BadUpstream when one event is larger than *max_line* bytes.
    """

    def __init__(self, max_line: int = MAX_LINE) -> None:
        self._max_line = max_line
        self._tail: list[bytes] = []
        self._size = 0  # of the tail and the data lines together
        self._after_cr = False
        self._first = True
        self._name = ""
        self._data: list[bytes] = []

    @property
    def idle(self) -> bool:
        """Whether nothing is waiting: the next bytes begin an event."""
        return not (self._size or self._name or self._after_cr)

    def feed(self, data: bytes) -> list[Event]:
        """Take any piece of the stream; return the events that are whole now."""
        events: list[Event] = []
        if not data:
            return events
        if self._after_cr and data[:1] == b"\n":
            data = data[1:]
        self._after_cr = data[-1:] == b"\r"
        for line in data.splitlines(keepends=True):
            self._count(len(line))
            if line[-1:] in (b"\n", b"\r"):
                self._end_line(line.rstrip(b"\r\n"), events)
            else:
                self._tail.append(line)
        return events

    def flush(self) -> list[Event]:
        """The stream is over: return what was still waiting for its blank line."""
        events: list[Event] = []
        self._end_line(b"", events)
        self._end_line(b"", events)
        return events

    def _count(self, size: int) -> None:
        self._size += size
        if self._size > self._max_line:
            raise BadUpstream(f"The upstream sent an event of more than {self._max_line} bytes.")

    def _end_line(self, line: bytes, events: list[Event]) -> None:
        if self._tail:
            line = b"".join([*self._tail, line])
            self._tail.clear()
        if self._first:
            line, self._first = line.removeprefix(_BOM), False
        if not line:
            if self._data:
                events.append(Event(self._name, b"\n".join(self._data)))
                self._data = []
            self._name = ""
        elif line.startswith(b"data:"):
            self._data.append(line[6:] if line[5:6] == b" " else line[5:])
        elif line.startswith(b"event:"):
            self._name = line[6:].strip().decode("utf-8", "replace")
        elif line[:1] in (b"{", b"["):
            events.append(Event("", line))
        if not self._data:
            self._size = 0
