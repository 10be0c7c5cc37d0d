"""`diglot check`: a table of which APIs an upstream has."""

from __future__ import annotations

import logging
import os
import sys
from pathlib import Path
from typing import Any

import anyio
import click

from ...translator import public_url
from ..limits import Limits
from ..middleware.routes import Api
from ..server import client_settings, config, setting_sources
from ..upstream import url as upstream_url
from .options import SettingsError, print_columns, profile_options
from .upstream_check import APIS, CASES, CheckError, Outcome, UpstreamCheck

Outcomes = dict[Api, dict[str, Outcome]]

_NAMES: dict[Api, str] = {"chat": "Chat Completions", "responses": "Responses"}
_KEYS = (setting_sources.KEY, "OPENAI_API_KEY")
_NEXT: dict[tuple[Api, ...], str] = {
    ("chat",): "",
    ("responses",): " --upstream-api responses",
    ("chat", "responses"): " --upstream-api auto",
}


@click.command()
@click.argument("url", required=False)
@click.option("--model", metavar="NAME", help="The model to use.  [default: the first one that the upstream lists]")
@click.option("--key", metavar="KEY", help="The API key.  [default: DIGLOT_KEY or OPENAI_API_KEY]")
@click.option(
    "--timeout",
    type=click.FloatRange(min=1),
    metavar="SECONDS",
    default=60,
    show_default=True,
    help="How long to wait for an answer.",
)
@click.option(
    "--config",
    "file",
    type=click.Path(path_type=Path),
    help="Check this file instead, as the server does when it starts; the exit status of a wrong one is 2.",
)
@click.option(
    "--connect",
    is_flag=True,
    help="With --config: ask each replica for its models, which costs none.",
)
@profile_options
def check(file: Path | None, connect: bool, url: str | None, key: str | None, timeout: float, **options: Any) -> None:
    """Show which APIs the upstream at URL has, and whether they answer, stream and call tools.

    Sends up to six small requests, which may be billed. URL defaults to DIGLOT_UPSTREAM.
    """
    if (file is not None and url) or (connect and file is None):
        raise SettingsError("a URL is checked, or a file with --config; --connect is for a file")
    logging.getLogger("diglot").setLevel(logging.CRITICAL)  # the table says everything
    if file is not None:
        sys.exit(_check_file(file, connect, key, timeout))
    _check_url(url, key, timeout, **options)


def _check_file(file: Path, connect: bool, key: str | None, timeout: float) -> int:
    from .config_check import ConfigCheck
    from .config_check import table as table_of_replicas  # all of the server

    try:
        config_check = ConfigCheck(file)
    except ValueError as error:
        raise SettingsError(str(error)) from None
    click.echo(config_check.summary())
    print_columns(config_check.parts())
    if not connect:
        return 0
    asked = anyio.run(config_check.ask, key or _key(), Limits(probe=timeout))
    click.echo()
    print_columns(table_of_replicas(asked))
    faults = [*config_check.faults(asked)]
    for fault in faults:
        click.echo(f"\n{fault}")
    return 1 if faults else 0


def _check_url(
    url: str | None, key: str | None, timeout: float, model: str | None, profile: str | None, set_: tuple[str, ...]
) -> None:
    url = url or os.environ.get(f"{setting_sources.ENVIRONMENT}UPSTREAM") or ""
    try:
        chosen = config.profile_of(profile or "default", dict(map(setting_sources.assignment, set_)))
        if problem := upstream_url.problem(url):
            raise config.ConfigError(problem if url else "no URL is set; example: diglot check http://127.0.0.1:8000")
    except ValueError as error:
        raise SettingsError(str(error)) from None
    limits = Limits(first_byte=timeout, idle=timeout)
    upstream_check = UpstreamCheck(url, chosen, key or _key(), limits)
    sys.exit(anyio.run(_run, upstream_check, url, model))


def _key() -> str | None:
    name = next((name for name in _KEYS if os.environ.get(name)), None)
    if name:
        click.echo(f"Using the key in {name}.", err=True)
    return os.environ[name] if name else None


async def _run(upstream_check: UpstreamCheck, url: str, requested: str | None) -> int:
    try:
        model = await upstream_check.model(requested)
        click.echo(f"{public_url(url)}, model {model}\n")
        outcomes: Outcomes = {api: await upstream_check.api(api, model) for api in APIS}
    except CheckError as error:
        click.echo(str(error), err=True)
        return 1
    finally:
        await upstream_check.aclose()
    print_columns(table(outcomes))
    for fault in faults(outcomes):
        click.echo(f"\n{fault}")
    good: tuple[Api, ...] = tuple(api for api in APIS if outcomes[api]["answers"].good)
    if not good:
        click.echo("\nNeither API answers.")
        return 1
    click.echo(f"\nNext: {client_settings.command()} serve --upstream {public_url(url)}{_NEXT[good]}")
    return 0


def table(outcomes: Outcomes) -> list[list[str]]:
    """Return the rows of the table, with a column for each API."""
    there = ["exists", *("no" if results["answers"].missing else "yes" for results in outcomes.values())]
    rows = [[case, *(_cell(results.get(case)) for results in outcomes.values())] for case in CASES]
    return [["", *(_NAMES[api] for api in outcomes)], there, *rows]


def faults(outcomes: Outcomes) -> list[str]:
    """Return what went wrong, in the words of the upstream."""
    return [
        f"{_NAMES[api]}, {case}: {outcome.words}"
        for api, results in outcomes.items()
        for case, outcome in results.items()
        if not outcome.good and not outcome.missing
    ]


def _cell(outcome: Outcome | None) -> str:
    if outcome is None or outcome.missing:
        return "-"
    return f"yes ({outcome.words})" if outcome.good else "no"
