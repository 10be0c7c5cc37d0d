"""What is said when the upstream's answer is none; whole scenarios: tests/adapters/middleware/test_diagnostics.py."""

import pytest

from diglot.translator import explain_status, public_url


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("http://[x", ""),
        ("/v1/x?a=b", "/v1/x"),
        ("https://me:key@host:1/v1?token=t#f", "https://host:1/v1"),
        ("https://host/" + "x" * 10_000, ("https://host/" + "x" * 300)[:200]),
    ],
)
def test_urls_without_what_may_be_private(url: str, shown: str) -> None:
    """A URL that is none is not shown, and a long one not whole."""
    assert public_url(url) == shown


@pytest.mark.parametrize(
    ("status", "body", "location", "made", "message"),
    [
        (307, b"", "https://a/v1", 502, "The upstream redirects to https://a/v1; use that URL as the upstream."),
        (503, b"", "", 503, "(the upstream answered 503)."),
        (0, b"", "", 502, "(the upstream answered nothing)."),
        (429, b'{"error":{"message":"Slow down."}}', "", 429, "Slow down."),
        (999, b"x", "", 502, "x"),
    ],
)
def test_statuses(status: int, body: bytes, location: str, made: int, message: str) -> None:
    """What is no success has a status that may be sent, and words."""
    error = explain_status(status, body, location)
    assert error.status == made
    assert error.message.endswith(message)
