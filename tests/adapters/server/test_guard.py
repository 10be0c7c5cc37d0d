"""Who may talk to the server."""

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anyio
import pytest
import uvicorn

from diglot.adapters.demo import app as demo_app
from diglot.adapters.server.app import application
from diglot.adapters.server.config import Settings
from diglot.adapters.server.guard import Guard

ASK = {"model": "m", "input": "hi"}
APP = "https://app.example"
Headers = list[tuple[str, str]]


class Inner:
    """An application that has headers of its own, and counts."""

    def __init__(self) -> None:
        self.scopes: list[Any] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.scopes.append(scope)
        headers = [
            (b"content-type", b"text/plain"),
            (b"Access-Control-Allow-Origin", b"https://upstream.example"),
            (b"access-control-allow-credentials", b"true"),
            (b"diglot-losses", b"x"),
        ]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"served"})


@pytest.fixture
def inner() -> Inner:
    return Inner()


async def ask(talk: Any, app: Any, headers: Headers, **scope: Any) -> Any:
    one = talk(app, **{"path": "/healthz", "method": "GET", **scope})
    one.scope["headers"] = [(name.encode(), value.encode("latin-1")) for name, value in headers]
    return await one.run()


HOSTS = [
    *("localhost", "LocalHost", "localhost:8080", "localhost.", "localhost.:1", "127.0.0.1", "127.0.0.1:9"),
    *("[::1]", "[::1]:8080", "[0:0:0:0:0:0:0:1]", "box.local", "BOX.local:1"),
]
OTHER_HOSTS = [
    *("attacker.example", "attacker.example:8080", "localhost.attacker.example", "127.0.0.1.attacker.example"),
    *(
        "x.localhost",
        "0.0.0.0",
        "127.0.0.2",
        "[::]",
        "[::ffff:127.0.0.1]",
        "::1",
        "",
        ".",
        "localhost@evil",
        "a,localhost",
    ),
    *("local", "localhost/", "127.1", "2130706433", "\u00e4"),
]


@pytest.mark.anyio
@pytest.mark.parametrize("host", HOSTS)
async def test_names(talk: Any, inner: Inner, host: str) -> None:
    """A server on this machine goes by its own names, and by those that were set."""
    got = await ask(talk, Guard(inner, "127.0.0.1", ["box.local"]), [("host", host)])
    assert (got.status, got.body) == (200, b"served")


@pytest.mark.anyio
@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "localhost"])
@pytest.mark.parametrize("host", OTHER_HOSTS)
async def test_strange_names(talk: Any, inner: Inner, host: str, address: str) -> None:
    """Under any other name it is somebody else's doing (DNS rebinding); the error names the setting."""
    got = await ask(talk, Guard(inner, address, ["box.local"]), [("host", host)])
    assert (got.status, got.error["code"]) == (403, "host_not_allowed")
    assert "--allow-host" in got.error["message"]
    assert inner.scopes == []


@pytest.mark.anyio
@pytest.mark.parametrize("headers", [[], [("host", "localhost")] * 2, [("host", "localhost"), ("host", "evil")]])
async def test_no_name(talk: Any, inner: Inner, headers: Headers) -> None:
    """None, or more than one, is no name."""
    assert (await ask(talk, Guard(inner, "127.0.0.1"), headers)).status == 403
    assert inner.scopes == []


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("address", "hosts", "host", "status"),
    [
        ("0.0.0.0", [], "any.example", 200),
        ("::", [], "any.example", 200),
        ("192.0.2.1", [], "any.example", 200),
        ("0.0.0.0", ["box.local"], "any.example", 403),
        ("0.0.0.0", ["box.local"], "box.local:80", 200),
        ("192.0.2.1", ["box.local"], "192.0.2.1:80", 200),
        ("2001:db8::1", ["box.local"], "[2001:db8::1]:80", 200),
        ("0.0.0.0", ["box.local"], "localhost", 200),
        ("127.0.0.1", ["*"], "any.example", 200),
        ("127.0.0.2", [], "127.0.0.2", 200),
        ("127.0.0.1", ["box.local:8080"], "box.local", 200),
    ],
)
async def test_addresses(talk: Any, inner: Inner, address: str, hosts: list[str], host: str, status: int) -> None:
    """Who listens for others cannot know its names, unless they are set."""
    assert (await ask(talk, Guard(inner, address, hosts), [("host", host)])).status == status


HERE = ("host", "localhost:8080")
PAGES: list[Headers] = [
    [("origin", "http://attacker.example")],
    [("origin", "http://localhost:3000")],
    [("origin", "http://localhost")],
    [("origin", "http://127.0.0.1:8080")],
    [("origin", "null")],
    [("origin", "")],
    [("origin", "x")],
    [("origin", "chrome-extension://localhost:8080")],
    [("origin", "http://localhost:8080"), ("origin", "http://localhost:8080")],
    [("origin", "http://localhost:8080"), ("origin", "http://attacker.example")],
    [("origin", "http://localhost:8080 http://attacker.example")],
    [("origin", "http://localhost:8080"), ("sec-fetch-site", "cross-site")],
    [("origin", "http://attacker.example"), ("sec-fetch-site", "same-origin")],
    [("sec-fetch-site", "cross-site")],
    [("sec-fetch-site", "same-site")],
    [("sec-fetch-site", "Cross-Site")],
    [("sec-fetch-site", "none"), ("sec-fetch-site", "cross-site")],
    [("sec-fetch-site", "new-word")],
]


@pytest.mark.anyio
@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS", "DELETE"])
@pytest.mark.parametrize("address", ["127.0.0.1", "0.0.0.0"])
@pytest.mark.parametrize("headers", PAGES)
async def test_pages_from_elsewhere(talk: Any, inner: Inner, headers: Headers, address: str, method: str) -> None:
    """No web page may call the server, by whatever method, on whatever address; it is not told that it may."""
    preflight = [("access-control-request-method", "POST"), ("access-control-request-private-network", "true")]
    got = await ask(talk, Guard(inner, address, [], [APP]), [HERE, *headers, *preflight], method=method)
    assert (got.status, got.error["code"]) == (403, "origin_not_allowed")
    assert "--allow-origin" in got.error["message"]
    assert not any(name.startswith("access-control") for name in got.headers)
    assert inner.scopes == []


@pytest.mark.anyio
@pytest.mark.parametrize(
    "headers",
    [
        [],
        [("origin", "http://localhost:8080")],
        [("origin", "HTTP://LocalHost.:8080")],
        [("origin", "http://localhost:8080"), ("sec-fetch-site", "same-origin")],
        [("sec-fetch-site", "none")],
        [("sec-fetch-site", "same-origin")],
    ],
)
async def test_programs_and_own_pages(talk: Any, inner: Inner, headers: Headers) -> None:
    """Programs say nothing of origins; the server's own page may ask, and needs no CORS."""
    got = await ask(talk, Guard(inner, "127.0.0.1"), [HERE, *headers])
    assert got.status == 200
    assert got.headers["Access-Control-Allow-Origin"] == "https://upstream.example"


@pytest.mark.anyio
@pytest.mark.parametrize("extension", [True, False])
async def test_websockets(talk: Any, inner: Inner, extension: bool) -> None:
    """Pages may open websockets anywhere, so these are looked at, too."""
    offered = {"websocket.http.response": {}} if extension else {}
    for headers in ([HERE, ("origin", "http://attacker.example")], [("host", "attacker.example")]):
        got = await ask(talk, Guard(inner, "127.0.0.1"), headers, type="websocket", extensions=offered)
        if extension:
            assert (got.sent[0]["type"], got.sent[0]["status"]) == ("websocket.http.response.start", 403)
        else:
            assert [message["type"] for message in got.sent] == ["websocket.close"]
    assert inner.scopes == []


# Allowed origins


@pytest.fixture(params=[[APP], [f"{APP}/"], ["https://APP.example:443"], ["*"], ["https://other.example", APP]])
def guarded(request: pytest.FixtureRequest, inner: Inner) -> Guard:
    return Guard(inner, "127.0.0.1", [], request.param)


CROSS = [HERE, ("origin", APP), ("sec-fetch-site", "cross-site")]


@pytest.mark.anyio
async def test_an_allowed_page(talk: Any, guarded: Guard) -> None:
    """It may call, and read what was lost; what the upstream says of pages does not count."""
    got = await ask(talk, guarded, CROSS)
    every = guarded._all_origins
    assert (got.status, got.body) == (200, b"served")
    assert got.headers["access-control-allow-origin"] == ("*" if every else APP)
    assert got.headers["access-control-expose-headers"] == "diglot-losses, x-request-id"
    assert every or "Origin" in got.headers["vary"]
    names = [name.lower() for name, _ in got.sent[0]["headers"]]
    assert b"access-control-allow-credentials" not in names
    assert names.count(b"access-control-allow-origin") == 1


@pytest.mark.anyio
async def test_preflight(talk: Any, guarded: Guard, inner: Inner) -> None:
    """The browser's question is answered here: methods, the headers that the page wants, private networks."""
    asked = [
        ("access-control-request-method", "POST"),
        ("access-control-request-headers", "authorization,content-type,x-stainless-os"),
        ("access-control-request-private-network", "true"),
    ]
    got = await ask(talk, guarded, [*CROSS, *asked], method="OPTIONS")
    assert got.status == 200
    assert got.headers["access-control-allow-origin"] == ("*" if guarded._all_origins else APP)
    assert "POST" in got.headers["access-control-allow-methods"]
    assert got.headers["access-control-allow-headers"] == "authorization,content-type,x-stainless-os"
    assert got.headers["access-control-allow-private-network"] == "true"
    assert int(got.headers["access-control-max-age"]) > 0
    assert guarded._all_origins or "Origin" in got.headers["vary"]
    assert inner.scopes == []


@pytest.mark.anyio
@pytest.mark.parametrize("page", ["null", "https://attacker.example", "x"])
async def test_every_page(talk: Any, inner: Inner, page: str) -> None:
    """`*` is all of them; `null` alone can be allowed by its name."""
    assert (await ask(talk, Guard(inner, "127.0.0.1", [], ["*"]), [HERE, ("origin", page)])).status == 200
    got = await ask(talk, Guard(inner, "127.0.0.1", [], ["null"]), [HERE, ("origin", page)])
    assert got.status == (200 if page == "null" else 403)


@pytest.mark.anyio
async def test_our_own_errors_can_be_read(talk: Any, guarded: Guard) -> None:
    """An allowed page under a strange name gets an error that it can read; its preflight is refused as well."""
    strange = [("host", "attacker.example"), ("origin", APP)]
    got = await ask(talk, guarded, strange)
    assert (got.status, got.error["code"]) == (403, "host_not_allowed")
    assert "access-control-allow-origin" in got.headers
    asked = ("access-control-request-method", "POST")
    assert (await ask(talk, guarded, [*strange, asked], method="OPTIONS")).status == 403


@pytest.mark.anyio
@pytest.mark.parametrize("body", [{"model": "m"}, {**ASK, "previous_response_id": "r"}, b"{"])
async def test_errors_of_the_translation(talk: Any, body: Any) -> None:
    """They carry the headers, too."""
    app = application(Settings(demo=True, allow_origin=(APP,)))
    headers = {"host": "localhost", "origin": APP, "content-type": "application/json"}
    got = await talk(app, body, headers=headers).run()
    assert got.status == 400
    assert got.headers["access-control-allow-origin"] == APP


@pytest.mark.anyio
async def test_losses(talk: Any) -> None:
    """A page reads them from the header."""
    app = application(Settings(demo=True, allow_origin=(APP,)))
    headers = {"host": "localhost", "origin": APP, "content-type": "application/json"}
    got = await talk(app, {**ASK, "truncation": "auto"}, headers=headers).run()
    assert "truncation" in got.headers["diglot-losses"]
    assert got.headers["access-control-expose-headers"] == "diglot-losses, x-request-id"


# The whole server, with both parsers


PATHS = ["/", "/healthz", "/v1/responses", "/v1/chat/completions", "/v1/models", "/v1/responses/r", "/nothing"]


@pytest.mark.anyio
@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS"])
@pytest.mark.parametrize("path", PATHS)
async def test_every_path(talk: Any, path: str, method: str) -> None:
    """There is no way around the guard."""
    app = application(Settings(demo=True))
    for headers in ([("host", "attacker.example")], [HERE, ("origin", "null")]):
        assert (await ask(talk, app, headers, path=path, method=method)).status == 403


@pytest.fixture(params=["h11", "httptools"])
def parser(request: pytest.FixtureRequest) -> Any:
    """The whole server in front of an application that counts, under one of uvicorn's parsers."""

    @asynccontextmanager
    async def serve(app: Any) -> AsyncIterator[int]:
        with socket.socket() as listening:
            listening.bind(("127.0.0.1", 0))
            config = uvicorn.Config(app, access_log=False, log_config=None, ws="none", http=request.param)
            server = uvicorn.Server(config)
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(server.serve, [listening])
                while not server.started:  # noqa: ASYNC110
                    await anyio.sleep(0.01)
                yield listening.getsockname()[1]
                server.should_exit = True

    return serve


async def exchange(port: int, data: bytes) -> bytes:
    """Everything that comes back until the server closes."""
    got = b""
    async with await anyio.connect_tcp("127.0.0.1", port) as stream:
        await stream.send(data)
        with anyio.fail_after(5):
            try:
                while True:
                    got += await stream.receive()
            except (anyio.EndOfStream, anyio.BrokenResourceError):
                return got


HIDDEN = b"5\r\nhello\r\n0\r\n\r\nGET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n"
FRAMINGS = [
    b"content-length: 5\r\ntransfer-encoding: chunked\r\n",
    b"transfer-encoding: chunked\r\ncontent-length: 5\r\n",
    b"Content-Length: 0\r\nTransfer-Encoding: Chunked\r\n",
    b"content-length: 5\r\ntransfer-encoding: identity\r\n",
    b"content-length: 5\r\ntransfer-encoding: x, chunked\r\n",
    b"content-length: 5\r\ncontent-length: 6\r\n",
]


@pytest.mark.parametrize("path", [b"/v1/responses", b"/v1/chat/completions", b"/v1/x", b"/healthz"])
@pytest.mark.parametrize("framing", FRAMINGS)
def test_doubtful_framing(parser: Any, framing: bytes, path: bytes) -> None:
    """Two lengths are refused, and the connection ends: nothing behind them is taken for a request."""

    async def main() -> bytes:
        async with parser(application(Settings(demo=True))) as port:
            return await exchange(port, b"POST %b HTTP/1.1\r\nhost: localhost\r\n%b\r\n" % (path, framing) + HIDDEN)

    got = anyio.run(main)
    assert got.startswith(b"HTTP/1.1 400")
    assert got.count(b"HTTP/1.1 ") == 1
    assert b"connection: close" in got.lower()


def test_targets_with_a_host(parser: Any) -> None:
    """A request target may hold a host; what is asked for is still this server's, under its own names."""

    async def main() -> list[bytes]:
        async with parser(Guard(demo_app.upstream(), "127.0.0.1")) as port:
            request = b"GET http://%b/v1/models HTTP/1.1\r\nhost: %b\r\nconnection: close\r\n\r\n"
            pairs = ((b"attacker.example", b"attacker.example"), (b"localhost", b"attacker.example"))
            return [await exchange(port, request % pair) for pair in pairs]

    assert [got.partition(b"\r\n")[0].split()[1] for got in anyio.run(main)] == [b"403", b"403"]
