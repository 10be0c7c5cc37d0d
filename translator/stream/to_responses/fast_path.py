"""The fast path: pieces of a text, which are nearly all of a stream, straight from bytes to frames.

It takes a chunk of the upstream if that is one more piece of the text that grows, and nothing else. All others are
left to the general path, which gives the same frames: a property test compares the two.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from ...wire import sse
from .. import logprobs
from ..growing import OptionalPieceWriter
from .call_deltas import CallIndex
from .call_item import CallItem
from .chunk_choices import ChoiceSelector
from .items import Message, Reasoning
from .output import Output
from .text_writer import TextWriter

_MOST_MISSES = 32  # in a row: a server with other habits should not pay for the attempts


class _Function(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    arguments: str
    name: None = None


class _Custom(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    input: str
    name: None = None


class _Call(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    index: int
    function: _Function | None = None
    custom: _Custom | None = None
    id: None = None
    type: str | None = None


class _Delta(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    content: str | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None
    reasoning_text: None = None
    tool_calls: tuple[_Call] | None = None
    role: str | None = None
    refusal: None = None
    function_call: None = None
    audio: None = None
    annotations: None = None


class _Logprobs(msgspec.Struct, gc=False):
    content: list[logprobs.Token] | None = None


class _Choice(msgspec.Struct, gc=False):
    delta: _Delta
    index: int | None = None
    finish_reason: None = None
    logprobs: _Logprobs | None = None
    error: None = None
    message: None = None
    usage: None = None


class _Chunk(msgspec.Struct, gc=False):
    """What is not named here is not read by the general path either."""

    choices: tuple[_Choice]
    usage: None = None
    error: None = None
    service_tier: str | None = None
    moderation: None = None
    citations: None = None
    search_results: None = None
    x_groq: None = None


_decode = msgspec.json.Decoder(_Chunk).decode


class ChunkFastPath:
    """Chat chunks to frames of Responses events."""

    def __init__(self, out: Output, words: TextWriter, calls: CallIndex, choices: ChoiceSelector) -> None:
        self._out = out
        self._words = words
        self._calls = calls
        self._choices = choices
        self._place: int | str | None = None  # of the choice that is the answer
        self._last: Any = None  # the chunk after which it was looked up what grows
        self._grow: OptionalPieceWriter | None = None
        self._read: Callable[[_Delta], str | None] = self._text
        self._message: Message | None = None  # whose text grows
        self._index: int | None = None  # which means the call that grows
        self._misses = 0

    def take(self, event: sse.Event) -> bytes | None:
        """Return the frame for *event*, or None: it was not taken, and must go the general path."""
        if self._out.cause is not self._last:
            self._look_up()
        grow, read = self._grow, self._read
        if grow is None or event.name:
            return None
        try:
            chunk = _decode(event.data)
        except logprobs.NOT_READ:
            return self._miss()
        choice, tier = chunk.choices[0], chunk.service_tier
        piece = read(choice.delta)
        if (
            not piece
            or (choice.index or 0) != self._place
            or (tier is not None and tier != self._out.answer["service_tier"])
        ):
            return self._miss()
        if choice.logprobs is not None and choice.logprobs.content:
            return self._with_tokens(choice.logprobs.content, grow, piece)
        self._misses = 0
        return grow(piece)

    def _look_up(self) -> None:
        """Something went the general path: see what grows now."""
        self._last = self._out.cause
        self._grow = self._out.growing() if self._words.idle and self._misses <= _MOST_MISSES else None
        self._index, self._place = None, self._choices.only
        item = self._out.last
        self._message = item if isinstance(item, Message) else None
        if isinstance(item, Reasoning):
            self._read = self._either_thought if item.field == "reasoning" else self._thought
        else:
            self._read = self._arguments if isinstance(item, CallItem) else self._text

    def _miss(self) -> None:
        """It goes the general path."""
        self._misses += 1
        self._grow = None  # and let go of the text

    def _with_tokens(self, tokens: list[logprobs.Token], grow: OptionalPieceWriter, piece: str) -> bytes | None:
        if self._message is None:
            return self._miss()
        self._misses = 0
        encoded, frame = logprobs.encode(tokens), grow(piece)
        assert frame is not None
        self._message.tokens.add(encoded)
        return b"%b%b}\n\n" % (frame.removesuffix(b"[]}\n\n"), encoded)

    def _text(self, delta: _Delta) -> str | None:
        return None if delta.reasoning_content or delta.reasoning or delta.tool_calls else delta.content

    def _thought(self, delta: _Delta) -> str | None:
        return None if delta.content or delta.tool_calls else delta.reasoning_content

    def _either_thought(self, delta: _Delta) -> str | None:
        return None if delta.content or delta.tool_calls else delta.reasoning_content or delta.reasoning

    def _arguments(self, delta: _Delta) -> str | None:
        calls = delta.tool_calls
        if calls is None or delta.content or delta.reasoning_content or delta.reasoning:
            return None
        call = calls[0]
        if call.index != self._index:
            item = self._out.last
            if not (isinstance(item, CallItem) and self._calls.goes_on(call.index, item)):
                return None
            self._index = call.index
        if call.custom is not None:
            return call.custom.input if call.function is None else None
        piece = None if call.function is None else call.function.arguments
        return None if piece is None or piece.lstrip()[:1] == "{" else piece  # what is told again begins so (W5)
