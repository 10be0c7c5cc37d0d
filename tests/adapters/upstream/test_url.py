"""URLs of upstreams as people paste them."""

import pytest

from diglot.adapters import Upstream
from diglot.adapters.upstream.url import problem

GOOD = [
    "http://127.0.0.1:8000",
    "https://host.example/v1/",
    "HTTP://Host:1/some/prefix",
    "http://user:p%40ss@host:1/v1?api-version=1",
    "http://[::1]:80",
    "http://[fe80::1%25eth0]:1",
    "http://a_b:1",
    "http://b\u00fccher.example",
]
MEANT = [
    ("localhost:8000", "http://localhost:8000"),
    ("127.0.0.1:8000/v1", "http://127.0.0.1:8000/v1"),
    ("[::1]:8000", "http://[::1]:8000"),
    ("vllm:8000", "http://vllm:8000"),
    ("//h:1", "http://h:1"),
    ("api.example.com/v1", "https://api.example.com/v1"),
    ("api.example.com", "https://api.example.com"),
    ("http:/localhost:8000", "http://localhost:8000"),
    ("http//localhost:8000", "http://localhost:8000"),
    ("https:localhost", "https://localhost"),
    ("htp://h:1/v1", "http://h:1/v1"),
    ("htttps://h:1/v1", "https://h:1/v1"),
    ("http:\\\\localhost:8000", "http://localhost:8000"),
    (" http://h:1\n", "http://h:1"),
    ("user:key@h:1", "http://h:1"),
    ("h:1/v1?key=1", "http://h:1/v1"),
    ("http://h/v1/chat/completions", "http://h/v1"),
    ("http://user:key@h/v1/responses/?key=1", "http://h/v1"),
    ("http://h/responses/compact", "http://h"),
]
WRONG = [
    *("http://", "http://:80", "http://u:p@", "http://h:99999", "http://h:x", "http://h:0", "http://h:"),
    *(
        "http://[::1",
        "http://[x]",
        "http://[v1.a:b]",
        "http://a..b",
        "http://" + "a" * 70,
        "http://.",
        "http://fe80::1",
    ),
    *("http://h/v1#x", "http://u:p#key@h", "ws://h", "file:///etc/passwd", "unix:/run/x.sock", "?key=a@b", "/", ":"),
    *("http://a b", "http://h\x00", "http://h<", "", " "),
]


@pytest.mark.parametrize("url", GOOD)
def test_good(url: str) -> None:
    """These are taken as they are."""
    assert problem(url) is None
    Upstream(url)


@pytest.mark.parametrize(("url", "meant"), MEANT)
def test_meant(url: str, meant: str) -> None:
    """What may be meant is named, and would be taken; nothing private is repeated."""
    words = problem(url) or ""
    assert f"did you mean {meant}?" in words
    assert "key" not in words
    assert problem(meant) is None


@pytest.mark.parametrize("url", WRONG)
def test_wrong(url: str) -> None:
    """There is no use in guessing here, but still in one short line."""
    words = problem(url)
    assert words is not None
    assert words.isprintable()
    assert "key" not in words
    assert len(words) < 400
