"""uvicorn with httptools: what its parser takes for another protocol."""

from collections.abc import Iterator

import pytest

from diglot.adapters.server import protocol_httptools

import raw_client
from raw_client import Client, serving

OFFER = (
    b"POST /x HTTP/1.1\r\nhost: x\r\nx-a: 1\r\nX-A: 2\r\nupgrade: h2c\r\nconnection: %b\r\n"
    b"content-length: 5\r\n\r\nhello"
)
LAST = b"GET /last HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"


@pytest.fixture
def client() -> Iterator[Client]:
    """A client of a server with this parser."""
    with serving(protocol_httptools.BoundedHttpToolsProtocol) as one:
        yield one


@pytest.mark.parametrize("connection", [b"Upgrade", b"upgrade, http2-settings", b"keep-alive, Upgrade"])
def test_what_is_read_again(client: Client, connection: bytes) -> None:
    """The head without the offer is the head: headers in their order, the connection as the client wants it."""
    data = client.ask(OFFER % connection + LAST)
    assert data.count(b"HTTP/1.1 200") == 2
    assert b'["x-a", "1"], ["x-a", "2"]' in data
    assert b"http2" not in data


def test_a_client_that_closes(client: Client) -> None:
    """Whoever wants the connection closed gets that, too."""
    data = client.ask(OFFER % b"close, Upgrade" + LAST)
    assert data.count(b"HTTP/1.1 200") == 1
    assert b"connection: close" in data


def test_many_at_once(client: Client) -> None:
    """A thousand offers in one packet are a thousand requests."""
    data = client.ask(OFFER % b"Upgrade" * 1000 + LAST)
    assert data.count(b'"body": "hello"') == 1000


def test_after_an_answer(client: Client) -> None:
    """An application may answer before the body has come; the rest of it is not the next request."""
    deaf = OFFER.replace(b"/x", b"/deaf") % b"Upgrade"
    data = client.ask(deaf[:-2], b"lo" + LAST)
    assert data.count(b"HTTP/1.1 200") == 2


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (b"CONNECT a:1 HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n\r\nhello", 405),
        (b"POST /x HTTP/1.1\r\nhost: a\r\nx-a: " + b"a" * 70_000 + b"\r\ncontent-length: 5\r\n\r\nhello", 431),
        (b"CONNECT a:1 HTTP/1.1\r\nhost: a\r\n\r\nn\xffnsense\r\n\r\n", 405),
        (b"GET /x HTTP/1.1\r\nhost: a\r\nx-a: " + b"a" * 70_000 + b"\r\n\r\nn\xffnsense\r\n\r\n", 431),
    ],
)
def test_nothing_after_a_refusal(client: Client, head: bytes, status: int, caplog: pytest.LogCaptureFixture) -> None:
    """What follows a head that was refused is not read, and nothing breaks."""
    before = len(raw_client.PATHS)
    data = client.ask(head + LAST)
    assert data.startswith(b"HTTP/1.1 %d" % status)
    assert data.count(b"HTTP/1.1") == 1
    assert "/last" not in raw_client.PATHS[before:]
    assert not [record for record in caplog.records if record.exc_info]


def test_an_error_in_the_middle_of_an_answer(client: Client) -> None:
    """An answer that has begun is not followed by another one: the connection ends."""
    data = client.ask(b"GET /flood HTTP/1.1\r\nhost: x\r\n\r\n", b"nonsense\r\n\r\n")
    assert data.count(b"HTTP/1.1") == 1


def test_no_more_input() -> None:
    """What comes behind a refusal, while that is written, goes nowhere: no parser is needed."""
    protocol = protocol_httptools.BoundedHttpToolsProtocol.__new__(protocol_httptools.BoundedHttpToolsProtocol)
    vars(protocol)["_ignores_input"] = True
    protocol.data_received(b"nonsense")
    assert vars(protocol) == {"_ignores_input": True}
