"""The client behind an ASGI connection: what it was sent so far, and one writer at a time."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from time import monotonic

import anyio

from ...translator import Body, TranslationError, encode_json
from ..asgi.types import CLIENT_GONE, Headers, Send
from .sink import ClientGone

_KEEPALIVE = b": keep-alive\n\n"


class ClientWriter:
    """A `Sink` that writes ASGI messages and remembers what it wrote."""

    def __init__(self, send: Send) -> None:
        self.status: int = 0
        self.done: bool = False
        self.gone: bool = False
        self.busy_since: float = 0.0
        self.sent_at: float = monotonic()
        self._send = send
        self._waiting: deque[anyio.Event] = deque()

    @property
    def started(self) -> bool:
        """Whether the client has a status line: from then on, errors go into the body."""
        return self.status != 0

    def leave(self) -> None:
        """The client has disconnected."""
        self.gone = True

    async def open(self, headers: Headers, frames: Sequence[bytes], more: bool = True) -> None:
        """Send the head of an event stream and its first frames, in one turn."""
        await self._send_head(200, headers, b"".join(frames), more)

    async def write(self, frames: Sequence[bytes], more: bool = True) -> None:
        """Send one piece of the body; the last one has *more* false."""
        if self.busy_since or self.gone:
            await self._wait()
        data = frames[0] if len(frames) == 1 else b"".join(frames)
        self.done = not more
        self.busy_since = monotonic()
        try:
            await self._send({"type": "http.response.body", "body": data, "more_body": more})
        except OSError:
            self.gone = True
            raise
        finally:
            self.busy_since, self.sent_at = 0.0, monotonic()
            if self._waiting:
                self._hand_over()

    async def keep_alive(self) -> None:
        """Send a comment, unless something else is being sent, or all has been."""
        if not (self.busy_since or self.done):
            await self.write([_KEEPALIVE])

    async def json(self, body: Body, headers: Headers) -> None:
        """Send a whole answer."""
        await self._send_whole(200, body.data, headers)

    async def error(self, error: TranslationError, headers: Headers) -> None:
        """Send a whole error, as both APIs do over HTTP."""
        await self._send_whole(error.status, encode_json(error.body()), headers)

    async def close(self) -> None:
        """Send an empty answer to a client that left before it got anything.

        Nobody gets it, but some hosts (`BaseHTTPMiddleware`) raise when an application sends nothing at all (W43).
        """
        if self.gone and not self.status:
            with suppress(OSError):
                self.gone = False
                await self._send_whole(CLIENT_GONE, b"", [])
            self.gone, self.status = True, 0

    async def _send_whole(self, status: int, body: bytes, headers: Headers) -> None:
        own = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
        await self._send_head(status, [*headers, *own], body, more=False)

    async def _send_head(self, status: int, headers: Headers, body: bytes, more: bool) -> None:
        """Send a head and what follows it. If that is cancelled, nobody knows what the client has: nothing follows."""
        if self.busy_since or self.gone:
            await self._wait()
        self.status = status
        self.busy_since = monotonic()
        try:
            await self._send({"type": "http.response.start", "status": status, "headers": headers})
        except OSError:
            self.gone, self.status = True, 0
            self._end_turn()
            raise
        except BaseException:
            self.gone = True
            self._end_turn()
            raise
        self.done = not more
        try:
            await self._send({"type": "http.response.body", "body": body, "more_body": more})
        except BaseException:
            self.gone = True
            raise
        finally:
            self._end_turn()

    def _end_turn(self) -> None:
        self.busy_since, self.sent_at = 0.0, monotonic()
        if self._waiting:
            self._hand_over()

    async def _wait(self) -> None:
        """Wait for all who came before; raises ClientGone."""
        if self.busy_since:
            turn = anyio.Event()
            self._waiting.append(turn)
            try:
                await turn.wait()
            except BaseException:
                if turn.is_set():
                    self._hand_over()
                else:
                    self._waiting.remove(turn)
                raise
        if self.gone:
            self._hand_over()
            raise ClientGone("the client has disconnected")

    def _hand_over(self) -> None:
        """Whoever waits longest is next; nobody who comes later gets in between."""
        if self._waiting:
            self.busy_since = monotonic()
            self._waiting.popleft().set()
        else:
            self.busy_since = 0.0
