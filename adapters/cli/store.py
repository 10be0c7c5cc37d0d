"""`diglot store`: what is kept, for those who look after it: counts, purges, exports, and whether the store works."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any
from uuid import uuid4

import anyio
import click
import msgspec

from ...translator import encode_json, state
from ..server import config
from ..server import store as server_store
from ..store import Counts, NewRecord, Opened, Store, StoreError
from ..store.values import counts_of
from .options import SettingsError, amount, print_columns
from .store_export import date, exported

CHECK_TENANT = "diglot-check-"
"""How the tenants of checks begin; each has one of its own, that of no client."""
_STEPS = ("write", "read", "delete")
_PORTION = 100
_HEAD = (
    *("TENANT", "RESPONSES", "BYTES", "OLDEST", "CONVERSATIONS", "ITEMS", "BYTES"),
    *("COMPLETIONS", "BYTES"),
)
Step = Callable[[Store, Opened], Awaitable[None]]


def _store_options(command: Any) -> Any:
    """Add the options that say which store it is."""
    url = click.option(
        "--store",
        "url",
        metavar="URL",
        help="The store: sqlite:///FILE, postgresql://... or redis://...  [default: that of `diglot serve`]",
    )
    file = click.option("--config", "file", type=click.Path(path_type=Path), help="A TOML file with settings.")
    return url(file(command))


@click.group()
def store() -> None:
    """Count, delete, export and check what `diglot serve` has stored.

    The store is that of the settings of `diglot serve` (--store, DIGLOT_STORE, or [state] in the file), or else the
    file in the user's state directory.
    """


@store.command()
@_store_options
def stats(url: str | None, file: Path | None) -> None:
    """Show what is stored, by tenant, and how many processes and runs there are."""

    async def show(opened_store: Store, opened: Opened) -> None:
        found = await opened_store.counts()
        activity = await opened_store.activity()
        click.echo(
            f"{opened.name}: {amount(activity.processes, 'process', 'processes')}, {amount(activity.runs, 'run')}\n"
        )
        print_columns([_HEAD, *map(_row, [*found, _total(found)])])

    _run(url, file, show)


def _row(counts: Counts) -> list[str]:
    oldest = date(counts.oldest) if counts.oldest else "-"
    return [counts.tenant, str(counts.records), str(counts.record_bytes), oldest, *map(str, counts[4:])]


def _total(found: list[Counts]) -> Counts:
    """Return the sums, and the oldest of all."""
    columns = zip(*(each[1:] for each in (counts_of(""), *found)), strict=True)
    total = Counts("all", *map(sum, columns))
    return total._replace(oldest=min((each.oldest for each in found if each.oldest), default=0))


@store.command()
@_store_options
@click.option("--expired", is_flag=True, help="What has expired; without another option, that is the default.")
@click.option(
    "--before",
    type=click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%SZ"]),
    metavar="DATE",
    help="Chains whose last turn, and conversations and chat completions that were created before DATE (UTC).",
)
@click.option("--tenant", metavar="TENANT", help="What there is of TENANT, as `diglot store stats` shows it.")
@click.option("--everything", is_flag=True, help="All of all tenants.")
@click.option("--dry-run", is_flag=True, help="Only count.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def purge(
    url: str | None,
    file: Path | None,
    expired: bool,
    before: datetime | None,
    tenant: str | None,
    everything: bool,
    dry_run: bool,
    yes: bool,
) -> None:
    """Delete stored chains of responses, conversations and chat completions.

    --before and --tenant may be combined.
    """
    others = before is not None or tenant is not None
    if (expired and (others or everything)) or (everything and others):
        raise click.UsageError("--expired, --everything, and --before with --tenant exclude each other")
    expired = not others and not everything
    moment = None if before is None else int(before.replace(tzinfo=UTC).timestamp())

    async def delete(opened_store: Store, opened: Opened) -> None:
        count = await opened_store.purgeable(tenant, moment, expired=expired)
        what = f"{count} chains, conversations and chat completions"
        if dry_run:
            click.echo(f"{opened.name}: would delete {what}")
            return
        if not expired and not yes and sys.stdin.isatty():
            click.confirm(f"{opened.name}: delete {what}?", abort=True, err=True)
        done = 0
        while some := await (opened_store.sweep(_PORTION) if expired else opened_store.purge(tenant, moment, _PORTION)):
            done += some
            _show_progress(f"{done} of {count} deleted")
        click.echo(f"{opened.name}: deleted {done} chains, conversations and chat completions")

    _run(url, file, delete)


def _show_progress(words: str) -> None:
    if sys.stderr.isatty():
        click.echo(f"\r{words}", nl=False, err=True)


@store.command()
@_store_options
@click.option("--tenant", metavar="TENANT", help="Only what there is of TENANT, as `diglot store stats` shows it.")
def export(url: str | None, file: Path | None, tenant: str | None) -> None:
    """Write what is stored as JSON lines.

    Each is a response with its own input and output, a conversation with its items, or a chat completion with its
    messages; `kind` says which. What has expired is left out.
    """

    async def write(opened_store: Store, opened: Opened) -> None:
        damaged = 0
        async for line in exported(opened_store, tenant):
            if isinstance(line, state.records.DamagedRecord):
                damaged += 1
                click.echo(str(line), err=True)
            else:
                click.echo(encode_json(line))
        if damaged:
            raise click.ClickException(f"{damaged} of what is stored cannot be read")

    _run(url, file, write)


@store.command()
@_store_options
def check(url: str | None, file: Path | None) -> None:
    """Show whether the store opens, what it promises, and how long a write, a read and a deletion take."""

    async def show(opened_store: Store, opened: Opened) -> None:
        rows = [
            ("store", opened.name),
            ("version", str(opened.version)),
            ("durability", opened.durability),
            *(("warning", warning) for warning in opened.warnings),
            *[(what, f"{seconds * 1_000:.1f} ms") for what, seconds in await _timed(opened_store)],
        ]
        print_columns(rows)

    _run(url, file, show)


async def _timed(opened_store: Store) -> list[tuple[str, float]]:
    """Write, read and delete a record, and return how long each took; then nothing is left of it."""
    key = uuid4().hex
    tenant, ident = CHECK_TENANT + key, f"resp_{key}"
    encoded = state.records.encode(state.records.Record({"id": ident, "output": []}, []))
    record = NewRecord(key, int(time.time()), **encoded._asdict())
    clock = time.perf_counter
    try:
        times = [clock()]
        await opened_store.put(tenant, record)
        times.append(clock())
        found = await opened_store.read(tenant, [key])
        times.append(clock())
        await opened_store.delete(tenant, key)
        times.append(clock())
    finally:
        await opened_store.purge(tenant)
    if [stored.body for stored in found] != [encoded.body]:
        raise click.ClickException("the store does not return what was written")
    return [(what, after - before) for what, (before, after) in zip(_STEPS, pairwise(times), strict=True)]


def _run(url: str | None, file: Path | None, step: Step) -> None:
    """Do *step* with the store that is meant; every error is one line."""
    try:
        settings = _settings(url, file)
        anyio.run(_with_store, settings, step)
    except config.ConfigError as error:
        raise SettingsError(str(error)) from None


def _settings(url: str | None, file: Path | None) -> config.Settings:
    """Return the settings with the URL of a store that outlives its process. Raises ConfigError."""
    settings = config.load({"store": url}, os.environ, file)
    if settings.store in (server_store.OFF, server_store.MEMORY):
        raise config.ConfigError(f"store: '{settings.store}' keeps nothing that could be seen from here")
    try:
        return msgspec.structs.replace(settings, store=settings.store or server_store.default_url())
    except OSError as error:
        raise config.ConfigError(f"store: {error}") from None


async def _with_store(settings: config.Settings, step: Step) -> None:
    path = server_store.file_of(settings.store or "")
    if path is not None and not path.exists():
        raise click.ClickException(f"store: there is no file {path}")
    async with _opened(settings) as (opened_store, opened):
        await step(opened_store, opened)


@asynccontextmanager
async def _opened(settings: config.Settings) -> AsyncIterator[tuple[Store, Opened]]:
    """Every error of the store is one line, without the password in its URL."""
    opened_store = server_store.made(settings, settings.store or "")
    try:
        yield opened_store, await server_store.opened(opened_store)
    except StoreError as error:
        raise click.ClickException(server_store.in_words(settings, error)) from None
    finally:
        await opened_store.close()
