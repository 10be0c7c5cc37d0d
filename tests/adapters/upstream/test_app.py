"""The upstream over HTTP: real servers on loopback, every client package, on asyncio and trio."""

import importlib
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Any

import anyio
import pytest

from diglot.adapters import Limits, TranslationMiddleware, Upstream
from diglot.adapters.asgi.types import BESIDE_API
from diglot.adapters.middleware.notes import Attempt, Notes, with_notes
from diglot.adapters.upstream import choice
from diglot.adapters.upstream import client as upstream_client
from diglot.translator import UpstreamError

from raw_server import Server

pytestmark = pytest.mark.anyio

OK = (
    b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-type: application/json\r\n"
    b"date: x\r\nserver: y\r\nx-request-id: r1\r\n"
)
STREAM = (
    b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
)


@pytest.fixture
def server() -> Iterator[Server]:
    """A raw HTTP server."""
    one = Server()
    one.reply = [OK + b"content-length: 2\r\n\r\n{}"]
    yield one
    one.stop()


PLACES = [("asyncio", "aiohttp"), ("asyncio", "httpx2"), ("asyncio", "httpx"), ("trio", "httpx2"), ("trio", "httpx")]


@pytest.fixture(params=PLACES, ids="-".join)
def place(request: pytest.FixtureRequest) -> tuple[str, str]:
    """An event loop, and a client package that runs on it."""
    return request.param


@pytest.fixture
def anyio_backend(place: tuple[str, str]) -> str:
    """Where the test runs."""
    return place[0]


@pytest.fixture(autouse=True)
def kind(place: tuple[str, str], monkeypatch: pytest.MonkeyPatch) -> str:
    """The only client package that is installed, as it seems."""
    monkeypatch.setattr(choice, "find_spec", lambda name: name == place[1])
    return place[1]


@pytest.fixture
async def client(kind: str) -> AsyncIterator[Any]:
    """A client of the caller's own."""
    package = importlib.import_module(kind)
    async with package.ClientSession() if kind == "aiohttp" else package.AsyncClient(timeout=5) as one:
        yield one


@contextmanager
def nobody() -> Iterator[str]:
    """A URL where nobody answers."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{one.getsockname()[1]}"


async def test_forwards(talk: Any, client: Any, server: Server) -> None:
    """Path, query, headers and body arrive; the answer comes back as it is."""
    headers = {"host": "us", "authorization": "Bearer k", "content-length": "8", "connection": "x-mine", "x-mine": "1"}
    one = talk(
        Upstream(server.url, client=client), {"a": 1}, path="/v1/embeddings", headers=headers, query_string=b"a=b%20c"
    )
    got = await one.run()
    assert (got.status, got.body) == (200, b"{}")
    assert got.headers == {"content-type": "application/json", "x-request-id": "r1", "content-length": "2"}
    assert server.line == "POST /v1/embeddings?a=b%20c HTTP/1.1"
    assert server.asked[0].endswith(b'\r\n\r\n{"a": 1}')
    assert server.head["host"] == server.url.removeprefix("http://")
    assert server.head["authorization"] == "Bearer k"
    assert server.head["accept-encoding"] == "identity"
    assert "x-mine" not in server.head


async def test_headers_as_they_are(talk: Any, kind: str, server: Server) -> None:
    """What the client says twice or beyond ASCII arrives so; nothing about a body is made up."""
    one = talk(Upstream(server.url), path="/v1/models", method="GET")
    one.scope["headers"] += [(b"x-a", b"1"), (b"X-A", b"2"), (b"x-name", "ö".encode()), (b"accept-encoding", b"br")]
    upstream, long = one.app, b"x-long: " + b"y" * 20_000
    server.reply = [OK + b"X-B: 1\r\nx-b: \xff\r\n" + long + b"\r\ncontent-length: 0\r\n\r\n"]
    await one.run()
    await upstream.aclose()
    head = server.asked[0].lower()
    assert (head.count(b"x-a: 1\r\n"), head.count(b"x-a: 2\r\n")) == (1, 1)
    assert server.head["x-name"] == "ö"
    assert server.head["accept-encoding"] == "br"
    assert not {"content-type", "content-length", "cookie", "transfer-encoding"} & server.head.keys()
    assert kind != "aiohttp" or len(server.head) == 4
    assert one.sent[0]["headers"][2:5] == [(b"x-b", b"1"), (b"x-b", b"\xff"), (b"x-long", b"y" * 20_000)]


async def test_credentials(talk: Any, server: Server) -> None:
    """Those in the URL are sent, and instead of the client's."""
    upstream = Upstream(server.url.replace("//", "//me:k%40y@"))
    await talk(upstream, {}, headers={"authorization": "Bearer k", "accept-encoding": "gzip"}).run()
    await upstream.aclose()
    assert server.asked[0].lower().count(b"authorization") == 1
    assert server.head["authorization"] == "Basic bWU6a0B5"
    assert server.head["accept-encoding"] == "identity"  # an error that repeats them could not be masked


async def test_nothing_is_decoded(talk: Any, client: Any, server: Server) -> None:
    """A compressed answer is handed on compressed, a redirect as one."""
    server.reply = [OK + b"content-encoding: gzip\r\ncontent-length: 4\r\n\r\n\x1f\x8b\x08\x00"]
    assert (await talk(Upstream(server.url, client=client), {}).run()).body == b"\x1f\x8b\x08\x00"
    server.reply = [b"HTTP/1.1 307 x\r\nlocation: /v2\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"]
    assert (await talk(Upstream(server.url, client=client), {}).run()).headers["location"] == "/v2"


async def test_head(talk: Any, server: Server) -> None:
    """An answer without a body ends at once, whatever its length would be."""
    server.reply, server.close = [OK.replace(b"close", b"keep-alive") + b"content-length: 99\r\n\r\n"], False
    upstream = Upstream(server.url)
    got = await talk(upstream, path="/v1/models", method="HEAD").run()
    await upstream.aclose()
    assert (got.status, got.headers["content-length"], got.body, got.complete) == (200, "99", b"", True)


async def test_closed_meanwhile(talk: Any, client: Any, server: Server) -> None:
    """A connection that the upstream has closed since is not used again."""
    server.reply = [b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}"]
    upstream = Upstream(server.url, client=client)
    for _ in range(3):
        assert (await talk(upstream, {}).run()).body == b"{}"
        await anyio.sleep(0.02)
    assert len(server.asked) == 3


@pytest.mark.parametrize(
    ("base", "path", "line"),
    [
        ("", "/v1/models", "/v1/models"),
        ("/", "/v1/models", "/v1/models"),
        ("/api/v3", "/v1/models", "/api/v3/models"),
        ("/api/v3/?api-version=1", "/v1/models", "/api/v3/models?api-version=1"),
        ("", "/models", "/v1/models"),
        ("/openai/v1", "/openai/v1/models", "/openai/v1/models"),
        ("/a/openai/v1/", "/openai/v1", "/a/openai/v1"),
        ("/v1beta/openai", "/v1beta/openai/models", "/v1beta/openai/models"),
        ("/openai/v1", "/openai/v1x", "/openai/v1/openai/v1x"),
        ("/api/models", "/models/a", "/api/models/models/a"),
        ("", "/v1x", "/v1/v1x"),
        ("", "/v1/models/a%2Fb", "/v1/models/a%2Fb"),
        ("", "/v1/models/%7Ea%C3%B6:b@c+d", "/v1/models/%7Ea%C3%B6:b@c+d"),
        ("", '/v1/a b"<>', "/v1/a%20b%22%3C%3E"),
    ],
)
async def test_urls(talk: Any, server: Server, base: str, path: str, line: str) -> None:
    """What is below /v1 here is below the base URL there; a base URL without a path means its /v1."""
    upstream = Upstream(server.url + base)
    assert (await talk(upstream, path=path, method="GET").run()).status == 200
    await upstream.aclose()
    assert server.line == f"GET {line} HTTP/1.1"


@pytest.mark.parametrize(
    ("base", "line"),
    [("", "/tokenize"), ("/v1", "/tokenize"), ("/a/v1beta/", "/a/tokenize"), ("/proxy", "/proxy/tokenize")],
)
async def test_beside_the_api(talk: Any, server: Server, base: str, line: str) -> None:
    """Only the program can ask for that, with an extension: no client leaves the base."""
    upstream = Upstream(server.url + base)
    extensions = {BESIDE_API: {"path": "/tokenize"}}
    assert (await talk(upstream, {}, path="/tokenize", extensions=extensions).run()).status == 200
    await upstream.aclose()
    assert server.line == f"POST {line} HTTP/1.1"


@pytest.mark.parametrize(
    "path",
    [
        *("/v1/../admin", "/v1/%2e%2e/admin", "/v1/..%2fadmin", "/v1/a/..\\b", "nowhere"),
        *("/v1/..;/admin", "/v1/..;a=b/admin", "/v1/%2e.%3bx/admin", "/v1/%252e%252e/admin", "/v1/%25252e./admin"),
        "/v1/x%252f..%252fadmin",
    ],
)
async def test_no_way_up(talk: Any, path: str) -> None:
    """A path that climbs out of the base URL is not found."""
    assert (await talk(Upstream("http://127.0.0.1:9"), path=path, method="GET").run()).status == 404


@pytest.mark.parametrize("url", ["", "localhost:8000", "ftp://x", "http://"])
async def test_no_url(url: str) -> None:
    """What is no HTTP URL is refused at once."""
    with pytest.raises(ValueError):
        Upstream(url)


async def test_root_path(talk: Any, server: Server) -> None:
    """Where the application is mounted is not the upstream's business."""
    upstream = Upstream(server.url)
    await talk(upstream, path="/llm/v1/models", root_path="/llm", method="GET").run()
    await upstream.aclose()
    assert server.line == "GET /v1/models HTTP/1.1"


async def test_uploads(talk: Any, client: Any, server: Server) -> None:
    """A body in pieces is passed on in pieces, up to the limit."""
    one = talk(Upstream(server.url, client=client), b"x" * 200_000, path="/v1/files")
    assert (await one.run()).status == 200
    assert server.head["transfer-encoding"] == "chunked"
    big = talk(Upstream(server.url, client=client, limits=Limits(max_body=100_000)), b"x" * 200_000, path="/v1/files")
    assert (await big.run()).status == 413


async def test_large(talk: Any, client: Any, server: Server) -> None:
    """A large body arrives whole, with its length."""
    one = talk(Upstream(server.url, client=client), b"")
    one._pieces = [{"type": "http.request", "body": b"x" * 3_000_000}]
    assert (await one.run()).status == 200
    assert server.head["content-length"] == "3000000"
    assert server.asked[0].endswith(b"\r\n\r\n" + b"x" * 3_000_000)


async def test_nobody_there(talk: Any, client: Any, kind: str, caplog: pytest.LogCaptureFixture) -> None:
    """An upstream that is not there is a 502 in the usual shape; the log says where and why, but no secrets."""
    with nobody() as url:
        secret = url.replace("//", "//me:key@") + "?token=t"
        got = await talk(Upstream(secret, client=client), {}).run()
    assert (got.status, got.error["code"]) == (502, "upstream_unreachable")
    error = "ClientConnectorError" if kind == "aiohttp" else "ConnectError"
    (told,) = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert told.startswith(f"Upstream {url.removeprefix('http://')}: The upstream cannot be reached. ({error}")
    assert not any(secret in told for secret in ("key", "token"))


async def test_slow(talk: Any, client: Any, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """An upstream that does not answer is a 504."""
    monkeypatch.setattr(upstream_client, "READ_MARGIN", 0.1)
    server.reply, server.close = [], False
    upstream = Upstream(server.url, client=client, limits=Limits(first_byte=0.1, idle=0.1))
    got = await talk(upstream, {}).run()
    assert (got.status, got.error["code"]) == (504, "upstream_timeout")


async def test_anything_else(talk: Any, client: Any, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the layers below the client let through is an error in the usual shape as well."""

    async def send(*args: Any, **settings: Any) -> None:
        raise RuntimeError

    monkeypatch.setattr(type(client), "request" if kind == "aiohttp" else "send", send)
    got = await talk(Upstream("http://127.0.0.1:9", client=client), {"a": 1}).run()
    assert (got.status, got.error["type"]) == (502, "server_error")


@pytest.mark.parametrize("reply", [b"", b"nonsense\r\n\r\n", b"HTTP/1.1 999 x\r\n\r\n"])
async def test_no_answer(talk: Any, client: Any, server: Server, reply: bytes) -> None:
    """A connection that breaks before an answer is a 502, and so is a status that no server may send."""
    server.reply = [reply]
    got = await talk(Upstream(server.url, client=client), {}).run()
    assert (got.status, got.error["code"]) == (502, None if b"999" in reply else "upstream_disconnected")


@pytest.mark.parametrize("head", [STREAM + b"5\r\nabcde\r\n", OK + b"content-length: 9\r\n\r\nabcde"])
async def test_cut(talk: Any, client: Any, server: Server, head: bytes) -> None:
    """A cut answer is raised: it must not look like a clean end."""
    server.reply = [head]
    one = talk(Upstream(server.url, client=client), {})
    with pytest.raises(UpstreamError):
        await one.run()
    assert one.body == b"abcde"
    assert not one.complete


async def test_cut_while_the_client_is_slow(talk: Any, client: Any, server: Server) -> None:
    """What came before the cut is not lost, although nobody had read it when the connection broke."""
    server.reply, server.pause = [STREAM, b"5\r\nabcde\r\n", b"6\r\nfghijk\r\n"], 0.05
    one = talk(Upstream(server.url, client=client), {})

    async def hold(message: Any) -> None:
        if message.get("body") == b"abcde":
            await anyio.to_thread.run_sync(server.closed.wait, 5)
            await anyio.sleep(0.1)

    one.hold = hold
    with pytest.raises(UpstreamError):
        await one.run()
    assert one.body == b"abcdefghijk"


async def test_cut_below_the_middleware(talk: Any, client: Any, server: Server, frame: Any) -> None:
    """Below the middleware a cut ends the stream as failed."""
    data = frame({"content": "Hel"})
    server.reply = [STREAM + b"%x\r\n%b\r\n" % (len(data), data)]
    app = TranslationMiddleware(Upstream(server.url, client=client))
    got = await talk(app, {"model": "m", "input": "x", "stream": True}).run()
    assert got.types[-1] == "failed"
    assert "lost" in got.events[-1]["response"]["error"]["message"]


async def test_client_leaves(talk: Any, client: Any, server: Server) -> None:
    """When the client goes away, the upstream's connection is closed."""
    server.reply, server.close = [STREAM + b"1\r\nx\r\n"], False
    one = talk(Upstream(server.url, client=client), {})
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(one.run)
        await anyio.sleep(0.2)
        one.gone.set()
    assert await anyio.to_thread.run_sync(server.closed.wait, 5)


async def test_client_leaves_while_it_uploads(talk: Any, client: Any, server: Server) -> None:
    """Half an upload is ended as well, and nothing is answered."""
    one = talk(Upstream(server.url, client=client), b"x" * 70_000)
    one._pieces[-1]["more_body"] = True
    one.gone.set()
    await one.run()
    assert [message for message in one.sent if message["type"].endswith("start") and message["status"] < 400] == []


async def test_no_cookies(talk: Any, server: Server) -> None:
    """A cookie for one client never reaches another."""
    server.reply = [OK + b"set-cookie: user=1; path=/\r\ncontent-length: 2\r\n\r\n{}"]
    upstream = Upstream(server.url)
    first = await talk(upstream, {}).run()
    await talk(upstream, {}).run()
    await upstream.aclose()
    assert first.headers["set-cookie"].startswith("user=1")
    assert "cookie" not in server.head


async def test_lifespan(server: Server, talk: Any) -> None:
    """The pool is closed when the server stops."""
    upstream = Upstream(server.url)
    await talk(upstream, {}).run()
    messages = [{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}]
    sent: list[Any] = []

    async def receive() -> Any:
        return messages.pop(0)

    async def send(message: Any) -> None:
        sent.append(message["type"])

    await upstream({"type": "lifespan"}, receive, send)
    assert sent == ["lifespan.startup.complete", "lifespan.shutdown.complete"]
    assert upstream._clients._open.get() is None


async def test_credentials_for_all(talk: Any, server: Server) -> None:
    """They replace whatever clients send as theirs, and those in the URL."""
    app = Upstream(server.url.replace("://", "://u:p@"), credentials=[(b"authorization", b"Bearer own")])
    names = ("authorization", "api-key", "x-api-key", "x-goog-api-key")
    await talk(app, {}, path="/v1/x", headers={**dict.fromkeys(names, "mine"), "x-a": "b"}).run()
    await app.aclose()
    assert (server.head["authorization"], server.head["x-a"]) == ("Bearer own", "b")
    assert b"mine" not in server.asked[0]


@pytest.mark.parametrize("name", ["", "qwen"])
async def test_what_it_is_called(talk: Any, server: Server, name: str) -> None:
    """Notes have its name, whatever is asked; without one, its host and port."""
    app = Upstream(server.url, limits=Limits(), name=name)
    asked, notes = talk(app, path="/v1/models", method="GET"), Notes()
    asked.scope = with_notes(asked.scope, notes)
    await asked.run()
    await app.aclose()
    assert notes.attempts == [Attempt(name or server.url.removeprefix("http://"), "ok")]
