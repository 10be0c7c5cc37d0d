"""The client behind an ASGI connection: what it was sent so far, and one writer at a time."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from time import monotonic

import anyio

from ...translator import Body, TranslationError, encode_json
from ..asgi.types import Headers, Send
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
            if self._free is not None:
                self._set_free()

    async def keep_alive(self) -> None:
        """Send a comment."""
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
        await self._send_head(status, [*headers, *own])
        await self.write([body], more=False)

    async def _send_head(self, status: int, headers: Headers) -> None:
        if self.busy_since or self.gone:
            await self._wait()
        self.status = status
        self.busy_since = monotonic()
        try:
            await self._send({"type": "http.response.start", "status": status, "headers": headers})
        except OSError:
            self.gone, self.status = True, 0
            raise
        finally:
            self.busy_since, self.sent_at = 0.0, monotonic()
            self._set_free()

    async def _wait(self) -> None:
        """Wait for whoever is writing; raises ClientGone."""
        while self.busy_since:
            if self._free is None:
                self._free = anyio.Event()
            await self._free.wait()
        if self.gone:
            raise ClientGone("the client has disconnected")

    def _set_free(self) -> None:
        if self._free is not None:
            self._free.set()
            self._free = None
