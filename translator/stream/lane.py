"""The fast lane: pieces of a text, which are nearly all of a stream, straight from bytes to frames.

A lane takes an event of the upstream if it is one more piece of the text that grows, and nothing else. All others are
left to the general way, which gives the same frames: a property test compares the two.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from ..wire import json, sse
from .call import Call
from .fragments import Calls
from .items import Reasoning
from .listener import Listener
from .output import Output
from .pieces import Grow
from .words import Words

_MOST_MISSES = 32  # in a row: a server with other habits should not pay for the attempts


class _Function(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    arguments: str
    name: None = None


class _Call(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    index: int
    function: _Function
    id: None = None
    type: str | None = None


class _Delta(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    content: str | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None
    tool_calls: tuple[_Call] | None = None
    role: str | None = None
    refusal: None = None
    function_call: None = None
    audio: None = None
    annotations: None = None


class _Choice(msgspec.Struct, gc=False):
    delta: _Delta
    index: int | None = None
    finish_reason: None = None
    logprobs: None = None
    error: None = None


class _Chunk(msgspec.Struct, gc=False):
    """What is not named here is not read by the general way either."""

    choices: tuple[_Choice]
    usage: None = None
    error: None = None
    service_tier: str | None = None
    moderation: None = None
    citations: None = None
    x_groq: None = None


_decode = msgspec.json.Decoder(_Chunk).decode


class _Event(msgspec.Struct, gc=False):
    type: str
    delta: str
    output_index: int | None = None
    item_id: str | None = None
    content_index: int | None = None
    summary_index: int | None = None
    logprobs: list[Any] | None = None
    obfuscation: str | None = None


_decode_event = msgspec.json.Decoder(_Event).decode
_ADDRESS = ("type", "output_index", "item_id", "content_index", "summary_index")


class ChatLane:
    """Chat chunks to frames of Responses events."""

    def __init__(self, out: Output, words: Words, calls: Calls) -> None:
        self._out = out
        self._words = words
        self._calls = calls
        self._last: Any = None  # the chunk after which it was looked up what grows
        self._grow: Grow | None = None
        self._read: Callable[[_Delta], str | None] = self._text
        self._index: int | None = None  # which means the call that grows
        self._misses = 0

    def take(self, event: sse.Event) -> bytes | None:
        """Return the frame for *event*, or None: it was not taken, and must go the general way."""
        if self._out.cause is not self._last:
            self._look_up()
        if self._grow is None or event.name or self._misses > _MOST_MISSES:
            return None
        piece = self._piece(event.data)
        if not piece:
            self._misses += 1
            return None
        self._misses = 0
        return self._grow(piece)

    def _look_up(self) -> None:
        """Something went the general way: see what grows now."""
        self._last = self._out.cause
        self._grow = self._out.growing() if self._words.idle else None
        self._index = None
        item = self._out.last
        if isinstance(item, Reasoning):
            self._read = self._either_thought if item.field == "reasoning" else self._thought
        else:
            self._read = self._arguments if isinstance(item, Call) else self._text

    def _piece(self, data: bytes) -> str | None:
        """The next piece of what grows, if *data* say that and nothing else."""
        try:
            chunk = _decode(data)
        except (msgspec.MsgspecError, RecursionError, UnicodeError):
            return None
        choice = chunk.choices[0]
        tier = chunk.service_tier
        if choice.index or (tier is not None and tier != self._out.answer["service_tier"]):
            return None
        return self._read(choice.delta)

    def _text(self, delta: _Delta) -> str | None:
        return None if delta.reasoning_content or delta.reasoning or delta.tool_calls else delta.content

    def _thought(self, delta: _Delta) -> str | None:
        return None if delta.content or delta.tool_calls else delta.reasoning_content

    def _either_thought(self, delta: _Delta) -> str | None:
        return None if delta.content or delta.tool_calls else delta.reasoning_content or delta.reasoning

    def _arguments(self, delta: _Delta) -> str | None:
        if not delta.tool_calls or delta.content or delta.reasoning_content or delta.reasoning:
            return None
        call = delta.tool_calls[0]
        if call.index != self._index:
            item = self._out.last
            if not (isinstance(item, Call) and self._calls.goes_on(call.index, item)):
                return None
            self._index = call.index
        return call.function.arguments


class ResponsesLane:
    """Responses events to frames of chat chunks."""

    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self._last: Any = None  # the event after which it was looked up what grows
        self._grow: Grow | None = None
        self._address: tuple[Any, ...] = ()
        self._misses = 0

    def take(self, event: sse.Event) -> bytes | None:
        """Return the frame for *event*, or None: it was not taken, and must go the general way."""
        if self._listener.last is not self._last:
            self._look_up()
        grow = self._grow
        if grow is None or event.name == "error" or self._misses > _MOST_MISSES:
            return None
        read = self._event(event.data)
        if read is None:
            self._misses += 1
            return None
        self._misses = 0
        frame = grow(read.delta)
        return frame if read.obfuscation is None else _padded(frame, read.obfuscation)

    def _look_up(self) -> None:
        """Something went the general way: see what grows now."""
        self._last = last = self._listener.last
        self._grow = self._listener.growing()
        self._address = tuple(last.get(name) for name in _ADDRESS) if last else ()

    def _event(self, data: bytes) -> _Event | None:
        """The event in *data*, if it says another piece of what grows."""
        try:
            read = _decode_event(data)
        except (msgspec.MsgspecError, RecursionError, UnicodeError):
            return None
        address = (read.type, read.output_index, read.item_id, read.content_index, read.summary_index)
        return read if address == self._address and read.delta and not read.logprobs else None


def _padded(frame: bytes, obfuscation: str) -> bytes:
    return b'%b,"obfuscation":%b}\n\n' % (frame[:-3], json.encode(obfuscation))
