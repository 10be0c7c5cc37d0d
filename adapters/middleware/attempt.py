"""One call of the upstream's application: its messages go to an `AnswerReader`, whose actions go to the client."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from time import monotonic
from typing import Any, Generic, TypeVar

import anyio

from ...translator import (
    AnswerReader,
    Body,
    Data,
    Failed,
    ProtocolMisuse,
    Retry,
    TranslationError,
    UpstreamError,
)
from ..asgi import answer_headers
from ..asgi.encodings import Decoder, UnknownEncoding
from ..asgi.types import Headers, Message, without
from ..limits import Limits
from .sink import Sink
from .upstream_scope import DisconnectSignal

Frame = TypeVar("Frame")
_Action = Data[Frame] | Body | Failed | Retry
Keep = Callable[[dict[str, Any]], Awaitable[bool]]
"""Stores an answer; returns whether the client may be told that it is stored."""


class UpstreamAttempt(Generic[Frame]):
    """One call of the application, whose ``send`` is :meth:`send`.

    ``complete`` means that the application has sent its whole answer; ``ended_at`` is when the client got the last of
    it. *changed* is called when a deadline has moved nearer, and when the answer is complete; *release* when a stream
    begins and the request is no longer needed; *check* before a refusal that may lead to a retry is read: it raises
    what is wrong with the request; *keep* before the client gets the end of its answer.
    """

    def __init__(
        self,
        reader: AnswerReader[Frame],
        sink: Sink[Frame],
        limits: Limits,
        *,
        changed: Callable[[], None],
        check: Callable[[], Awaitable[None]],
        release: Callable[[], None],
        keep: Keep | None = None,
    ) -> None:
        self.reader: AnswerReader[Frame] = reader
        self.disconnect: DisconnectSignal = DisconnectSignal()
        self.retry: Retry | None = None
        """What to do for another try, if there should be one."""
        self.received_at: float = monotonic()
        """When the upstream last sent anything."""
        self.content_at: float = self.received_at
        """When it last sent more than comments and blank lines."""
        self.finishing_at: float = 0.0
        """Since when the answer is complete but for what may follow it; 0 until then."""
        self.ended_at: float = 0.0
        self.complete: bool = False
        self.read_seconds: float = 0.0
        """How long it took to translate an answer that is no stream."""
        self._sink = sink
        self._limits = limits
        self._changed = changed
        self._check = check
        self._release = release
        self._keep = keep
        self._is_stored = True
        self._headers: Headers = []
        self._decoder: Decoder | None = None
        self._is_encoded = False
        self._encoded_size = 0

    async def send(self, message: Message) -> None:
        """Take one message of the application; returns when the client has been sent what follows from it."""
        kind = message["type"]
        if kind == "http.response.body":
            self.complete = last = not message.get("more_body")
            if not self.ended_at:
                data = message.get("body", b"")
                if data.__class__ is not bytes:  # ASGI says bytes; Starlette also sends memoryviews
                    data = bytes(data)
                if self._is_encoded:
                    await self._feed_encoded(data, last)
                elif last:
                    await self._feed_last(data)
                else:
                    action = self.reader.feed(data)
                    if isinstance(action, Data) and self.reader.goes_on and isinstance(action.frames, list):
                        await self._sink.write(action.frames)  # nearly always
                        self.received_at = self.content_at = self._sink.sent_at
                        return
                    await self._perform(action)
        elif kind == "http.response.start":
            self._start(message)
        if self.complete:
            self._changed()
        self.received_at = monotonic()

    async def begin(self) -> None:
        """Begin the client's stream before the upstream has sent anything."""
        await self._perform(self.reader.begin())

    async def finish(self) -> None:
        """End the answer without waiting for what may still follow."""
        await self._perform(self.reader.finish())

    async def fail(self, error: TranslationError) -> None:
        """End the answer with an error: as a status, or within the stream that has begun."""
        await self._perform(self.reader.fail(error))

    async def keep_alive(self) -> None:
        """Keep the client's connection open, even before the upstream has sent anything."""
        if not self.reader.started:
            await self.begin()
        await self._sink.keep_alive()

    def _start(self, message: Message) -> None:
        self._headers = without(message.get("headers", ()), ())
        headers = dict(self._headers)
        if encoding := headers.get(b"content-encoding"):
            try:
                self._decoder = Decoder.of(encoding)
                self._is_encoded = self._decoder is not None
            except UnknownEncoding:
                self._is_encoded = True
        kind, location = headers.get(b"content-type", b""), headers.get(b"location", b"")
        self.reader.head(message["status"], kind.decode("latin-1"), location.decode("latin-1"))
        if self.reader.accepted and self.reader.streams:
            self._release()

    async def _feed_last(self, data: bytes) -> None:
        reader = self.reader
        try:
            if reader.may_teach:
                await self._check()
            began = monotonic()
            if reader.takes_long(data, True):
                action = await anyio.to_thread.run_sync(reader.feed, data, True)
            else:
                action = reader.feed(data, True)
            if not reader.streams:
                self.read_seconds = monotonic() - began
        except ProtocolMisuse:  # a body before its head
            raise
        except TranslationError as error:
            action = reader.fail(error)
        await self._perform(action)

    # Answers that are compressed although none was asked for

    async def _feed_encoded(self, data: bytes, last: bool) -> None:
        """Decode in steps, so that other requests get their turn. Of an error, what can be decoded is enough."""
        reader = self.reader
        self._encoded_size += len(data)
        limit = self._limits.max_stream if reader.streams else self._limits.max_answer
        if reader.accepted and self._encoded_size > limit:
            await self.fail(UpstreamError(f"The upstream's answer is larger than {limit} bytes."))
        elif self._decoder is not None and self._encoded_size <= limit:
            try:
                for piece in self._decoder.steps(data):
                    await self._perform(reader.feed(piece))
                    if reader.ended:
                        return
                    await anyio.lowlevel.checkpoint()
            except ValueError:
                self._decoder = None
        if self._decoder is None and reader.accepted:
            await self.fail(UpstreamError("The upstream compressed its answer although it was asked not to."))
        elif last:
            await self._feed_last(b"")

    # To the client

    async def _perform(self, action: _Action[Frame] | None) -> None:
        while action is not None:
            try:
                await self._deliver(action)
                action = None
            except TranslationError as error:  # raised by frames that are made one by one
                action = self.reader.fail(error)
        if self.reader.ended:
            self._note_end()
        else:
            self._note_progress()

    def _note_progress(self) -> None:
        """Note whether the upstream was silent; wait for what may follow, or wait anew if more came (W1)."""
        reader = self.reader
        if not reader.was_silent:
            self.content_at = monotonic()
        if reader.finishing and not (reader.was_silent and self.finishing_at):
            self.finishing_at = monotonic()
            self._changed()

    def _note_end(self) -> None:
        if not self.ended_at:
            self.ended_at = monotonic()
            if not self.complete:  # otherwise no deadline is left
                self._changed()

    async def _deliver(self, action: _Action[Frame]) -> None:
        if isinstance(action, Data):
            await self._write(action.frames)
        elif isinstance(action, Body):
            if self._keep is not None and not await self._is_kept(action.answer):
                action = Body.of(self.reader.exchange.not_stored(action.answer))
            await self._sink.json(action, answer_headers.of_body(self._headers, self._losses))
        elif isinstance(action, Failed):
            await self._sink.error(action.error, answer_headers.of_body(self._headers, self._losses))
        else:
            self.retry = action

    async def _is_kept(self, answer: dict[str, Any]) -> bool:
        """Whether the client may be told what its *answer* says of being stored; asked once."""
        keep, self._keep = self._keep, None
        return keep is None or self._sink.gone or await keep(answer)

    async def _write(self, frames: Iterable[Frame]) -> None:
        if isinstance(frames, list):
            if self._keep is not None and self.reader.concluded:
                self._is_stored = await self._is_kept(self.reader.conclusion)
            if not self._is_stored:
                frames = list(map(self.reader.not_stored, frames))
            await self._write_now(frames, more=not self.reader.ended)  # as it is now: it may end while this is written
            return
        for frame in frames:  # one by one, because they may be large
            if self._keep is not None and self.reader.concluded:
                self._is_stored = await self._is_kept(self.reader.conclusion)
            await self._write_now([frame if self._is_stored else self.reader.not_stored(frame)])
        if self.reader.ended:
            await self._write_now([], more=False)

    async def _write_now(self, frames: list[Frame], more: bool = True) -> None:
        if self._sink.started:
            await self._sink.write(frames, more)
        else:
            await self._sink.open(answer_headers.of_stream(self._headers, self._losses), frames, more)

    @property
    def _losses(self) -> str:
        return self.reader.exchange.report.header()
