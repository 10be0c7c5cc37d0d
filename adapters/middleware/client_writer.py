"""The client behind an ASGI connection: what it was sent so far, and one writer at a time."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from time import monotonic

import anyio

from ...translator import Body, TranslationError, encode_json
from ..asgi.types import Headers, Message, Send
from .sink import ClientGone

CLIENT_GONE = 499
"""The status that is recorded when the client disconnected before it got one."""
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
        self._free: anyio.Event | None = None  # made by the first writer that has to wait

    @property
    def started(self) -> bool:
        """Whether the client has a status line: from then on, errors go into the body."""
        return self.status != 0

    def leave(self) -> None:
        """The client has disconnected."""
        self.gone = True

    async def open(self, headers: Headers) -> None:
        """Send the head of an event stream."""
        await self._send_head(200, headers)

    async def write(self, frames: Sequence[bytes], more: bool = True) -> None:
        """Send one piece of the body; the last one has *more* false."""
        await self._send_body(frames[0] if len(frames) == 1 else b"".join(frames), more)

    async def keep_alive(self) -> None:
        """Send a comment."""
        await self._send_body(_KEEPALIVE, True)

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
        await self._send_head(status, [*headers, *own])
        await self._send_body(body, False)

    async def _send_head(self, status: int, headers: Headers) -> None:
        self.status = status
        try:
            await self._send_message({"type": "http.response.start", "status": status, "headers": headers})
        except OSError:
            self.status = 0
            raise

    async def _send_body(self, data: bytes, more: bool) -> None:
        self.done = not more
        await self._send_message({"type": "http.response.body", "body": data, "more_body": more})

    async def _send_message(self, message: Message) -> None:
        while self.busy_since:
            await self._wait()
        if self.gone:
            raise ClientGone("the client has disconnected")
        self.busy_since = monotonic()
        try:
            await self._send(message)
        except OSError:
            self.gone = True
            raise
        finally:
            self.busy_since, self.sent_at = 0.0, monotonic()
            if self._free is not None:
                self._free.set()
                self._free = None

    async def _wait(self) -> None:
        if self._free is None:
            self._free = anyio.Event()
        await self._free.wait()
