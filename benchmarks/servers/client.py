"""The clients: cheap enough to ask a thousand times at once from one process."""

from __future__ import annotations

import asyncio
import re
import secrets
import time
from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import httptools

from benchmarks.directions import PATHS, Api
from benchmarks.inputs import requests
from benchmarks.inputs.texts import encode

KEY = f"sk-{secrets.token_hex(32)}"
"""What the clients call themselves; LiteLLM's proxy wants to know it, the others do not care."""
_TOKENS = {
    "chat": re.compile(rb'"content": ?"(\d+):(\d+);"'),
    "responses": re.compile(rb'"delta": ?"(\d+):(\d+);"'),
}
_ENDS = {"chat": b"[DONE]", "responses": b'"response.completed"'}


class Target(NamedTuple):
    """Whom to ask, in which API, for which model, and with which of the requests."""

    port: int
    api: Api
    model: str
    name: str = "small"

    def request(self, stream: bool) -> bytes:
        """The request as it goes over the wire."""
        return _raw(self, stream)


@cache
def _raw(target: Target, stream: bool) -> bytes:
    talk = requests.REQUESTS[target.name]()._replace(stream=stream)
    body = encode({**requests.body(talk, target.api), "model": target.model})
    head = [f"POST {PATHS[target.api]} HTTP/1.1", f"host: 127.0.0.1:{target.port}", f"authorization: Bearer {KEY}"]
    head += ["content-type: application/json", "accept: */*", f"content-length: {len(body)}"]
    return "\r\n".join([*head, "", ""]).encode() + body


class Failed(Exception):
    """A contestant did not answer as it should."""


class Connection(asyncio.Protocol):
    """One connection, one request at a time; *take* gets the pieces of the body."""

    def __init__(self) -> None:
        self._take: Callable[[bytes], None] = _ignore
        self._done: asyncio.Future[None] | None = None
        self._transport: Any = None
        self._parser = httptools.HttpResponseParser(self)

    @classmethod
    async def to(cls, port: int) -> Connection:
        _, protocol = await asyncio.get_running_loop().create_connection(cls, "127.0.0.1", port)
        return protocol

    async def ask(self, raw: bytes, take: Callable[[bytes], None]) -> None:
        """Send a request and wait until its answer is over."""
        self._take = take
        self._done = asyncio.get_running_loop().create_future()
        self._transport.write(raw)
        await self._done

    def close(self) -> None:
        self._transport.abort()

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._done is not None and not self._done.done():
            self._done.set_exception(Failed("the connection was lost"))

    def on_body(self, body: bytes) -> None:
        self._take(body)

    def on_message_complete(self) -> None:
        if self._done is None or self._done.done():
            return
        status = self._parser.get_status_code()
        if status == 200:
            self._done.set_result(None)
        else:
            self._done.set_exception(Failed(f"status {status}"))


class Reading:
    """What one client gets of one stream: which tokens, in which order, how late, and whether it ends well."""

    def __init__(self, api: Api, tokens: int) -> None:
        self.first = 0.0  # seconds from the request to the first token
        self.delays: list[float] = []  # seconds from the upstream's writing to our reading, for each token
        self.disordered = 0
        self.ended = False
        self._expected = tokens
        self._pattern = _TOKENS[api]
        self._end = _ENDS[api]
        self._asked = 0
        self._rest = b""

    def begin(self) -> None:
        """The request goes out now."""
        self._asked = time.monotonic_ns()

    @property
    def lost(self) -> int:
        return self._expected - len(self.delays)

    def take(self, data: bytes) -> None:
        """Take a piece of the stream, cut anywhere."""
        now = time.monotonic_ns()
        whole, mark, rest = (self._rest + data).rpartition(b"\n\n")
        self._rest = rest
        for number, written in self._pattern.findall(whole + mark):
            if not self.delays:
                self.first = (now - self._asked) / 1e9
            self.disordered += int(number) != len(self.delays)
            self.delays.append((now - int(written)) / 1e9)
        self.ended = self.ended or self._end in whole


async def read_stream(connection: Connection, target: Target, reading: Reading) -> None:
    """Ask for one stream and read it to its end."""
    raw = target.request(stream=True)
    reading.begin()
    await connection.ask(raw, reading.take)


async def read_answer(connection: Connection, target: Target) -> bytes:
    """Ask for one finished answer."""
    pieces: list[bytes] = []
    await connection.ask(target.request(stream=False), pieces.append)
    return b"".join(pieces)


def _ignore(data: bytes) -> None: ...
