"""Finds keys where nobody should: in what a test, or a server that it has started, has written or logged."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

KEY = re.compile(r"sk-diglot-[\w-]{16}|k3y|sk-very-secret")
"""The keys that `diglot keys` makes, and what tests take for those of clients and upstreams."""
_LARGEST = 10 * 1024 * 1024
_BEFORE = 60


def leak(sections: Iterable[tuple[str, str]], folder: Path | None) -> str | None:
    """Return where a key is, or None: in the captured output, or in the logs below the *folder* of a test."""
    logs = folder.rglob("*log*") if folder is not None else ()
    files = [(str(log), log.read_text("utf-8", "replace")) for log in logs if _is_log(log)]
    for name, text in (*sections, *files):
        if (found := KEY.search(text)) is not None:
            return f"A key is in {name}: ...{text[max(0, found.start() - _BEFORE) : found.start()]}[KEY]"
    return None


def _is_log(path: Path) -> bool:
    return path.is_file() and path.stat().st_size <= _LARGEST
