"""The fast path: pieces of text, which are most of a stream, straight from bytes to frames.

It takes a chunk if it is just another piece of the growing text. All others are left to the general path, which gives
the same frames: a property test compares the two.
"""

from __future__ import annotations

from collections.abc import Callable

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

_MOST_MISSES = 32  # in a row: a server whose chunks are different should not pay for the attempts


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
    """The members of a chunk that the general path reads, too; all others are ignored."""

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

    def __init__(self, out: Output, text: TextWriter, calls: CallIndex, choices: ChoiceSelector) -> None:
        self._out = out
        self._text = text
        self._calls = calls
        self._choices = choices
        self._choice_index: int | str | None = None  # of the choice that is the answer
        self._steps = -1  # of the output, when it was looked up what grows
        self._write: OptionalPieceWriter | None = None
        self._read: Callable[[ChunkFastPath, _Delta], str | None] = ChunkFastPath._text_in
        self._call_index: int | None = None  # which means the call that grows
        self._misses = 0

    def take(self, event: sse.Event) -> bytes | None:
        """Return the frame for *event*, or None: it was not taken, and must go the general path."""
        if self._out.steps != self._steps:
            self._look_up()
        write = self._write
        if write is None or event.name:
            return None
        try:
            chunk = _decode(event.data)
        except logprobs.NOT_READ:
            return self._miss()
        choice, tier = chunk.choices[0], chunk.service_tier
        piece = self._read(self, choice.delta)
        if (
            not piece
            or (choice.index or 0) != self._choice_index
            or (tier is not None and tier != self._out.answer["service_tier"])
        ):
            return self._miss()
        if choice.logprobs is not None and choice.logprobs.content:
            return self._with_tokens(choice.logprobs.content, write, piece)
        self._misses = 0
        return write(piece)

    def _look_up(self) -> None:
        """Something went the general path: see what grows now."""
        item, self._steps = self._out.last, self._out.steps
        self._write = self._out.piece_writer() if self._text.is_plain and self._misses <= _MOST_MISSES else None
        self._call_index, self._choice_index = None, self._choices.only
        if isinstance(item, Reasoning):
            has_two_names = item.field == "reasoning"
            self._read = ChunkFastPath._either_thought_in if has_two_names else ChunkFastPath._thought_in
        else:
            self._read = ChunkFastPath._payload_in if isinstance(item, CallItem) else ChunkFastPath._text_in

    def _miss(self) -> None:
        """It goes the general path."""
        self._misses += 1
        self._write = None  # and let go of the text

    def _with_tokens(self, tokens: list[logprobs.Token], write: OptionalPieceWriter, piece: str) -> bytes | None:
        message = self._out.last
        if not isinstance(message, Message):
            return self._miss()
        self._misses = 0
        members = logprobs.encode(tokens)
        message.tokens.add(members)
        return write(piece, b',"logprobs":%b' % members)

    # What a delta holds for an item of each kind; None for one that must go the general path.

    def _text_in(self, delta: _Delta) -> str | None:
        return None if delta.reasoning_content or delta.reasoning or delta.tool_calls else delta.content

    def _thought_in(self, delta: _Delta) -> str | None:
        return None if delta.content or delta.tool_calls else delta.reasoning_content

    def _either_thought_in(self, delta: _Delta) -> str | None:
        return None if delta.content or delta.tool_calls else delta.reasoning_content or delta.reasoning

    def _payload_in(self, delta: _Delta) -> str | None:
        calls = delta.tool_calls
        if calls is None or delta.content or delta.reasoning_content or delta.reasoning:
            return None
        call = calls[0]
        if call.index != self._call_index:
            item = self._out.last
            if not (isinstance(item, CallItem) and self._calls.goes_on(call.index, item)):
                return None
            self._call_index = call.index
        if call.custom is not None:
            return call.custom.input if call.function is None else None
        piece = None if call.function is None else call.function.arguments
        return None if piece is None or piece.lstrip()[:1] == "{" else piece  # a repetition begins so (W5)
