"""The bounds of a client's connection, with both parsers: real servers, raw clients."""

import asyncio
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from diglot.adapters import Limits
from diglot.adapters.server import protocol, protocol_h11, protocol_httptools

from raw_client import Client, everything, serving

PARSERS: dict[str, Any] = {
    "httptools": protocol_httptools.BoundedHttpToolsProtocol,
    "h11": protocol_h11.BoundedH11Protocol,
}
QUICK = Limits(request=0.4, stalled=0.4, shutdown=0.1)


@pytest.fixture(params=PARSERS)
def client(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    """A client of a server with one of the parsers, and little patience."""
    monkeypatch.setattr(protocol.ConnectionTimers, "limits", QUICK)
    with serving(PARSERS[request.param]) as one:
        yield one


HEAD = b"POST /x HTTP/1.1\r\nhost: x\r\nconnection: close\r\n"
OFFER = (
    b"POST /x HTTP/1.1\r\nhost: x\r\nconnection: Upgrade, HTTP2-Settings, close\r\n"
    b"upgrade: h2c\r\nhttp2-settings: AAMAAABk\r\n"
)


@pytest.mark.parametrize(
    "pieces",
    [
        (OFFER + b"content-length: 5\r\n\r\nhello",),
        (OFFER + b"content-length: 5\r\n\r\n", b"hel", b"lo"),
        (OFFER + b"transfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",),
        (OFFER.replace(b"h2c", b"websocket") + b"content-length: 5\r\n\r\nhello",),
    ],
)
def test_offered_upgrades(client: Client, pieces: tuple[bytes, ...]) -> None:
    """A client that would also speak another protocol is served in this one, body included."""
    seen = client.seen(*pieces)
    assert (seen["method"], seen["path"], seen["body"]) == ("POST", "/x", "hello")


def test_pipelined_upgrades(client: Client) -> None:
    """What follows such a request is the next request, never its body or another protocol."""
    offers = OFFER.replace(b", close", b"") + b"content-length: 5\r\n\r\nhello"
    data = client.ask(offers * 3 + HEAD + b"content-length: 2\r\n\r\nho")
    assert data.count(b"HTTP/1.1 200") == 4
    assert data.count(b'"body": "hello"') == 3


def test_websocket_is_seen(client: Client) -> None:
    """The application sees that a websocket was wanted, and may refuse it in its own words."""
    ask = b"GET /x HTTP/1.1\r\nhost: x\r\nconnection: upgrade, close\r\nupgrade: websocket\r\n\r\n"
    assert ["upgrade", "websocket"] in client.seen(ask)["headers"]


@pytest.mark.parametrize(
    "broken",
    [
        b"no\xffsense\r\n\r\n",
        HEAD + b"transfer-encoding: chunked\r\n\r\nzz\r\n",
        b"CONNECT a:1 HTTP/1.1\r\nhost: a\r\n\r\n",
        b"GET http://a://b/ HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n",
    ],
)
def test_requests_before_a_broken_one(client: Client, broken: bytes) -> None:
    """Whoever sends several at once gets answers in order (RFC 9112, 9.3.2): the refusal is not the first one's."""
    good = b"GET /%d HTTP/1.1\r\nhost: x\r\n\r\n"
    data = client.ask(b"".join(good % i for i in range(3)) + broken)
    statuses = [line[9:12] for line in data.split(b"\r\n") if line.startswith(b"HTTP/1.1 ")]
    assert [path for path in range(3) if b'"path": "/%d"' % path in data] == [0, 1, 2]
    assert statuses[:3] == [b"200"] * 3
    assert statuses[3:] in ([], [b"400"], [b"405"], [b"200"])


def test_nothing_behind_a_broken_one(client: Client) -> None:
    """What comes behind a request that cannot be read is not read, while an earlier one waits for its answer."""
    data = client.ask(
        b"GET /slow HTTP/1.1\r\nhost: x\r\n\r\nno\xffsense\r\n\r\n", b"GET /more HTTP/1.1\r\nhost: x\r\n\r\n"
    )
    assert b'"path": "/slow"' in data
    assert b"/more" not in data


def test_requests_without_end(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of requests that come before earlier ones have answers, no more is read than one piece of the network."""
    waiting: list[int] = []
    start = HttpToolsProtocol.on_headers_complete

    def counted(self: Any) -> None:
        start(self)
        waiting.append(len(self.pipeline))

    monkeypatch.setattr(HttpToolsProtocol, "on_headers_complete", counted)
    ask = b"GET /x HTTP/1.1\r\nhost: x\r\n\r\n"
    with client.connection() as one:
        sending = threading.Thread(target=one.sendall, args=(ask * 20_000 + HEAD + b"content-length: 2\r\n\r\nho",))
        sending.start()
        data = everything(one)
        sending.join()
    assert data.count(b"HTTP/1.1 200") == 20_001
    assert max(waiting, default=0) <= 2**18 // len(ask) + 1


def test_a_late_request_behind_a_slow_one(client: Client) -> None:
    """Nothing is written into an answer because the next request does not come to its end."""
    data = client.ask(b"GET /slow HTTP/1.1\r\nhost: x\r\n\r\n" + HEAD + b"content-length: 5\r\n\r\nhe")
    head, _, body = data.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200")
    told, _, rest = body.partition(b"\r\n0\r\n\r\n")
    assert b"HTTP/1.1" not in told
    assert b'"path": "/slow"' in told
    assert not rest or rest.startswith(b"HTTP/1.1 408")


CHUNKED = HEAD + b"transfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n"


@pytest.mark.parametrize("trailer", [b"authorization: evil", b"content-encoding: gzip", b"connection: x-keep"])
def test_trailers(client: Client, trailer: bytes) -> None:
    """What comes behind a body in pieces is no header."""
    seen = client.seen(CHUNKED + trailer + b"\r\n\r\n")
    assert seen["body"] == "hello"
    assert [name for name, _ in seen["headers"]] == ["host", "connection", "transfer-encoding"]


@pytest.mark.parametrize(
    ("pieces", "status"),
    [
        ([HEAD, *[b"x-a: " + b"a" * 8000 + b"\r\n"] * 40], 431),
        ([HEAD, b"x-a: " + b"a" * 50_000, b"a" * 50_000, b"\r\n\r\n"], 431),  # the second piece is within the bound
        ([HEAD + b"x-a: " + b"a" * 70_000 + b"\r\n\r\n"], 431),
        ([b"GET /?" + b"a" * 300_000], 431),
        ([b"POST /x HTTP/1.1\r\n"], 408),
        ([HEAD + b"content-length: 5\r\n\r\nhel"], 408),
        ([HEAD + b"transfer-encoding: chunked\r\n\r\n3\r\nhel\r\n"], 408),
        ([b"CONNECT example.com:443 HTTP/1.1\r\nhost: example.com\r\n\r\n"], 405),
        ([b"nonsense\r\n\r\n"], 400),
    ],
)
def test_refused(client: Client, pieces: list[bytes], status: int) -> None:
    """Endless heads, requests that do not come to an end and what is none are refused, and the connection ends."""
    answer = client.ask(*pieces)
    assert answer.startswith(b"HTTP/1.1 %d" % status)
    assert b"connection: close" in answer.lower()


def test_nothing_at_all(client: Client) -> None:
    """A connection on which nothing is asked is closed without a word."""
    assert client.ask(b"") == b""


def test_late_after_an_answer(client: Client) -> None:
    """The next request on a connection must come in time, too, whatever came of it already."""
    with client.connection() as one:
        one.sendall(b"GET /x HTTP/1.1\r\nhost: x\r\n\r\n")
        assert one.recv(65536).startswith(b"HTTP/1.1 200")
        one.sendall(b"\r\n")
        one.settimeout(3)
        assert not everything(one).startswith(b"HTTP/1.1 200")


def test_body_that_ends_after_the_answer(client: Client) -> None:
    """A connection whose body nobody waits for is closed when it does not end."""
    with client.connection() as one:
        one.sendall(b"POST /deaf HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n")
        one.settimeout(3)
        data = everything(one)
    assert data.startswith(b"HTTP/1.1 200")
    assert data.count(b"HTTP/1.1") == 1


@pytest.mark.parametrize("path", [b"/flood", b"/x"])
def test_client_that_does_not_read(client: Client, path: bytes) -> None:
    """Who reads nothing of a large answer is hung up on; who reads is not."""
    with client.connection((socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)) as one:
        one.sendall(b"GET " + path + b" HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
        threading.Event().wait(1.2 if path == b"/flood" else 0.1)
        data = everything(one)
    assert len(data) < 65536 * 400
    assert data.endswith(b"0\r\n\r\n") is (path == b"/x")


def test_reading_again(client: Client) -> None:
    """A client that reads slowly, but reads, gets everything."""
    with client.connection((socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)) as one:
        one.sendall(b"GET /flood HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
        threading.Event().wait(0.2)
        assert everything(one).endswith(b"0\r\n\r\n")


def test_choice(monkeypatch: pytest.MonkeyPatch) -> None:
    """The faster parser is used where it is installed."""
    assert protocol.http_protocol() is protocol_httptools.BoundedHttpToolsProtocol
    monkeypatch.setattr(protocol, "find_spec", lambda name: None)
    assert protocol.http_protocol() is protocol_h11.BoundedH11Protocol


class Pipe:
    """A connection that takes nothing, or everything."""

    def __init__(self, left: int) -> None:
        self.left = left
        self.aborted = False

    def get_write_buffer_size(self) -> int:
        return self.left

    def abort(self) -> None:
        self.aborted = True


@pytest.mark.parametrize(("left", "afterwards", "aborted"), [(1, 1, True), (1, 0, False), (0, 0, False)])
def test_the_rest_of_an_answer(monkeypatch: pytest.MonkeyPatch, left: int, afterwards: int, aborted: bool) -> None:
    """What a client does not read in time keeps its connection no longer."""
    monkeypatch.setattr(protocol.ConnectionTimers, "limits", Limits(stalled=0.01, shutdown=0.01))

    async def main() -> bool:
        pipe: Any = Pipe(left)
        timers = protocol.ConnectionTimers(asyncio.get_running_loop(), lambda: None)
        timers.expect_reader()
        timers.open(pipe)
        timers.expect_reader()
        pipe.left = afterwards
        await asyncio.sleep(0.05)
        timers.close()
        return pipe.aborted

    assert asyncio.run(main()) is aborted
