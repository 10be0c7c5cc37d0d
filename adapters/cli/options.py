"""What several commands share: options of the profile, tables, and how a wrong setting ends a command."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click

_WIDEST = 40


class SettingsError(click.ClickException):
    """A setting is wrong, or missing; as for other misuse of a command, the exit status is 2."""

    exit_code = 2


def profile_options(command: Any) -> Any:
    """Add the options that choose and change a profile."""
    name = click.option("--profile", metavar="NAME", help="What the upstream is like; `diglot profiles` lists them.")
    single = click.option(
        "--set", "set_", metavar="KEY=VALUE", multiple=True, help="Change one setting of the profile."
    )
    return name(single(command))


def strict_option(command: Any) -> Any:
    """Add `--strict`."""
    return click.option("--strict", is_flag=True, default=None, help="Refuse a request that would lose something.")(
        command
    )


def print_columns(rows: Sequence[Sequence[str]]) -> None:
    """Print a table: columns as wide as they need to be, up to a bound, each row on one line."""
    widths = [min(_WIDEST, max(len(row[column]) for row in rows)) for column in range(len(rows[0]) - 1)]
    for row in rows:
        cells = [f"{cell:<{width}}" for cell, width in zip(row, widths, strict=False)]
        click.echo("  ".join([*cells, row[-1]]).rstrip())
