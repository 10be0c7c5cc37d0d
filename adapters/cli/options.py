"""What several commands share: the options of profiles, tables, and the error for a wrong setting."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click

_WIDEST = 40


class SettingsError(click.ClickException):
    """A setting is wrong or missing; the exit status is 2, as for other usage errors."""

    exit_code = 2


def profile_options(command: Any) -> Any:
    """Add the options that choose and change a profile."""
    name = click.option(
        "--profile",
        metavar="NAME",
        help="The profile of the upstream; `diglot profiles` lists them.  [default: default]",
    )
    single = click.option(
        "--set", "set_", metavar="KEY=VALUE", multiple=True, help="Change a setting of the profile (repeatable)."
    )
    return name(single(command))


def strict_option(command: Any) -> Any:
    """Add `--strict`."""
    return click.option("--strict", is_flag=True, default=None, help="Refuse requests that would lose something.")(
        command
    )


def print_columns(rows: Sequence[Sequence[str]]) -> None:
    """Print a table, each row on one line; columns are as wide as needed, up to a limit."""
    widths = [min(_WIDEST, max(len(row[column]) for row in rows)) for column in range(len(rows[0]) - 1)]
    for row in rows:
        cells = [f"{cell:<{width}}" for cell, width in zip(row, widths, strict=False)]
        click.echo("  ".join([*cells, row[-1]]).rstrip())


def amount(count: int, noun: str, several: str = "") -> str:
    """Return a count of things in words.

    >>> amount(1, "part"), amount(1_000, "part"), amount(2, "process", "processes")
    ('1 part', '1,000 parts', '2 processes')
    """
    return f"{count:,} {noun if count == 1 else several or noun + 's'}"
