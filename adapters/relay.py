"""What the upstream's application sends, turned into what the client gets."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from time import monotonic

from ..translator import BadUpstream, Exchange, FrameStream, Profile, TranslationError, decode_json, encode_json
from . import explain
from .asgi_types import ABOUT_THE_BODY, Headers, Message, without
from .encodings import TooLarge, Unpacker
from .limits import Limits
from .outlet import Outlet

KEEPALIVE = b": keep-alive\n\n"
_STREAM_HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-cache"),
    (b"x-accel-buffering", b"no"),
]
_MAY_TEACH = (400, 422)


Body = Callable[["Relay", bytes, bool], Awaitable[None] | None]
"""Takes a piece of the body, and whether it is the last one. What it returns tells the client what follows from it."""


class Relay:
    """One call of the application: its ``send`` is :meth:`send`.

    ``over`` means that the client has all that it will get of this call; ``complete`` that the application has sent all
    of its answer; ``learned`` is a profile to try again with, if *learn* finds one in a refusal. *changed* is called
    when a deadline has moved nearer.
    """

    def __init__(
        self,
        exchange: Exchange,
        outlet: Outlet,
        limits: Limits,
        changed: Callable[[], None],
        learn: Callable[[int, bytes], Profile | None],
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
        self._status = 0
        self._headers: Headers = []
        self._pieces: list[bytes] = []
        self._size = 0
        self._unpacker: Unpacker | None = None
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
                    data = message.get("body", b"")
                    body = self._body
                    telling = body(self, data if self._unpacker is None else self._plain(data), self.complete)
                    if telling is not None:
                        await telling
                        self.heard_at = self.told_at = outlet.sent_at
                        return
            elif kind == "http.response.start":
                self._start(message)
        except TranslationError as error:
            await self.fail(error)
        self.heard_at = monotonic()

    def _start(self, message: Message) -> None:
        self._status = message["status"]
        self._headers = without(message.get("headers", ()), ())
        self._unpacker = Unpacker.of(dict(self._headers).get(b"content-encoding", b""))
        if not self.accepted:
            return
        streams = b"text/event-stream" in dict(self._headers).get(b"content-type", b"").lower()
        if self.stream is not None:
            self._body = Relay._stream if streams else Relay._guess
        elif streams:
            if not self.exchange.gathers:
                raise BadUpstream("The upstream sent an event stream although none was asked for.")
            self._gathered = self.exchange.stream(max_line=self._limits.max_line)
            self._body = Relay._gather

    def _plain(self, data: bytes) -> bytes:
        """Undo a compression that nobody asked for; of an error, what can be read is enough."""
        assert self._unpacker is not None
        try:
            return self._unpacker.feed(data, self._limits.max_answer if self.accepted else self._limits.max_error)
        except ValueError as error:
            if not self.accepted:
                return b""
            if isinstance(error, TooLarge):
                raise BadUpstream("The upstream's answer is too large when decompressed.") from None
            raise BadUpstream("The upstream compressed its answer although it was asked not to.") from None

    # A stream

    def _stream(self, data: bytes, last: bool) -> Awaitable[None] | None:
        stream = self.stream
        assert stream is not None
        self._size += len(data)
        if self._size > self._limits.max_stream:
            raise BadUpstream(f"The upstream's stream is longer than {self._limits.max_stream} bytes.")
        frames = stream.feed(data)
        if last and not stream.ended:
            frames = [*frames, *stream.finish()]
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
        if stream.ended:
            self._finished(stream.answer)
        elif stream.finishing and not self.finishing_at:
            self.finishing_at = monotonic()
            self._changed()

    def _guess(self, data: bytes, last: bool) -> Awaitable[None] | None:
        """Not every server names its event stream so: the first byte decides."""
        first = data.lstrip()[:1]
        if first == b"<":
            raise explain.no_answer(self.exchange, self._headers)
        if not (first or last):
            return None
        self._body = Relay._collect if first == b"{" else Relay._stream
        return self._body(self, data, last)

    async def keep_alive(self) -> None:
        """Let the client and all proxies know that this stream lives, even before the upstream has said anything."""
        assert self.stream is not None
        frames = [] if self.stream.started else self.stream.start()
        await self._emit([*frames, KEEPALIVE])

    async def finish(self) -> None:
        """End the stream: the answer is there, what could still follow is not worth waiting for."""
        assert self.stream is not None
        await self._emit(self.stream.finish())

    def _gather(self, data: bytes, last: bool) -> Awaitable[None] | None:
        """Some servers always stream (transformers serve): the client that did not ask for it gets the answer whole."""
        stream = self._gathered
        assert stream is not None
        self._size += len(data)
        if self._size > self._limits.max_answer:
            raise BadUpstream(f"The upstream's answer is larger than {self._limits.max_answer} bytes.")
        if stream.feed(data):
            self.told_at = monotonic()
        if last and not stream.ended:
            stream.finish()
        if stream.failure is not None:
            raise stream.failure
        return self._answer(stream.answer) if stream.ended else None

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
            raise BadUpstream(f"The upstream's answer is larger than {limit} bytes.")
        if not last:
            return None
        return (self._whole if good else self._refused)(b"".join(self._pieces))

    def _refused(self, body: bytes) -> None:
        if self._status in _MAY_TEACH and not self._outlet.started:
            self.learned = self._learn(self._status, body)
        if self.learned is not None:
            self._finished({})
            return
        raise explain.refusal(self.exchange, self._status, self._headers, body)

    def _whole(self, body: bytes) -> Awaitable[None] | None:
        try:
            value = decode_json(body)
        except ValueError as error:
            raise explain.no_answer(self.exchange, self._headers, error) from None
        if self.stream is not None:
            return self._stream(b"data: %b\n\ndata: [DONE]\n\n" % encode_json(value), True)
        return self._answer(self.exchange.answer(value))

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
        elif not stream.ended:
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
