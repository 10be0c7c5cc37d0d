"""What the upstream's application sends, turned into what the client gets."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterator
from time import monotonic
from typing import Any

import anyio

from ...translator import Exchange, FrameStream, Profile, TranslationError, UpstreamError, decode_json, encode_json
from ..asgi.encodings import UnknownEncoding, Unpacker
from ..asgi.types import ABOUT_THE_BODY, Headers, Message, without
from ..limits import Limits
from . import diagnostics
from .client_writer import Outlet

KEEPALIVE = b": keep-alive\n\n"
_STREAM_HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-cache"),
    (b"x-accel-buffering", b"no"),
]
_MAY_TEACH = (400, 422, 500)
_LARGE = 2**20
"""A stream of more bytes may end with frames that are better not all there at once."""
_BOM = b"\xef\xbb\xbf"
_LINES = re.compile(rb"}\s*\n\s*{")
"""Between two values that stand one below the other (NDJSON)."""
_FIELDS = b":deir"  # how the lines of an event stream begin: a comment, data, event, id, retry


Body = Callable[["Relay", bytes, bool], Awaitable[None] | None]
"""Takes a piece of the body, and whether it is the last one. What it returns tells the client what follows from it."""


class Relay:
    """One call of the application: its ``send`` is :meth:`send`.

    ``over`` means that the client has all that it will get of this call; ``complete`` that the application has sent all
    of its answer; ``learned`` is a profile to try again with, if *learn* finds one in a refusal. *changed* is called
    when a deadline has moved nearer, and when the answer is complete; *release* when a stream begins, and nobody needs
    the request any more.
    """

    def __init__(
        self,
        exchange: Exchange,
        outlet: Outlet,
        limits: Limits,
        changed: Callable[[], None],
        learn: Callable[[int, bytes], Awaitable[Profile | None]],
        release: Callable[[], None],
    ) -> None:
        self.exchange = exchange
        self.stream = exchange.stream(max_line=limits.max_line) if exchange.streaming else None
        self.learned: Profile | None = None
        self.error: TranslationError | None = None
        self.answer: dict[str, object] = {}
        self.heard_at = self.told_at = monotonic()
        self.finishing_at = 0.0
        self.over_at = 0.0
        self.complete = False
        self._outlet = outlet
        self._limits = limits
        self._changed = changed
        self._learn = learn
        self._release = release
        self._status = 0
        self._headers: Headers = []
        self._pieces: list[bytes] = []
        self._size = 0
        self._unpacker: Unpacker | None = None
        self._packed = 0
        self._gathered: FrameStream | None = None
        self._body: Body = Relay._collect

    @property
    def heard(self) -> bool:
        """Whether the upstream has said anything."""
        return self._status != 0

    @property
    def over(self) -> bool:
        """Whether the client has all that it will get of this call."""
        return self.over_at != 0

    @property
    def patience(self) -> float:
        """How long to wait for what may follow the end of an answer."""
        stream = self.stream or self._gathered
        is_failing = stream is not None and stream.failing
        return self._limits.after_failure if is_failing else self._limits.after_finish

    @property
    def accepted(self) -> bool:
        """Whether the upstream has taken the request."""
        return 200 <= self._status < 300

    @property
    def in_vain(self) -> bool:
        """Whether nobody needs what the upstream still does: after an error, or when the stream was cut short here."""
        return self.error is not None or (self.stream is not None and self.stream.cut_short)

    async def send(self, message: Message) -> None:
        """Take one message of the application; returns when the client has what follows from it."""
        outlet = self._outlet
        if outlet.turn is not None:
            await outlet.free()
        kind = message["type"]
        try:
            if kind == "http.response.body":
                self.complete = not message.get("more_body")
                if not self.over_at:
                    body = self._body if self._unpacker is None else Relay._unpacked
                    data = message.get("body", b"")
                    if data.__class__ is not bytes:  # ASGI says bytes; Starlette also sends memoryviews
                        data = bytes(data)
                    telling = body(self, data, self.complete)
                    if telling is not None:
                        await telling
                        self.heard_at = self.told_at = outlet.sent_at
                        if not self.complete:
                            return
            elif kind == "http.response.start":
                self._start(message)
        except TranslationError as error:
            await self.fail(error)
        if self.complete:
            self._changed()
        self.heard_at = monotonic()

    def _start(self, message: Message) -> None:
        self._status = message["status"]
        self._headers = without(message.get("headers", ()), ())
        headers = dict(self._headers)
        try:
            self._unpacker = Unpacker.of(headers.get(b"content-encoding", b""))
        except UnknownEncoding:
            self._body = Relay._unreadable
            return
        if not self.accepted:
            return
        streams = b"text/event-stream" in headers.get(b"content-type", b"").lower()
        if self.stream is not None:
            self._let_go(self.stream)
            self._body = Relay._stream if streams else Relay._guess
        else:
            self._body = Relay._gather if streams else Relay._guess

    def _let_go(self, stream: FrameStream) -> None:
        """A stream may take an hour, and needs no more of its request than what is said again in the answer."""
        self._learn = learn_nothing
        self._release()
        self.exchange.release()
        stream.release()

    async def _unpacked(self, data: bytes, last: bool) -> None:
        """Undo a compression that nobody asked for, in steps: between them, others have their turn."""
        self._packed += len(data)
        limit = self._limits.max_stream if self.stream is not None else self._limits.max_answer
        if self.accepted and self._packed > limit:
            raise UpstreamError(f"The upstream's answer is larger than {limit} bytes.")
        for piece in self._plain(data if self._packed <= limit else b""):
            await self._told(piece, False)
            if self.over_at:
                return
            await anyio.lowlevel.checkpoint()
        await self._told(b"", last)

    async def _told(self, data: bytes, last: bool) -> None:
        telling = self._body(self, data, last)
        if telling is not None:
            await telling

    def _plain(self, data: bytes) -> Iterator[bytes]:
        """The steps in which *data* comes out; of an error, what can be read is enough."""
        assert self._unpacker is not None
        try:
            yield from self._unpacker.steps(data)
        except ValueError:
            self._unreadable(b"", False)

    def _unreadable(self, data: bytes, last: bool) -> Awaitable[None] | None:
        """Nothing can be made of an answer; an error says what its status says."""
        if self.accepted:
            raise UpstreamError("The upstream compressed its answer although it was asked not to.")
        return self._refused(b"") if last else None

    # A stream

    def _stream(self, data: bytes, last: bool) -> Awaitable[None] | None:
        stream = self.stream
        assert stream is not None
        self._size += len(data)
        if self._size > self._limits.max_stream:
            raise UpstreamError(f"The upstream's stream is longer than {self._limits.max_stream} bytes.")
        if self._size > _LARGE:
            return self._emit_each(stream.each(data, last))
        frames = stream.feed(data)
        if last and not stream.ended:
            frames = [*frames, *stream.finish()]
        if stream.finishing and frames:
            self.finishing_at = 0.0  # more came: the wait for the rest begins anew (W1)
        if stream.ended or stream.finishing:
            return self._emit(frames)
        if not frames:
            return None
        if not self._outlet.status:
            return self._emit(frames)
        return self._outlet.write(frames[0] if len(frames) == 1 else b"".join(frames))

    async def _emit(self, frames: list[bytes]) -> None:
        """Send frames with which the stream may begin or end."""
        stream = self.stream
        assert stream is not None
        if frames:
            if not self._outlet.started:
                await self._outlet.open(200, self._kept(_STREAM_HEADERS))
            await self._outlet.write(b"".join(frames), not stream.ended)
        self._note_end(stream)

    async def _emit_each(self, frames: Iterator[bytes]) -> None:
        """Send frames that may be large, one after the other."""
        stream = self.stream
        assert stream is not None
        for frame in frames:
            self.finishing_at = 0.0  # more came (W1)
            if not self._outlet.started:
                await self._outlet.open(200, self._kept(_STREAM_HEADERS))
            await self._outlet.write(frame)
        if stream.ended:
            await self._outlet.write(b"", more=False)
        self._note_end(stream)

    def _note_end(self, stream: FrameStream) -> None:
        if stream.ended:
            self._finished(stream.answer)
        else:
            self._note_finish(stream)

    def _note_finish(self, stream: FrameStream) -> None:
        if stream.finishing and not self.finishing_at:
            self.finishing_at = monotonic()
            self._changed()

    def _guess(self, data: bytes, last: bool) -> Awaitable[None] | None:
        """Not every server names its event stream so, or its JSON: the first byte decides."""
        first = data.removeprefix(_BOM).lstrip()[:1]
        if not (first or last):
            return None
        if first == b"<":
            raise diagnostics.no_answer(self.exchange, self._headers)
        if self.stream is not None:
            self._body = Relay._collect if first in (b"{", b"[") else Relay._stream
        else:
            self._body = Relay._gather if first and first in _FIELDS else Relay._collect
        return self._body(self, data, last)

    async def keep_alive(self) -> None:
        """Let the client and all proxies know that this stream lives, even before the upstream has said anything."""
        assert self.stream is not None
        frames = [] if self.stream.started else self.stream.start()
        await self._emit([*frames, KEEPALIVE])

    async def finish(self) -> None:
        """End the stream: the answer is there, what could still follow is not worth waiting for."""
        try:
            if self.stream is not None:
                await self._emit_each(self.stream.each(b"", last=True))
                return
            telling = self._gather(b"", True)
            assert telling is not None  # it has ended now
            await telling
        except TranslationError as error:
            await self.fail(error)

    def _gather(self, data: bytes, last: bool) -> Awaitable[None] | None:
        """Some servers always stream (transformers serve): the client that did not ask for it gets the answer whole."""
        if not self.exchange.can_collect_stream:
            raise UpstreamError("The upstream sent an event stream although none was asked for.")
        stream = self._gathered = self._gathered or self.exchange.stream(max_line=self._limits.max_line)
        self._size += len(data)
        if self._size > self._limits.max_answer:
            raise UpstreamError(f"The upstream's answer is larger than {self._limits.max_answer} bytes.")
        if stream.feed(data):
            self.told_at = monotonic()
            self.finishing_at = 0.0  # more came (W1)
        if last and not stream.ended:
            stream.finish()
        if stream.failure is not None:
            raise stream.failure
        if stream.ended:
            return self._answer(stream.answer)
        self._note_finish(stream)
        return None

    async def _answer(self, answer: dict[str, object]) -> None:
        await self._outlet.json(200, answer, self._kept())
        self._finished(answer)

    # A whole body

    def _collect(self, data: bytes, last: bool) -> Awaitable[None] | None:
        good = self.accepted
        if data.strip():
            self.told_at = monotonic()
        limit = self._limits.max_answer if good else self._limits.max_error
        self._pieces.append(data[: max(0, limit - self._size)])
        self._size += len(data)
        if good and self._size > limit:
            raise UpstreamError(f"The upstream's answer is larger than {limit} bytes.")
        if not last:
            return None
        return (self._whole if good else self._refused)(b"".join(self._pieces))

    async def _refused(self, body: bytes) -> None:
        if self._status in _MAY_TEACH and not self._outlet.started:
            self.learned = await self._learn(self._status, body)
        if self.learned is not None:
            self._finished({})
            return
        raise diagnostics.refusal(self.exchange, self._status, self._headers, body)

    def _whole(self, body: bytes) -> Awaitable[None] | None:
        if len(body) > _LARGE:
            return self._large(body)
        try:
            value = decode_json(body)
        except ValueError as error:
            if _LINES.search(body) is None:
                raise diagnostics.no_answer(self.exchange, self._headers, error) from None
            self._size = 0
            return (Relay._stream if self.stream else Relay._gather)(self, body, True)  # one JSON value in each line
        return self._as_stream(encode_json(value)) if self.stream else self._answer(self.exchange.answer(value))

    def _decoded(self, body: bytes) -> Any:
        try:
            return decode_json(body)
        except ValueError as error:
            raise diagnostics.no_answer(self.exchange, self._headers, error) from None

    def _as_stream(self, encoded: bytes) -> Awaitable[None] | None:
        return self._stream(b"data: %b\n\ndata: [DONE]\n\n" % encoded, True)

    async def _large(self, body: bytes) -> None:
        """What is large is decoded and translated beside the event loop."""

        def translated() -> tuple[dict[str, Any], bytes]:
            value = self._decoded(body)
            answer = value if self.stream else self.exchange.answer(value)
            return answer, encode_json(answer)

        answer, encoded = await anyio.to_thread.run_sync(translated)
        if self.stream is None:
            await self._outlet.body(200, encoded, self._kept())
            self._finished(answer)
        else:
            telling = self._as_stream(encoded)
            assert telling is not None  # it has ended now
            await telling

    # Ends

    async def fail(self, error: TranslationError) -> None:
        """End the exchange with an error, in the way that is still open."""
        if self.over_at:
            return
        self.error = error
        stream = self.stream
        if stream is None or not self._outlet.started:
            await self._outlet.error(error, self._kept())
            self._finished({})
        else:
            await self._emit(stream.finish() if stream.finishing else stream.fail(error))

    def _finished(self, answer: dict[str, object]) -> None:
        self.answer = answer
        self.over_at = monotonic()
        if not self.complete:  # else nothing is due any more
            self._changed()

    def _kept(self, own: Headers | None = None) -> Headers:
        """The upstream's headers that are still true, and *own* ones."""
        mine = list(own or ())
        if losses := self.exchange.report.header():
            mine.append((b"diglot-losses", losses.encode("latin-1", "replace")))
        return [*without(self._headers, {*ABOUT_THE_BODY, *(key for key, _ in mine)}), *mine]


async def learn_nothing(status: int, body: bytes) -> Profile | None:
    """What a request teaches that was accepted, or that was tried often enough."""
