"""uvicorn's httptools protocol with limits; an offered upgrade is ignored.

The parser takes everything after such an offer for another protocol, even the body of the request (Java's HttpClient
offers h2c by default). So the head is parsed again, without the offer.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Any

import httptools
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from .protocol import HEAD_TOO_LARGE, MAX_HEAD, TIMEOUT, ConnectionTimers, refusal

_OFFERS = (b"upgrade", b"http2-settings")
_PER_HEADER = 4  # a colon, a space, and the end of the line


class _Flow(FlowControl):
    """Reads nothing while pipelined requests wait: applications that listen for a disconnect would have more read."""

    def __init__(self, transport: asyncio.Transport, waiting: deque[Any]) -> None:
        super().__init__(transport)
        self._waiting = waiting

    def resume_reading(self) -> None:
        if not self._waiting:
            super().resume_reading()


class BoundedHttpToolsProtocol(HttpToolsProtocol):
    """One connection."""

    def __init__(self, *args: Any, **settings: Any) -> None:
        super().__init__(*args, **settings)
        self._timers = ConnectionTimers(self.loop, self._time_out)
        self._has_received = self._ignores_input = False
        self._unanswered: deque[RequestResponseCycle] = deque()
        self._in_head = self._in_body = False
        self._head_size = 0
        self._unfinished = 0  # bytes received since the head began, while it is incomplete
        self._offers_upgrade = False
        self._refused_offer = b""

    # The connection

    def connection_made(self, transport: asyncio.Transport) -> None:
        self._timers.open(transport)
        super().connection_made(transport)
        self.flow: FlowControl = _Flow(transport, self.pipeline)

    def connection_lost(self, exc: Exception | None) -> None:
        self._timers.close()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._timers.reader.start()

    def resume_writing(self) -> None:
        self._timers.reader.stop()
        super().resume_writing()

    def on_response_complete(self) -> None:
        self._unanswered.popleft()
        super().on_response_complete()
        self._timers.expect_reader()

    def _time_out(self) -> None:
        if self._earlier():  # what follows them is read only later
            (self._timers.expect_body if self._in_body else self._timers.expect_head)()
        elif self._has_received:
            self._refuse(408, TIMEOUT)
        else:
            self.transport.close()  # opened ahead of time, as browsers do

    def _refuse(self, status: int, text: str) -> None:
        """Close the connection, after answering a request that has no answer yet; earlier requests get theirs first."""
        if self.transport.is_closing():
            return
        if earlier := self._earlier():
            self._stop_behind(earlier[-1])
            return
        has_answer = self.cycle is not None and self.cycle.response_started
        if not has_answer or (self.cycle.response_complete and not self._in_body):
            self.transport.write(refusal(status, text))
        self.transport.close()
        self._timers.expect_reader()

    def _earlier(self) -> list[RequestResponseCycle]:
        """Return the unanswered requests before the one that is being read."""
        return [cycle for cycle in self._unanswered if not self._in_body or cycle is not self.cycle]

    def _stop_behind(self, last: RequestResponseCycle) -> None:
        """Close the connection once the request *last* is answered; a refusal cannot be sent before that."""
        last.keep_alive = False
        self._ignores_input = True
        self._timers.expect_nothing()

    @property
    def _is_over(self) -> bool:
        """Whether no more input is read."""
        return self._ignores_input or self.transport.is_closing()

    # Input

    def data_received(self, data: bytes) -> None:
        """Feed the parser; refuse what is not HTTP, and heads that are too large."""
        if self._is_over:
            return
        self._unset_keepalive_if_required()
        self._has_received = True
        if not self._in_body and (self.cycle is None or self.cycle.response_complete):
            self._timers.expect_head()
        self._unfinished += len(data) if self._in_head else 0
        try:
            self._feed(data)
        except httptools.HttpParserError:
            self.logger.warning("Invalid HTTP request received.")
            self._refuse(400, "Invalid HTTP request received.")
            return
        if self._in_head and self._unfinished > MAX_HEAD:
            self._refuse(431, HEAD_TOO_LARGE)

    def _feed(self, data: bytes) -> None:
        rest = memoryview(data)
        while rest and not self._is_over:
            try:
                self.parser.feed_data(rest)
                return
            except httptools.HttpParserUpgrade as upgrade:
                if self._is_over:  # it was refused, as CONNECT is
                    return
                rest = rest[upgrade.args[0] :]
                self._read_again()

    def _read_again(self) -> None:
        """Parse the head again without the offer, with a new parser."""
        method, version = self.parser.get_method(), self.parser.get_http_version().encode()
        self._refused_offer = dict(self.headers).get(b"upgrade", b"")
        pairs = [(name, _without_offers(value) if name == b"connection" else value) for name, value in self.headers]
        headers = [b"%b: %b" % (name, value) for name, value in pairs if name not in _OFFERS]
        lines = [b"%b %b HTTP/%b" % (method, self.url, version), *headers, b"", b""]
        self.parser: httptools.HttpRequestParser = httptools.HttpRequestParser(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)
        self.parser.feed_data(b"\r\n".join(lines))

    # Callbacks of the parser

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._timers.expect_head()
        self._in_head, self._head_size, self._unfinished, self._offers_upgrade = True, 0, 0, False

    def on_url(self, url: bytes) -> None:
        self._head_size += len(url)
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header; trailers, which follow the body, are dropped (RFC 9110, 6.5.1)."""
        if self._in_head:
            self._head_size += len(name) + len(value) + _PER_HEADER
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        if self._is_over:  # the refused request may be in the same packet
            return
        self._in_head = False
        self._timers.expect_body()
        if self._head_size > MAX_HEAD:
            self._refuse(431, HEAD_TOO_LARGE)
        elif self.parser.get_method() == b"CONNECT":
            self._refuse(405, "CONNECT is not supported.")
        elif self.parser.should_upgrade():
            self._offers_upgrade = True
        else:
            if self._refused_offer:
                self.headers.append((b"upgrade", self._refused_offer))  # so that WebSockets can be refused
                self._refused_offer = b""
            super().on_headers_complete()
            self._unanswered.append(self.cycle)
            self._in_body = True

    def on_body(self, body: bytes) -> None:
        if not self._is_over:
            super().on_body(body)

    def on_message_complete(self) -> None:
        if self._is_over or self._offers_upgrade:
            return
        self._in_body = False
        self._timers.expect_nothing()
        super().on_message_complete()


def _without_offers(connection: bytes) -> bytes:
    tokens = [token.strip() for token in connection.split(b",")]
    return b", ".join(token for token in tokens if token.lower() not in _OFFERS)
