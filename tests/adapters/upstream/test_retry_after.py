"""How long a server wants to be left alone."""

import time
from email.utils import formatdate

import pytest

from diglot.adapters.upstream.retry_after import LONGEST, seconds


@pytest.mark.parametrize(
    ("headers", "wanted"),
    [
        ([], None),
        ([(b"Retry-After", b" 7 ")], 7.0),
        ([(b"retry-after", b"1.5")], 1.5),
        ([(b"retry-after", b"7"), (b"retry-after-ms", b"250")], 0.25),
        ([(b"retry-after", b"99999")], LONGEST),
        ([(b"retry-after-ms", b"999999999")], LONGEST),
        ([(b"retry-after", b"-1")], None),
        ([(b"retry-after", b"soon")], None),
        ([(b"retry-after", "\u0663".encode())], None),
        ([(b"retry-after", b"1" * 10_000)], None),
        ([(b"retry-after", b"Thu, 01 Jan 1970 00:00:00 GMT")], 0.0),
    ],
)
def test_seconds(headers: list[tuple[bytes, bytes]], wanted: float | None) -> None:
    """In seconds, in milliseconds, bounded; anything else says nothing."""
    assert seconds(headers) == wanted


def test_date() -> None:
    """It may be a date."""
    wait = seconds([(b"retry-after", formatdate(time.time() + 30, usegmt=True).encode())])
    assert wait is not None
    assert 28 < wait <= 31
