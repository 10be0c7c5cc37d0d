"""The upstream that all servers stand in front of: both APIs, finished answers, and streams at a given pace.

Every token is `number:nanoseconds;`, so that whoever reads it knows its place and how long it took.
"""

from __future__ import annotations

import asyncio
import re
import time
from typing import Any, NamedTuple

import httptools

from benchmarks.directions import DIRECTIONS, Api
from benchmarks.inputs import answers, requests, streams
from benchmarks.inputs.texts import encode

_APIS: dict[bytes, Api] = {b"responses": "responses", b"completions": "chat"}
_WANTS_STREAM = re.compile(rb'"stream"\s*:\s*true')
_WANTS_USAGE = re.compile(rb'"include_usage"\s*:\s*true')
_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"


class Plan(NamedTuple):
    """How streams go: so many tokens, the first at once, each following one after *gap* seconds."""

    tokens: int
    gap: float


FINISHED = Plan(0, 0)
"""A stream that says what the finished answer says: some servers ask for streams only."""


class Upstream:
    """Listens on loopback; ``plan`` may be changed between requests."""

    def __init__(self) -> None:
        self.plan = Plan(1, 0)
        self.asked: dict[str, Any] = {}
        self.finished: dict[Api, bytes] = {}
        self.answers("small")
        self.open: set[Any] = set()
        self._server: asyncio.Server | None = None

    def answers(self, name: str) -> None:
        """From now on it is asked with this one of the requests, which a Response repeats."""
        self.asked = requests.body(requests.REQUESTS[name](), "responses")
        said = answers.text()
        self.finished = {api: encode(answers.body(said, api, self.asked)) for api in DIRECTIONS}

    async def listen(self) -> int:
        """Start, and return the port."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Connection(self), "127.0.0.1", 0, backlog=4096)
        return self._server.sockets[0].getsockname()[1]

    def connection_close(self) -> None:
        """Cut all connections: who waits for a token will get none."""
        for transport in list(self.open):
            transport.abort()


class _Connection(asyncio.Protocol):
    """One connection: reads requests, answers them."""

    def __init__(self, upstream: Upstream) -> None:
        self._upstream = upstream
        self._parser = httptools.HttpRequestParser(self)
        self._url = b""
        self._body: list[bytes] = []
        self._transport: Any = None

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        self._upstream.open.add(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self._upstream.open.discard(self._transport)

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_url(self, url: bytes) -> None:
        self._url = url

    def on_body(self, body: bytes) -> None:
        self._body.append(body)

    def on_message_complete(self) -> None:
        body = b"".join(self._body)
        self._body.clear()
        api = _APIS.get(self._url.rpartition(b"/")[2])
        if api is None:
            self._transport.write(b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n")
        elif _WANTS_STREAM.search(body):
            self._transport.write(_HEAD)
            _Playback(self._transport, api, self._upstream, bool(_WANTS_USAGE.search(body))).begin()
        else:
            data = self._upstream.finished[api]
            head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(data)
            self._transport.write(head + data)


class _Playback:
    """One stream under way."""

    def __init__(self, transport: Any, api: Api, upstream: Upstream, usage: bool) -> None:
        self._transport = transport
        self._writer = streams.text_writer(api, upstream.asked)
        self._plan = upstream.plan
        self._usage = usage
        self._tokens: list[str] = []

    def begin(self) -> None:
        for event in self._writer.head():
            self._write(event)
        if self._plan == FINISHED:
            self._tokens.append(answers.text().text)
            self._write(self._writer.token(self._tokens[0]))
            self._end()
        else:
            self._next()

    def _next(self) -> None:
        if self._transport.is_closing():
            return
        token = f"{len(self._tokens)}:{time.monotonic_ns()};"
        self._tokens.append(token)
        self._write(self._writer.token(token))
        if len(self._tokens) == self._plan.tokens:
            self._end()
        elif self._plan.gap:
            asyncio.get_running_loop().call_later(self._plan.gap, self._next)
        else:
            asyncio.get_running_loop().call_soon(self._next)

    def _end(self) -> None:
        for event in self._writer.tail(self._tokens):
            if self._usage or b'"choices":[]' not in event:
                self._write(event)
        self._transport.write(b"0\r\n\r\n")

    def _write(self, event: bytes) -> None:
        self._transport.write(b"%x\r\n%b\r\n" % (len(event), event))
