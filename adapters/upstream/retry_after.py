"""How long a server wants to be left alone: `retry-after` (RFC 9110, 10.2.3) and OpenAI's `retry-after-ms`."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable
from email.utils import parsedate_to_datetime

LONGEST = 600.0
"""Seconds: a server that is left for longer may be back by then."""
_NUMBER = re.compile(rb"\d{1,12}(\.\d{1,12})?", re.ASCII)


def seconds(headers: Iterable[tuple[bytes, bytes]]) -> float | None:
    """Return the seconds that the headers of an answer ask for; None if they do not, or not in a way that is known."""
    named = {bytes(name).lower(): bytes(value).strip() for name, value in headers}
    exact, rough = named.get(b"retry-after-ms", b""), named.get(b"retry-after", b"")
    if _NUMBER.fullmatch(exact):
        return min(float(exact) / 1000, LONGEST)
    if _NUMBER.fullmatch(rough):
        return min(float(rough), LONGEST)
    try:
        until = parsedate_to_datetime(rough.decode("latin-1")).timestamp()
    except (ValueError, TypeError, OverflowError):
        return None
    return min(max(until - time.time(), 0.0), LONGEST)
