"""uvicorn with h11: what h11 does by itself, and what it does not."""

from collections.abc import Iterator

import pytest

from diglot.adapters.server import protocol_h11

from raw_client import Client, serving

LAST = b"GET /last HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"


@pytest.fixture
def client() -> Iterator[Client]:
    """A client of a server with this parser."""
    with serving(protocol_h11.BoundedH11Protocol) as one:
        yield one


def test_heads_that_come_at_once(client: Client) -> None:
    """The bound of heads holds for those that are whole, too; bodies have their own."""
    head = b"POST /x HTTP/1.1\r\nhost: x\r\nconnection: close\r\n"
    assert client.ask(head + b"x-a: " + b"a" * 70_000 + b"\r\n\r\n").startswith(b"HTTP/1.1 431")
    assert client.seen(head + b"content-length: 70000\r\n\r\n" + b"b" * 70_000)["body"] == "b" * 70_000


@pytest.mark.parametrize(
    "pieces", [[b"CONNECT a:1 HTTP/1.1\r\n\r\n"], [b"CONN", b"ECT a:1 HTTP/1.1\r\nhost: a\r\n\r\n"]]
)
def test_tunnels(client: Client, pieces: list[bytes]) -> None:
    """There are none, however the word for them was cut."""
    assert client.ask(*pieces).startswith(b"HTTP/1.1 405")


def test_one_after_the_other(client: Client) -> None:
    """Requests on one connection are answered in their order."""
    data = client.ask(b"GET /a HTTP/1.1\r\nhost: x\r\n\r\n" * 3 + LAST)
    assert data.count(b'"path": "/a"') == 3
    assert b'"path": "/last"' in data
