"""A request body on its way to the upstream: counted, and never longer or shorter than it says."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from diglot.adapters import Upstream
from diglot.adapters.upstream import upload
from diglot.translator import RequestError, UpstreamError

from raw_server import Server

pytestmark = pytest.mark.anyio


@pytest.fixture
def server() -> Iterator[Server]:
    """A raw HTTP server that keeps its connections."""
    one = Server()
    one.reply, one.close = [b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}"], False
    yield one
    one.stop()


def sending(*pieces: bytes, leaves: bool = False) -> Any:
    """What gives a body in pieces; a client that leaves does so behind them."""
    messages = [{"type": "http.request", "body": piece, "more_body": True} for piece in pieces]
    messages[-1]["more_body"] = leaves
    messages.append({"type": "http.disconnect"})

    async def receive() -> Any:
        return messages.pop(0)

    return receive


async def read(one: upload.Upload) -> bytes:
    content = await one.content()
    if isinstance(content, AsyncIterator):
        return b"".join([piece async for piece in content])
    return content or b""


@pytest.mark.parametrize("pieces", [(b"hello",), (b"he", b"", b"llo"), (b"hello", b"")])
@pytest.mark.parametrize("declared", [5, None])
async def test_all_of_it(pieces: tuple[bytes, ...], declared: int | None) -> None:
    """A body comes as it was sent, in one piece or in many."""
    one = upload.Upload(sending(*pieces), declared, 5)
    assert await read(one) == b"hello"
    assert one.done_at


@pytest.mark.parametrize("pieces", [(b"hello",), (b"he", b"llo")])
@pytest.mark.parametrize(("declared", "limit", "status"), [(4, 9, 400), (6, 9, 400), (None, 4, 413), (5, 4, 413)])
async def test_wrong_length(pieces: tuple[bytes, ...], declared: int | None, limit: int, status: int) -> None:
    """A body that is not as long as it says, or too long, is an error."""
    with pytest.raises(RequestError) as caught:
        await read(upload.Upload(sending(*pieces), declared, limit))
    assert caught.value.status == status


async def test_client_leaves() -> None:
    """Half a body is no body."""
    one = upload.Upload(sending(b"hel", leaves=True), 5, 9)
    with pytest.raises(UpstreamError):
        await read(one)
    assert one.gone


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
@pytest.mark.parametrize("pieces", [[b""], [b"hel"], [b"hel", b"lo more"], [b"hello more"]])
async def test_nobody_gets_anothers_answer(talk: Any, server: Server, pieces: list[bytes], anyio_backend: str) -> None:
    """Whatever a client says of its length, the next request does not end up in its body."""
    upstream = Upstream(server.url)
    bad = talk(upstream, headers={"content-length": "5"}, path="/v1/x", http_version="1.1")
    bad._pieces = [{"type": "http.request", "body": piece, "more_body": True} for piece in pieces]
    bad._pieces[-1]["more_body"] = False
    got = await bad.run()
    assert got.status == 400
    assert got.headers["connection"] == "close"
    assert (await talk(upstream, {"a": 1}, path="/v1/y").run()).body == b"{}"
    await upstream.aclose()
    assert server.line == "POST /v1/y HTTP/1.1"
    assert server.asked[-1].endswith(b'\r\n\r\n{"a": 1}')


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_declared_and_streamed(talk: Any, server: Server, anyio_backend: str) -> None:
    """A length that turns out to be true is the upstream's, too: some want one."""
    upstream = Upstream(server.url)
    got = await talk(upstream, b"x" * 200_000, path="/v1/x", headers={"content-length": "200000"}).run()
    await upstream.aclose()
    assert got.status == 200
    assert server.head["content-length"] == "200000"
    assert "transfer-encoding" not in server.head
    assert server.asked[-1].endswith(b"\r\n\r\n" + b"x" * 200_000)


@pytest.mark.parametrize(
    "headers",
    [
        [(b"content-length", b"5"), (b"content-length", b"6")],
        [(b"content-length", b"5"), (b"transfer-encoding", b"chunked")],
        [(b"content-length", b"-5")],
        [(b"content-length", b"5, 5")],
    ],
)
async def test_ambiguous(talk: Any, headers: list[tuple[bytes, bytes]]) -> None:
    """A request with two answers to how long it is is refused, translated or not."""
    for path in ("/v1/x", "/v1/responses"):
        one = talk(Upstream("http://127.0.0.1:9"), b"hello", path=path, http_version="1.1")
        one.scope["headers"] = headers
        got = await one.run()
        assert (got.status, got.error["code"], got.headers["connection"]) == (400, "invalid_content_length", "close")
