"""Requests that go through as they are: the same limits hold for them as for others."""

import gc
import logging
from collections.abc import Iterator
from time import monotonic
from typing import Any

import anyio
import pytest

from diglot.adapters import Limits, Upstream
from diglot.translator import UpstreamError

from raw_server import Server

pytestmark = pytest.mark.anyio

HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
QUICK = Limits(first_byte=0.3, idle=0.3, stalled=0.3, request=0.3, shutdown=0.1)


@pytest.fixture
def server() -> Iterator[Server]:
    """A raw HTTP server that never ends an answer."""
    one = Server()
    one.close = False
    yield one
    one.stop()


async def test_first_byte(talk: Any, server: Server) -> None:
    """An upstream that says nothing is a 504."""
    upstream = Upstream(server.url, limits=QUICK)
    got = await talk(upstream, {}, path="/v1/chat/completions").run()
    await upstream.aclose()
    assert (got.status, got.error["code"]) == (504, "upstream_timeout")
    assert await anyio.to_thread.run_sync(server.closed.wait, 5)


async def test_idle(talk: Any, server: Server, caplog: pytest.LogCaptureFixture) -> None:
    """An upstream that stops in the middle is cut, and the log says so."""
    server.reply = [HEAD + b"1\r\nx\r\n"]
    upstream = Upstream(server.url, limits=QUICK)
    one = talk(upstream, {})
    with pytest.raises(UpstreamError, match="too long"):
        await one.run()
    await upstream.aclose()
    assert one.body == b"x"
    assert not one.complete
    (told,) = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert told.endswith("The upstream took too long.")


async def test_stalled(talk: Any, server: Server) -> None:
    """A client that takes nothing is let go, and so is its upstream; a slow one is not the upstream's fault."""
    server.reply = [HEAD + b"1\r\nx\r\n"]
    upstream = Upstream(server.url, limits=Limits(stalled=0.5, idle=0.2, first_byte=5, shutdown=0.1))
    one = talk(upstream, {})

    async def never(message: Any) -> None:
        await anyio.sleep_forever()

    one.hold, began = never, monotonic()
    await one.run()
    assert 0.4 < monotonic() - began < 3
    await upstream.aclose()
    assert await anyio.to_thread.run_sync(server.closed.wait, 5)


@pytest.mark.parametrize("pieces", [[], [b"x"]])
async def test_slow_upload(talk: Any, server: Server, pieces: list[bytes]) -> None:
    """A client that does not come to the end of its request is a 408, before and after it began."""
    upstream = Upstream(server.url, limits=QUICK)
    one = talk(upstream, {}, http_version="1.1")
    one._pieces = [{"type": "http.request", "body": piece, "more_body": True} for piece in pieces]
    got = await one.run()
    await upstream.aclose()
    assert (got.status, got.error["code"], got.headers["connection"]) == (408, "request_timeout", "close")


@pytest.mark.parametrize("status", [b"101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x", b"999 X"])
async def test_no_answer(talk: Any, server: Server, status: bytes) -> None:
    """What is not a final status is no answer."""
    server.reply = [b"HTTP/1.1 " + status + b"\r\n\r\nhello"]
    upstream = Upstream(server.url)
    got = await talk(upstream, {}).run()
    await upstream.aclose()
    assert got.status == 502


async def test_interim_answers(talk: Any, server: Server) -> None:
    """What an upstream says ahead of its answer is not passed on."""
    server.reply = [b"HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}"]
    upstream = Upstream(server.url)
    got = await talk(upstream, {}).run()
    await upstream.aclose()
    assert [message["type"] for message in got.sent[:2]] == ["http.response.start", "http.response.body"]
    assert (got.status, got.body) == (200, b"{}")


@pytest.mark.parametrize("method", ["TRACE", "CONNECT"])
async def test_methods(talk: Any, method: str) -> None:
    """A method that would show what was added to a request, or open a tunnel, is not allowed."""
    got = await talk(Upstream("http://127.0.0.1:9"), method=method, path="/v1/models").run()
    assert got.status == 405
    assert "TRACE" not in got.headers["allow"]


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_nothing_stays(talk: Any, server: Server, anyio_backend: str) -> None:
    """Nothing of a request waits for the garbage collector."""
    server.reply = [b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}"]
    upstream = Upstream(server.url)
    await talk(upstream, {}).run()
    gc.collect()
    gc.disable()
    try:
        await talk(upstream, {}).run()
        await anyio.sleep(0.05)
        assert not [one for one in gc.get_objects() if type(one).__name__ in ("PassThrough", "Upload")]
    finally:
        gc.enable()
    await upstream.aclose()


async def test_server_that_says_so_with_an_error(talk: Any, server: Server) -> None:
    """Servers may raise OSError when the client has gone: that is theirs."""
    server.reply = [b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}"]
    upstream = Upstream(server.url)
    one = talk(upstream, {})

    async def broken(message: Any) -> None:
        raise OSError

    one.hold = broken
    with pytest.raises(OSError):
        await one.run()
    await upstream.aclose()


async def test_server_that_repeats_itself(talk: Any, server: Server) -> None:
    """Only a disconnect is one, whatever else a server says behind a body."""
    server.reply = [HEAD + b"1\r\nx\r\n"]
    upstream = Upstream(server.url)
    one = talk(upstream, {})
    one._pieces += [{"type": "http.request", "body": b"", "more_body": False}]
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(one.run)
        while not one.body:  # noqa: ASYNC110
            await anyio.sleep(0.01)
        await anyio.sleep(0.1)
        one.gone.set()
    await upstream.aclose()
    assert one.body == b"x"
