"""Hosts and origins in one form."""

import socket
from typing import Any

import pytest

from diglot.adapters.asgi.origins import Host, host, is_loopback, origin


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("localhost", ("localhost", "")),
        ("LOCALHOST:8080", ("localhost", "8080")),
        ("localhost.", ("localhost", "")),
        ("localhost.:80", ("localhost", "80")),
        ("127.0.0.1:", ("127.0.0.1", "")),
        ("h:0080", ("h", "80")),
        ("[::1]:8080", ("[::1]", "8080")),
        ("[0:0:0:0:0:0:0:1]", ("[::1]", "")),
        ("[2001:DB8::0:1]", ("[2001:db8::1]", "")),
        ("a_b-c.example", ("a_b-c.example", "")),
    ],
)
def test_hosts(text: str, found: tuple[str, str]) -> None:
    """In lower case, without a trailing dot, numbers in their short form."""
    assert host(text) == Host(*found)


@pytest.mark.parametrize(
    "text",
    [
        *("", ".", ":80", "localhost:x", "localhost:80:80", "localhost:999999", "local host", "localhost/", "a,b"),
        *(
            "::1",
            "[::1",
            "[x]",
            "[::g]",
            "[1:2]",
            "user@localhost",
            "localhost@evil",
            "http://localhost",
            "b\u00fccher",
        ),
        *("localhost\x00", "localhost\n", "localhost#", "localhost?", "%6cocalhost", "\u0131localhost", "h:\u0661"),
    ],
)
def test_no_hosts(text: str) -> None:
    """What is not a host name is nobody."""
    assert host(text) is None


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("https://app.example", "https://app.example"),
        ("HTTPS://App.Example.:443/", "https://app.example"),
        ("http://h:80", "http://h"),
        ("https://h:80", "https://h:80"),
        ("http://[0::1]:3000", "http://[::1]:3000"),
        ("chrome-extension://abc", "chrome-extension://abc"),
        ("null", "null"),
    ],
)
def test_origins(text: str, written: str) -> None:
    """As browsers write them."""
    found = origin(text)
    assert str(found) == written
    assert origin(written) == found


@pytest.mark.parametrize(
    "text",
    ["", "app.example", "https://", "https://a/b", "https://a?b", "https://u@a", "//a", "NULL", "file://", "a:b"],
)
def test_no_origins(text: str) -> None:
    """What is not an origin is nobody's."""
    assert origin(text) is None


@pytest.mark.parametrize(
    ("page", "here", "same"),
    [
        ("http://localhost:8080", "localhost:8080", True),
        ("http://localhost", "localhost", True),
        ("http://localhost", "localhost:80", True),
        ("https://h", "h", True),
        ("https://h", "h:443", True),
        ("https://h:8080", "h:8080", True),
        ("http://localhost:3000", "localhost:8080", False),
        ("http://localhost", "localhost:8080", False),
        ("http://a", "b", False),
        ("null", "localhost", False),
        ("chrome-extension://localhost", "localhost", False),
        ("http://localhost", "", False),
    ],
)
def test_same(page: str, here: str, same: bool) -> None:
    """A page is the server's own if name and port are the same; whether a proxy encrypts, nobody knows."""
    found = origin(page)
    assert found is not None
    assert found.is_at(host(here)) is same


@pytest.mark.parametrize(
    ("address", "local"),
    [
        ("127.0.0.1", True),
        ("127.1.2.3", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("::", False),
        ("192.0.2.1", False),
        ("", False),
        ("no such host", False),
        ("a" * 80, False),
    ],
)
def test_loopback(address: str, local: bool) -> None:
    """Whether only this machine can reach it."""
    assert is_loopback(address) is local


@pytest.mark.parametrize(
    ("numbers", "local"), [(("127.0.1.1",), True), (("127.0.0.1", "192.0.2.1"), False), (("fe80::1%eth0",), False)]
)
def test_a_name_of_this_machine(numbers: Any, local: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Debian calls 127.0.1.1 by the name of the machine; all numbers of a name count."""
    monkeypatch.setattr(socket, "getaddrinfo", lambda *given: [(0, 0, 0, "", (number, 0)) for number in numbers])
    assert is_loopback("box") is local
