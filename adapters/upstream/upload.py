"""A request body on its way to an upstream: its length is counted, not trusted."""

from __future__ import annotations

from collections.abc import AsyncIterator
from time import monotonic

import anyio

from ...translator import RequestError, UpstreamError
from ..asgi.types import Message, Receive, wrong_length


class Upload:
    """Passes on what *receive* returns, up to *limit* bytes; a *declared* length must match.

    ``done`` is set at the end of the body, at the time ``done_at``.
    """

    def __init__(self, receive: Receive, declared: int | None, limit: int) -> None:
        self.gone: bool = False
        self.done: anyio.Event = anyio.Event()
        self.done_at: float = 0.0
        self._receive = receive
        self._declared = declared
        self._limit = limit
        self._size = 0

    async def content(self) -> bytes | AsyncIterator[bytes] | None:
        """Return the whole body if it comes in one piece, as nearly always; otherwise an iterator over its pieces.

        Both raise RequestError for a body that is too large or has the wrong length, after which the connection of the
        client must be closed, and UpstreamError when the client has disconnected.
        """
        data, more = await self._next()
        return self._pieces(data) if more else data or None

    async def _pieces(self, data: bytes) -> AsyncIterator[bytes]:
        more = True
        while True:
            if data:
                yield data
            if not more:
                return
            data, more = await self._next()

    async def _next(self) -> tuple[bytes, bool]:
        message = await self._receive()
        if message["type"] == "http.disconnect":
            self.gone = True
            self._end()  # also if the answer began before the whole body was sent
            raise UpstreamError("The client has disconnected.")
        return self._count(message)

    def _count(self, message: Message) -> tuple[bytes, bool]:
        data: bytes = message.get("body", b"")
        more: bool = message.get("more_body", False)
        self._size += len(data)
        if self._size > self._limit:
            raise RequestError("The request body is too large.", code="request_too_large", status=413)
        declared = self._declared
        if declared is not None and (self._size > declared or (self._size < declared and not more)):
            raise wrong_length(declared, self._size)
        if not more:
            self._end()
        return data, more

    def _end(self) -> None:
        self.done_at = monotonic()
        self.done.set()
