"""Convert streams into the other dialect, as iterators: bytes or decoded objects in, decoded events out.

They do not own the connection: the caller closes what is iterated over. Servers, which need bytes out, use
`ServeResponses.stream` and `ServeChat.stream`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Iterator, Mapping
from typing import Any, Generic, TypeVar, overload

from .convert import Body, unknown_request
from .errors import RequestError, UpstreamError
from .exchange import derived
from .exchange.base import Exchange
from .exchange.frames import FrameStream
from .exchange.serve_chat import ServeChat
from .exchange.serve_responses import ServeResponses
from .losses import Loss
from .profiles import Profile
from .wire import json, lines, plain, sse
from .wire.chat_types import ChatEvent
from .wire.event_types import ResponsesEvent

Event = TypeVar("Event")
Chunk = bytes | bytearray | str | Body
"""A piece of a stream: of its text, cut anywhere, or a decoded event or chunk."""
Chunks = Iterable[Chunk] | bytes | bytearray | str
AsyncChunks = AsyncIterable[Chunk]


@overload
def responses_stream(
    chunks: Chunks,
    /,
    *,
    request: Body | None = ...,
    profile: Profile | str | None = ...,
    new_id: Callable[[str], str] | None = ...,
    clock: Callable[[], float] | None = ...,
) -> ConvertedStream[ResponsesEvent]: ...
@overload
def responses_stream(
    chunks: AsyncChunks,
    /,
    *,
    request: Body | None = ...,
    profile: Profile | str | None = ...,
    new_id: Callable[[str], str] | None = ...,
    clock: Callable[[], float] | None = ...,
) -> AsyncConvertedStream[ResponsesEvent]: ...
def responses_stream(
    chunks: Chunks | AsyncChunks,
    /,
    *,
    request: Body | None = None,
    profile: Profile | str | None = None,
    new_id: Callable[[str], str] | None = None,
    clock: Callable[[], float] | None = None,
) -> ConvertedStream[ResponsesEvent] | AsyncConvertedStream[ResponsesEvent]:
    """Return an iterator over the Responses events for the stream of a chat completion.

    *chunks* are pieces of the SSE text as they arrive, cut anywhere (httpx: `iter_bytes()`), or its lines
    (`iter_lines()`), or decoded chunks: mappings or objects of the OpenAI SDK. An asynchronous iterable gives an
    asynchronous iterator.
    *request* is the Responses request that is answered; *new_id* and *clock* are as in ``responses_answer``.

    The events end with the answer; anything after it is ignored. A stream that breaks off ends with `response.failed`
    or `response.incomplete`; if it never began, the iterator raises UpstreamError. An invalid *request* raises
    RequestError at once. After the last event, ``answer`` is the Response object, and ``losses`` has everything that
    was lost of the answer. Rules: protocol 5.4.

    >>> chunks = [{"choices": [{"delta": {"content": "Hello."}}]}, {"choices": [{"finish_reason": "stop"}]}]
    >>> stream = responses_stream(chunks, request={"model": "m", "input": "Hi"})
    >>> [event["delta"] for event in stream if event["type"] == "response.output_text.delta"]
    ['Hello.']
    >>> stream.answer["status"], stream.losses
    ('completed', [])
    """
    return _iterator(chunks, _Conversion(ServeResponses, request, profile, new_id, clock))


@overload
def chat_stream(
    events: Chunks,
    /,
    *,
    request: Body | None = ...,
    profile: Profile | str | None = ...,
    new_id: Callable[[str], str] | None = ...,
    clock: Callable[[], float] | None = ...,
) -> ConvertedStream[ChatEvent]: ...
@overload
def chat_stream(
    events: AsyncChunks,
    /,
    *,
    request: Body | None = ...,
    profile: Profile | str | None = ...,
    new_id: Callable[[str], str] | None = ...,
    clock: Callable[[], float] | None = ...,
) -> AsyncConvertedStream[ChatEvent]: ...
def chat_stream(
    events: Chunks | AsyncChunks,
    /,
    *,
    request: Body | None = None,
    profile: Profile | str | None = None,
    new_id: Callable[[str], str] | None = None,
    clock: Callable[[], float] | None = None,
) -> ConvertedStream[ChatEvent] | AsyncConvertedStream[ChatEvent]:
    """Return an iterator over the chunks of a chat completion for the stream of a Response.

    *events* are pieces of the SSE text as they arrive, cut anywhere (httpx: `iter_bytes()`), or its lines
    (`iter_lines()`), or decoded events: mappings or objects of the OpenAI SDK. An asynchronous iterable gives an
    asynchronous iterator.
    *request* is the chat request that is answered; without one, usage is included. *new_id* and *clock* are as in
    ``chat_answer``.

    The chunks end with the answer; anything after it is ignored. A `stop` sequence of the request ends it early. A
    stream that breaks off ends with a chunk that has an `error`; if it never began, the iterator raises UpstreamError.
    An invalid *request* raises RequestError at once. After the last chunk, ``answer`` is the chat completion, and
    ``losses`` has everything that was lost of the answer. Rules: protocol 5.5.

    >>> message = {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Hello."}]}
    >>> finished = {"id": "resp_1", "model": "m", "status": "completed", "output": [message]}
    >>> stream = chat_stream([{"type": "response.completed", "response": finished}])
    >>> [choice["delta"].get("content") for chunk in stream for choice in chunk.get("choices", ())]
    ['', 'Hello.', None]
    >>> stream.answer["choices"][0]["finish_reason"], stream.losses
    ('stop', [])
    """
    return _iterator(events, _Conversion(ServeChat, request, profile, new_id, clock))


class _Conversion(Generic[Event]):
    """One stream: pieces in, events out. It begins with the first event, because ids depend on it."""

    def __init__(
        self,
        serve: Callable[..., Exchange],
        request: Body | None,
        profile: Profile | str | None,
        new_id: Callable[[str], str] | None,
        clock: Callable[[], float] | None,
    ) -> None:
        body = None if request is None else plain.read(request, "request", RequestError)
        self.events: deque[Event] = deque()
        self._ids = derived.Ids(body)
        self._serve = lambda body: serve(
            body, profile=profile, new_id=new_id or self._ids, clock=clock or derived.no_time
        )
        self._exchange = self._serve(unknown_request(None) if body is None else body)
        self._is_known = body is not None
        self._known_losses = len(self._exchange.report)
        self._stream: FrameStream | None = None
        self._decoder = sse.Decoder()
        self._waiting: list[bytes] = []  # until the first event is whole
        self._last = b""  # of what waits, if it is not empty
        self._size = 0  # of what waits
        self._end = b""  # of a line, where the pieces are lines without one

    @property
    def is_over(self) -> bool:
        return self._stream is not None and self._stream.ended

    @property
    def answer(self) -> Any:
        return json.deep_copy(self._stream.answer) if self._stream else None

    @property
    def losses(self) -> list[Loss]:
        return list(self._exchange.report)[self._known_losses :]

    def feed(self, chunk: Any) -> None:
        """Read a piece; the events that follow from it are added."""
        data = _bytes(chunk) + self._end
        if self._stream is not None:
            self._take(self._stream.feed(data))
            return
        if lines.are_lines(self._last, data):
            data = self._as_lines(data)
        self._waiting.append(data)
        self._last = data or self._last
        self._size += len(data) + 1
        self._look_at(self._decoder.feed(data))

    def finish(self) -> None:
        """End the stream: there are no more pieces."""
        if self._stream is None:
            self._look_at(self._decoder.flush())
        stream = self._stream or self._begin(None)
        self._take(stream.finish())

    def _as_lines(self, line: bytes) -> bytes:
        """Return all pieces so far, and *line*, with line ends: they turned out to be lines."""
        self._end = b"\n"
        whole = b"".join(one + self._end for one in (*self._waiting, line))
        self._decoder, self._waiting, self._size = sse.Decoder(), [], 0
        return whole

    def _look_at(self, events: list[sse.Event]) -> None:
        if events or self._size > sse.MAX_LINE:  # comments alone could go on for ever
            stream = self._begin(_decoded(events[0].data) if events else None)
            self._take(stream.feed(b"".join(self._waiting)))
            self._waiting.clear()

    def _begin(self, first: Any) -> FrameStream:
        self._ids.add(derived.identity(first))
        if not self._is_known:
            self._exchange = self._serve(unknown_request(first))
        self._stream = self._exchange.stream()
        return self._stream

    def _take(self, frames: list[bytes]) -> None:
        for frame in frames:
            if frame != sse.DONE:
                self.events.append(json.decode(frame.partition(b"data: ")[2], None))


class ConvertedStream(Iterator[Event]):
    """An iterator over the events of an answer in the other dialect."""

    def __init__(self, chunks: Iterable[Any], conversion: _Conversion[Event]) -> None:
        self._chunks = iter(chunks)
        self._conversion = conversion

    @property
    def answer(self) -> Any:
        """The answer as far as it has grown; at the end it is what the finished answer would have become."""
        return self._conversion.answer

    @property
    def losses(self) -> list[Loss]:
        """What was lost of the answer so far."""
        return self._conversion.losses

    def __iter__(self) -> ConvertedStream[Event]:
        return self

    def __next__(self) -> Event:
        conversion = self._conversion
        while not conversion.events:
            if conversion.is_over:
                raise StopIteration
            try:
                chunk = next(self._chunks)
            except StopIteration:
                conversion.finish()
            else:
                conversion.feed(chunk)
        return conversion.events.popleft()


class AsyncConvertedStream(AsyncIterator[Event]):
    """The same iterator for pieces that are awaited."""

    def __init__(self, chunks: AsyncIterable[Any], conversion: _Conversion[Event]) -> None:
        self._chunks = aiter(chunks)
        self._conversion = conversion

    @property
    def answer(self) -> Any:
        """The answer as far as it has grown; at the end it is what the finished answer would have become."""
        return self._conversion.answer

    @property
    def losses(self) -> list[Loss]:
        """What was lost of the answer so far."""
        return self._conversion.losses

    def __aiter__(self) -> AsyncConvertedStream[Event]:
        return self

    async def __anext__(self) -> Event:
        conversion = self._conversion
        while not conversion.events:
            if conversion.is_over:
                raise StopAsyncIteration
            try:
                chunk = await anext(self._chunks)
            except StopAsyncIteration:
                conversion.finish()
            else:
                conversion.feed(chunk)
        return conversion.events.popleft()


def _iterator(chunks: Any, conversion: _Conversion[Any]) -> Any:
    if isinstance(chunks, (bytes, bytearray, str)):
        chunks = [chunks]
    if isinstance(chunks, (Mapping, plain.SupportsModelDump)):
        raise TypeError("a stream must be an iterable of pieces, not a single object: is this a finished answer?")
    if isinstance(chunks, Iterable):
        return ConvertedStream(chunks, conversion)
    if isinstance(chunks, AsyncIterable):
        return AsyncConvertedStream(chunks, conversion)
    raise TypeError(f"a stream must be an iterable of pieces, not a {type(chunks).__name__}")


def _bytes(chunk: Any) -> bytes:
    if isinstance(chunk, bytes):
        return chunk
    if isinstance(chunk, (bytearray, memoryview)):
        return bytes(chunk)
    if isinstance(chunk, str):
        return chunk.encode("utf-8", "replace")
    return sse.data(plain.read(chunk, "chunk", UpstreamError))


def _decoded(data: bytes) -> Any:
    try:
        return json.decode(data)
    except ValueError:
        return None
