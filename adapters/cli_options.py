"""What several commands share: options of the profile, and how a wrong setting ends a command."""

from __future__ import annotations

from typing import Any

import click


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
