"""Bounds of a client's connection: for clients that send slowly, send too much, or do not read.

uvicorn has none of them. Its two HTTP protocols get them in `protocol_httptools.py` and `protocol_h11.py`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec

from ..limits import Limits

MAX_HEAD = 64 * 1024
"""Bytes of a request's first line and headers."""
HEAD_TIME = 10.0
"""Seconds for them: they are sent at once; only bodies take their time."""
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
    """What a connection waits for: the end of a request that it expects, and a client that reads what it is sent.

    ``limits`` are those of all connections of this process: the server that it runs sets them.
    """

    limits = Limits()

    def __init__(self, loop: asyncio.AbstractEventLoop, on_timeout: Callable[[], None]) -> None:
        limits = self.limits
        self._head = Timer(loop, min(HEAD_TIME, limits.request), on_timeout)
        self._body = Timer(loop, limits.request, on_timeout)
        self.reader = Timer(loop, limits.stalled + limits.shutdown, self._abort)
        self._transport: asyncio.Transport | None = None

    def open(self, transport: asyncio.Transport) -> None:
        """The connection is there, so a request must come."""
        self._transport = transport
        self.expect_head()

    def close(self) -> None:
        """The connection is gone."""
        self.expect_nothing()
        self.reader.stop()

    def expect_head(self) -> None:
        """A request begins, or should."""
        self._head.start()

    def expect_body(self) -> None:
        """The head of a request is here."""
        self._head.stop()
        self._body.start()

    def expect_nothing(self) -> None:
        """The request is here as a whole."""
        self._head.stop()
        self._body.stop()

    def expect_reader(self) -> None:
        """All was said, or too much at once: what the client does not read keeps even a closed connection open."""
        if self._transport is not None and self._transport.get_write_buffer_size():
            self.reader.start()

    def _abort(self) -> None:
        if self._transport is not None and self._transport.get_write_buffer_size():
            self._transport.abort()


class Timer:
    """Calls *act* unless it is stopped within so many *seconds* of its start."""

    def __init__(self, loop: asyncio.AbstractEventLoop, seconds: float, act: Callable[[], None]) -> None:
        self._loop = loop
        self._seconds = seconds
        self._act = act
        self._handle: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Begin to wait, unless it does already."""
        if self._handle is None:
            self._handle = self._loop.call_later(self._seconds, self._ring)

    def stop(self) -> None:
        """What was waited for is here."""
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def _ring(self) -> None:
        self._handle = None
        self._act()


def refusal(status: int, text: str) -> bytes:
    """Return the answer to a request that no application is to see; the connection closes after it."""
    body = text.encode()
    return b"HTTP/1.1 %d %b\r\ncontent-type: text/plain\r\ncontent-length: %d\r\nconnection: close\r\n\r\n%b" % (
        status,
        _PHRASES[status],
        len(body),
        body,
    )


def http_protocol() -> type[asyncio.Protocol]:
    """Return uvicorn's protocol with bounds, for the fastest parser that is installed."""
    name, class_name = _HTTPTOOLS if find_spec("httptools") else _H11
    protocol: type[asyncio.Protocol] = getattr(import_module(name, __package__), class_name)
        import_module(f".protocol_{name}", __package__), f"Bounded{kind}Protocol"
    )
    return protocol
