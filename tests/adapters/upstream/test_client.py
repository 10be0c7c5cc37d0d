"""What all HTTP clients have in common."""

import importlib
from collections.abc import AsyncIterator
from typing import Any

import anyio
import pytest

from diglot.adapters import Upstream
from diglot.adapters.upstream import choice
from diglot.adapters.upstream import client as upstream_client
from diglot.translator import RequestError, UpstreamError

from raw_server import Server


@pytest.mark.parametrize("own", [True, False])
@pytest.mark.parametrize("kind", ["aiohttp", *upstream_client.HTTPX])
@pytest.mark.parametrize("body", [b'{"a": 1}', b"x" * 2_000_000])
def test_closed_upon_reuse(talk: Any, kind: str, own: bool, body: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """A kept connection that the upstream closes instead of answering is replaced, once, by a new one."""
    monkeypatch.setattr(choice, "find_spec", lambda name: name == kind)
    server = Server()
    server.reply, server.close, server.is_rude = [b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}"], False, True

    async def main() -> None:
        package = importlib.import_module(kind)
        client = None if own else package.ClientSession() if kind == "aiohttp" else package.AsyncClient()
        upstream = Upstream(server.url, client=client)
        for _ in range(5):
            one = talk(upstream, b"")
            one._pieces = [{"type": "http.request", "body": body}]
            assert (await one.run()).body == b"{}"
        await upstream.aclose()
        if client is not None:
            await (client.close() if kind == "aiohttp" else client.aclose())

    anyio.run(main)
    server.stop()
    assert all(asked.endswith(b"\r\n\r\n" + body) for asked in server.asked)


@pytest.mark.parametrize("kind", ["aiohttp", *upstream_client.HTTPX])
@pytest.mark.parametrize("reply", [b"", b"HTTP/1.1 200 OK\r\ncontent-le"])
def test_closed_on_a_new_connection(talk: Any, kind: str, reply: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """A request is not repeated when its connection was a new one: the upstream may have worked on it."""
    monkeypatch.setattr(choice, "find_spec", lambda name: name == kind)
    server = Server()
    server.reply = [reply]

    async def main() -> None:
        upstream = Upstream(server.url)
        assert (await talk(upstream, {}).run()).status == 502
        await upstream.aclose()

    anyio.run(main)
    server.stop()
    assert len(server.asked) == 1


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_many_loops(talk: Any, backend: str) -> None:
    """Each event loop has a client of its own, which is closed when the loop ends."""
    server = Server()
    server.reply = [b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}"]
    upstream = Upstream(server.url)
    clients: list[Any] = []

    async def main() -> None:
        assert (await talk(upstream, {}).run()).body == b"{}"
        clients.append(await upstream._client())

    for _ in range(3):
        anyio.run(main, backend=backend)
    server.stop()
    assert len({id(client) for client in clients}) == 3
    assert all(c._session.closed if backend == "asyncio" else c._client.is_closed for c in clients)


class Flood:
    """A client whose answer never pauses: nothing can be cancelled between two pieces."""

    status, headers, closed = 200, (), False

    async def open(self, *request: Any) -> "Flood":
        return self

    async def pieces(self) -> AsyncIterator[bytes]:
        while True:
            with anyio.CancelScope(shield=True):
                await anyio.sleep(0.001)
            yield b"x"

    async def aclose(self) -> None:
        self.closed = True


@pytest.mark.anyio
async def test_client_leaves_a_flood(talk: Any) -> None:
    """When the client goes away, the answer is closed even if it never lets anything in between."""
    upstream = Upstream("http://127.0.0.1:9")
    flood = upstream._callers_client = Flood()  # pyright: ignore[reportAttributeAccessIssue]
    one = talk(upstream, {})
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(one.run)
        await anyio.sleep(0.05)
        one.gone.set()
    assert flood.closed


def test_errors() -> None:
    """The exceptions of a package become ours, each with its own status; others stay what they are."""
    classes = upstream_client.ErrorClasses((ConnectionError,), (TimeoutError,), (OSError,))
    for error, status in ((ConnectionError("x"), 502), (TimeoutError("x"), 504), (OSError("x"), 502)):
        with pytest.raises(UpstreamError) as caught, upstream_client.foreign_errors(classes):
            raise error
        assert caught.value.status == status
        assert "x" not in caught.value.message.split()
    with pytest.raises(KeyError), upstream_client.foreign_errors(classes):
        raise KeyError
    with pytest.raises(RequestError), upstream_client.foreign_errors(classes):
        raise OSError from RequestError("too much")


def test_cause() -> None:
    """The log learns the outermost and the innermost class, and the number, but no texts."""
    try:
        try:
            raise ConnectionRefusedError(111, "private")
        except OSError as error:
            raise RuntimeError("private") from error
    except RuntimeError as error:
        assert upstream_client.cause(error) == "RuntimeError: ConnectionRefusedError, errno 111"
    assert upstream_client.cause(KeyError("private")) == "KeyError"
