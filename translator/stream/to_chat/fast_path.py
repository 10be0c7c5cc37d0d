"""The fast path: pieces of text, which are most of a stream, straight from bytes to frames.

It takes an event if it is just another piece of the growing text. All others are left to the general path, which gives
the same frames: a property test compares the two.
"""

from __future__ import annotations

from typing import Any

import msgspec

from ...wire import json, sse
from .. import logprobs
from ..growing import ChunkWriter
from .events import EventReader

_MOST_MISSES = 32  # in a row: a server with other habits should not pay for the attempts


class _DeltaEvent(msgspec.Struct, gc=False):
    type: str
    delta: str
    output_index: int | None = None
    item_id: str | None = None
    content_index: int | None = None
    summary_index: int | None = None
    logprobs: list[logprobs.Token] | None = None
    obfuscation: str | None = None


_decode_event = msgspec.json.Decoder(_DeltaEvent).decode
_TEXT = "response.output_text.delta"
_ADDRESS = ("type", "output_index", "item_id", "content_index", "summary_index")


class EventFastPath:
    """Responses events to frames of chat chunks."""

    def __init__(self, reader: EventReader) -> None:
        self._reader = reader
        self._last: Any = None  # the event after which it was looked up what grows
        self._append: ChunkWriter | None = None
        self._address: tuple[Any, ...] = ()
        self._misses = 0

    def take(self, event: sse.Event) -> bytes | None:
        """Return the frame for *event*, or None: it was not taken, and must go the general path."""
        if self._reader.last is not self._last:
            self._look_up()
        append = self._append
        if append is None or event.name == "error":
            return None
        try:
            decoded = _decode_event(event.data)
        except logprobs.NOT_READ:
            return self._miss()
        address = (decoded.type, decoded.output_index, decoded.item_id, decoded.content_index, decoded.summary_index)
        if address != self._address or not decoded.delta or (decoded.logprobs and decoded.type != _TEXT):
            return self._miss()
        self._misses = 0
        end = b"" if decoded.obfuscation is None else b',"obfuscation":%b' % json.encode(decoded.obfuscation)
        if not decoded.logprobs:
            return append(decoded.delta, end)
        tokens = logprobs.encode(decoded.logprobs)
        self._reader.add_tokens(tokens)
        return append(decoded.delta, end, b'{"content":%b,"refusal":null}' % tokens)

    def _look_up(self) -> None:
        """Something went the general path: see what grows now."""
        self._last = last = self._reader.last
        self._append = self._reader.appender() if self._misses <= _MOST_MISSES else None
        if last is not None and self._append is not None:
            self._address = tuple([last.get(name) for name in _ADDRESS])

    def _miss(self) -> None:
        """It goes the general path."""
        self._misses += 1
        self._append = None  # and let go of the text
