"""When an answer was made: `created` <-> `created_at`, in whole seconds (D36)."""

from __future__ import annotations

from typing import Any

_MILLISECONDS = 10**11  # D36: a time larger than this is not in seconds
_ABSURD = _MILLISECONDS * 1000


def seconds(value: Any) -> int | None:
    """Return a time that an upstream says, in whole seconds; None for what is none, or cannot be one.

    Numbers of any size and kind are read without harm: not a number, infinity, hundreds of digits.
    """
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 1 <= value < _ABSURD:
        return None
    return int(value // 1000 if value > _MILLISECONDS else value)
