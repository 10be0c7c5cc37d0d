"""Ids and times of a line: functions of its own id, or of its bytes, and of its own time."""

from __future__ import annotations

import functools
import hashlib
from datetime import UTC, datetime
from typing import Any


class LineIds:
    """Makes ids for prefixes (``resp`` -> ``resp_...``): the same line gives the same ids.

    >>> LineIds("request-1")("resp") == LineIds("request-1")("resp")
    True
    """

    def __init__(self, own_id: Any, data: bytes = b"") -> None:
        self._own_id = own_id
        self._data = data
        self._count = 0

    @functools.cached_property
    def _hash(self) -> Any:
        """Most lines need no ids."""
        return hashlib.sha256(str(self._own_id).encode("utf-8", "replace") if self._own_id else self._data)

    def __call__(self, prefix: str) -> str:
        digest = self._hash.copy()
        digest.update(b"\n%d" % self._count)
        self._count += 1
        return f"{prefix}_{digest.hexdigest()[:32]}"


def seconds(time: Any) -> float:
    """Return a time as Unix seconds: a number, or a date of ISO 8601 (UTC if it names no zone); else 0.

    >>> seconds("1970-01-01T00:01:00Z")
    60.0
    """
    if isinstance(time, (int, float)) and not isinstance(time, bool):
        return float(time)
    try:
        moment = datetime.fromisoformat(time if isinstance(time, str) else "")
    except ValueError:
        return 0.0
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
