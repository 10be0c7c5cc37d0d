"""Limits of a client's connection: for clients that send slowly, send too much, or do not read.

uvicorn has none of them. Its two HTTP protocols get them in `protocol_httptools.py` and `protocol_h11.py`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec

from ..limits import Limits

MAX_HEAD = 64 * 1024
"""Maximum bytes of a request's first line and headers."""
HEAD_TIME = 10.0
"""Maximum seconds for them; only bodies may take longer."""
HEAD_TOO_LARGE = f"The first line and the headers of the request are larger than {MAX_HEAD} bytes."
TIMEOUT = "The request took too long to arrive."
_HTTPTOOLS = (".protocol_httptools", "BoundedHttpToolsProtocol")
_H11 = (".protocol_h11", "BoundedH11Protocol")
_PHRASES = {
    400: b"Bad Request",
    405: b"Method Not Allowed",
    408: b"Request Timeout",
    431: b"Request Header Fields Too Large",
}


class ConnectionTimers:
    """The timers of a connection: for the head and the body of a request, and for a client that has to read.

    ``limits`` apply to all connections of the process; the server sets them.
    """

    limits: Limits = Limits()

    def __init__(self, loop: asyncio.AbstractEventLoop, on_timeout: Callable[[], None]) -> None:
        limits = self.limits
        self._head = Timer(loop, min(HEAD_TIME, limits.request), on_timeout)
        self._body = Timer(loop, limits.request, on_timeout)
        self.reader: Timer = Timer(loop, limits.stalled + limits.shutdown, self._abort)
        self._transport: asyncio.Transport | None = None

    def open(self, transport: asyncio.Transport) -> None:
        """The connection is open, so a request must come."""
        self._transport = transport
        self.expect_head()

    def close(self) -> None:
        """The connection is closed."""
        self.expect_nothing()
        self.reader.stop()

    def expect_head(self) -> None:
        """A request begins, or should."""
        self._head.start()

    def expect_body(self) -> None:
        """The head of a request has arrived."""
        self._head.stop()
        self._body.start()

    def expect_nothing(self) -> None:
        """The whole request has arrived."""
        self._head.stop()
        self._body.stop()

    def expect_reader(self) -> None:
        """The client must read what is buffered: unread data keeps even a closed connection open."""
        if self._transport is not None and self._transport.get_write_buffer_size():
            self.reader.start()

    def _abort(self) -> None:
        if self._transport is not None and self._transport.get_write_buffer_size():
            self._transport.abort()


class Timer:
    """Calls *act* unless it is stopped within *seconds* of its start."""

    def __init__(self, loop: asyncio.AbstractEventLoop, seconds: float, act: Callable[[], None]) -> None:
        self._loop = loop
        self._seconds = seconds
        self._act = act
        self._handle: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Start the timer, unless it is running."""
        if self._handle is None:
            self._handle = self._loop.call_later(self._seconds, self._ring)

    def stop(self) -> None:
        """Stop the timer."""
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def _ring(self) -> None:
        self._handle = None
        self._act()


def refusal(status: int, text: str) -> bytes:
    """Return the answer to a request that is refused before it reaches the application; the connection then closes."""
    body = text.encode()
    return b"HTTP/1.1 %d %b\r\ncontent-type: text/plain\r\ncontent-length: %d\r\nconnection: close\r\n\r\n%b" % (
        status,
        _PHRASES[status],
        len(body),
        body,
    )


def http_protocol() -> type[asyncio.Protocol]:
    """Return uvicorn's protocol with limits, for the fastest parser that is installed."""
    name, class_name = _HTTPTOOLS if find_spec("httptools") else _H11
    protocol: type[asyncio.Protocol] = getattr(import_module(name, __package__), class_name)
    return protocol
