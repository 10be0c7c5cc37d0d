"""`diglot check --config`: all that `diglot serve` would check when it starts, and whether its upstreams answer."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from pathlib import Path
from time import monotonic

import anyio

from ...translator import public_url
from ..server import config, store
from ..server.keys import keys_of
from ..server.readiness import AWAY, status_of
from ..upstream.app import Upstream
from .options import print_columns

Row = tuple[str, str, str]
"""What was checked, whether it is good, and what there is to say."""
_GOOD, _BAD = "ok", "WRONG"


def check_config(file: Path, *, connect: bool) -> int:
    """Print a table of what was checked, up to what is wrong, and return the exit status."""
    logging.getLogger("diglot").setLevel(logging.CRITICAL)  # the table says everything
    rows: list[Row] = []
    try:
        for row in _checked(file, connect):
            rows.append(row)
    except ValueError as error:
        rows.append(("settings", _BAD, str(error)))
    print_columns(rows)
    return 1 if any(row[1] == _BAD for row in rows) else 0


def _checked(file: Path, connect: bool) -> Iterator[Row]:
    """Check one thing after the other. Raises ConfigError."""
    from ..server.app import application

    settings = config.load({}, os.environ, file)
    application(settings)
    yield "settings", _GOOD, str(file)
    keys = keys_of(settings.api_keys, settings.api_key)
    yield "keys", _GOOD, "none are checked" if keys is None else str(keys.count)
    choice = anyio.run(store.choose, settings)
    yield "store", _GOOD, choice.warning or (choice.opened.name if choice.opened else "none")
    for name, url in _upstreams(settings):
        yield anyio.run(_asked, name, url, settings) if connect else (name, _GOOD, public_url(url))


def _upstreams(settings: config.Settings) -> Iterator[tuple[str, str]]:
    """Yield the name and the URL of each server that answers."""
    if settings.upstream:
        yield "upstream", settings.upstream


async def _asked(name: str, url: str, settings: config.Settings) -> Row:
    upstream = Upstream(url, limits=settings.limits)
    began = monotonic()
    try:
        status = await status_of(upstream, settings.ready_path)
    finally:
        await upstream.aclose()
    words = f"{public_url(url)}: GET {settings.ready_path} {status} after {monotonic() - began:.1f} s"
    return name, _BAD if status in AWAY else _GOOD, words
