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
from .choice import Choices
from .fragments import Calls
from .items import Message, Reasoning
from .listener import Listener
from .output import Output
from .pieces import Grow, MayGrow
from .words import Words

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


class _One(msgspec.Struct, gc=False, kw_only=True):
    """A token as it is sent, too: what is missing is filled in, and the order is that of parts/logprobs.py."""

    token: str
    bytes: list[int] | None = None
    logprob: int | float


class _Token(_One, gc=False, kw_only=True):
    top_logprobs: list[_One] = []


class _Logprobs(msgspec.Struct, gc=False):
    content: list[_Token] | None = None


class _Choice(msgspec.Struct, gc=False):
    delta: _Delta
    index: int | None = None
    finish_reason: None = None
    logprobs: _Logprobs | None = None
    error: None = None
    message: None = None
    usage: None = None


class _Chunk(msgspec.Struct, gc=False):
    """What is not named here is not read by the general way either."""

    choices: tuple[_Choice]
    usage: None = None
    error: None = None
    service_tier: str | None = None
    moderation: None = None
    citations: None = None
    search_results: None = None
    x_groq: None = None


_decode = msgspec.json.Decoder(_Chunk).decode
_OTHERS = (msgspec.MsgspecError, RecursionError, UnicodeError)
"""What decoding raises for everything else."""


class _Event(msgspec.Struct, gc=False):
    type: str
    delta: str
    output_index: int | None = None
    item_id: str | None = None
    content_index: int | None = None
    summary_index: int | None = None
    logprobs: list[_Token] | None = None
    obfuscation: str | None = None


_decode_event = msgspec.json.Decoder(_Event).decode
_TEXT = "response.output_text.delta"
_ADDRESS = ("type", "output_index", "item_id", "content_index", "summary_index")


class ChatLane:
    """Chat chunks to frames of Responses events."""

    def __init__(self, out: Output, words: Words, calls: Calls, choices: Choices) -> None:
        self._out = out
        self._words = words
        self._calls = calls
        self._choices = choices
        self._place: int | str | None = None  # of the choice that is the answer
        self._last: Any = None  # the chunk after which it was looked up what grows
        self._grow: MayGrow | None = None
        self._read: Callable[[_Delta], str | None] = self._text
        self._message: Message | None = None  # whose text grows
        self._index: int | None = None  # which means the call that grows
        self._misses = 0

    def take(self, event: sse.Event) -> bytes | None:
        """Return the frame for *event*, or None: it was not taken, and must go the general way."""
        if self._out.cause is not self._last:
            self._look_up()
        grow, read = self._grow, self._read
        if grow is None or event.name:
            return None
        try:
            chunk = _decode(event.data)
        except _OTHERS:
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
        """Something went the general way: see what grows now."""
        self._last = self._out.cause
        self._grow = self._out.growing() if self._words.idle and self._misses <= _MOST_MISSES else None
        self._index, self._place = None, self._choices.only
        item = self._out.last
        self._message = item if isinstance(item, Message) else None
        if isinstance(item, Reasoning):
            self._read = self._either_thought if item.field == "reasoning" else self._thought
        else:
            self._read = self._arguments if isinstance(item, Call) else self._text

    def _miss(self) -> None:
        """It goes the general way."""
        self._misses += 1
        self._grow = None  # and let go of the text

    def _with_tokens(self, tokens: list[_Token], grow: MayGrow, piece: str) -> bytes | None:
        if self._message is None:
            return self._miss()
        self._misses = 0
        encoded, frame = _encoded(tokens), grow(piece)
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
            if not (isinstance(item, Call) and self._calls.goes_on(call.index, item)):
                return None
            self._index = call.index
        if call.custom is not None:
            return call.custom.input if call.function is None else None
        piece = None if call.function is None else call.function.arguments
        return None if piece is None or piece.lstrip()[:1] == "{" else piece  # what is told again begins so (W5)


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
        if grow is None or event.name == "error":
            return None
        try:
            read = _decode_event(event.data)
        except _OTHERS:
            return self._miss()
        address = (read.type, read.output_index, read.item_id, read.content_index, read.summary_index)
        if address != self._address or not read.delta or (read.logprobs and read.type != _TEXT):
            return self._miss()
        self._misses = 0
        frame = grow(read.delta)
        if read.logprobs:
            tokens = _encoded(read.logprobs)
            self._listener.add_tokens(tokens)
            frame = b'%b{"content":%b,"refusal":null}%b' % (frame.removesuffix(_NO_TOKENS), tokens, _NO_TOKENS[4:])
        return frame if read.obfuscation is None else _padded(frame, read.obfuscation)

    def _look_up(self) -> None:
        """Something went the general way: see what grows now."""
        self._last = last = self._listener.last
        self._grow = self._listener.growing() if self._misses <= _MOST_MISSES else None
        if last is not None and self._grow is not None:
            self._address = tuple([last.get(name) for name in _ADDRESS])

    def _miss(self) -> None:
        """It goes the general way."""
        self._misses += 1
        self._grow = None  # and let go of the text


_NO_TOKENS = b'null,"finish_reason":null}]}\n\n'  # the end of a chunk, from its log-probabilities on


def _encoded(tokens: list[_Token]) -> bytes:
    for token in tokens:
        _fill(token)
        for other in token.top_logprobs:
            _fill(other)
    return json.encode(tokens)


def _fill(token: _One) -> None:
    if token.bytes is None:
        token.bytes = list(token.token.encode())


def _padded(frame: bytes, obfuscation: str) -> bytes:
    return b'%b,"obfuscation":%b}\n\n' % (frame[:-3], json.encode(obfuscation))
