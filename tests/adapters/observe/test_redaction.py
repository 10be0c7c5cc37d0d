"""Credentials are not kept."""

import pytest

from diglot.adapters.observe.redaction import HIDDEN, Redaction, secrets_in, shown_headers, shown_target

KEY = b"sk-proj-0123456789"


def test_headers() -> None:
    """Names are shown, values only of headers that are known to be harmless; all is bounded."""
    headers = [(b"authorization", b"Bearer x"), (b"x-unknown", b"v"), (b"x-stainless-lang", b"js"), (b"accept", b"*/*")]
    assert shown_headers(headers) == [
        ("authorization", HIDDEN),
        ("x-unknown", HIDDEN),
        ("x-stainless-lang", "js"),
        ("accept", "*/*"),
    ]
    many = shown_headers([(b"x" * 9999, b""), (b"accept", b"y" * 9999)] * 50)
    assert len(many) == 60
    assert max(len(name) + len(value) for name, value in many) < 400


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        (b"", "/v1"),
        (b"api-version=1&key=k3y", f"/v1?api-version=1&key={HIDDEN}"),
        (b"&&=&x", f"/v1?={HIDDEN}&x={HIDDEN}"),
        (b"limit=" + b"9" * 9999, "/v1?limit=" + "9" * 590),
    ],
)
def test_query(query: bytes, shown: str) -> None:
    """Values of parameters are shown if they are known to be harmless."""
    assert shown_target("/v1", query) == shown


def test_secrets() -> None:
    """Credentials of headers are found where they are long enough to be one."""
    headers = [
        (b"authorization", b"Bearer " + KEY),
        (b"x-api-key", b"short"),
        (b"cookie", b"a=1; session=0123456789abcdef"),
        (b"x-portkey-virtual", b"virtual-key-1"),
        (b"x-other", b"not a credential"),
        (b"x-ratelimit-remaining-tokens", b"150000000"),
    ]
    assert secrets_in(headers) == (KEY, b"0123456789abcdef", b"virtual-key-1")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"nothing", b"nothing"),
        (b"Incorrect API key provided: " + KEY, b"Incorrect API key provided: " + b"*" * len(KEY)),
        (b'"https://me:pw@h/x"', b'"https://*****@h/x"'),
        (b'"https://h/x@y"', b'"https://h/x@y"'),
        (b'{"authorization": "abc"}', b'{"authorization": "abc"}'),
        (
            b'{"server_label":"s","authorization": "a\\"c","headers":{"X-Key":"v","Authorization":"Bearer t"}}',
            b'{"server_label":"s","authorization": "****","headers":{"X-Key":"*","Authorization":"********"}}',
        ),
        (
            b'{"server_label":"s","server_url":"https://h/sse?key=a&b=c","headers":{"X-Key":"{a}b","Y":["c","d"]},"e":"f"}',
            b'{"server_label":"s","server_url":"https://h/sse?*********","headers":{"X-Key":"****","Y":["*","*"]},"e":"f"}',
        ),
        (b'{"server_label":"s","headers":{"X-Key":"cut', b'{"server_label":"s","headers":{"X-Key":"***'),
        (b'{"server_label":"s","headers":{"X-Key":"cut\\', b'{"server_label":"s","headers":{"X-Key":"****'),
        (b'{"server_label":"s","authorization":"cut', b'{"server_label":"s","authorization":"***'),
    ],
)
def test_bodies(before: bytes, after: bytes) -> None:
    """Nothing moves: each byte becomes one `*`."""
    assert Redaction((KEY,)).clean(before) == after
    assert Redaction((KEY,)).clean_text(before.decode()) == after.decode()


def test_clean_bodies_are_not_copied() -> None:
    """Without a credential, the same object comes back."""
    body = b"{}" * 99
    assert Redaction(()).clean(body) is body
    assert Redaction(()).clean_text("") == ""
