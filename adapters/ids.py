"""Random identifiers."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable

_AT_ONCE = 64
"""How many are made at once: asking the system for each takes longer than all else that is done for one."""
_unused: deque[str] = deque()
_register_at_fork: Callable[..., None] = getattr(os, "register_at_fork", lambda **_: None)  # Windows has none
_register_at_fork(after_in_child=_unused.clear)


def new_id(prefix: str) -> str:
    """Return a new identifier that nobody can guess: `resp` becomes `resp_<32 hex digits>`."""
    while True:
        try:
            return f"{prefix}_{_unused.pop()}"
        except IndexError:
            digits = os.urandom(16 * _AT_ONCE).hex()
            _unused.extend(digits[at : at + 32] for at in range(0, len(digits), 32))
