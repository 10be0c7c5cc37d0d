"""The command group, and the small commands; serve, check, store, profiles and settings have their own files."""

from __future__ import annotations

import sys
from typing import Any

import click

from ...translator import TranslationError, decode_json, encode_json, fields_as_markdown
from ...translator import convert as to_other_dialect
from ..server import config, setting_sources
from .check import check
from .keys import keys
from .migrate import migrate
from .options import profile_options, strict_option
from .serve import serve
from .settings import profiles, settings
from .store import store


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(None, "-V", "--version", package_name="diglot", prog_name="diglot")
def main() -> None:
    """Serve OpenAI's Responses and Chat Completions APIs from an upstream that implements one of them."""


@main.command()
def demo() -> None:
    """Run requests with a tool call in both directions, and show both sides of the wire."""
    from . import demo as cli_demo

    sys.exit(cli_demo.main())


@main.command()
@click.argument("file", type=click.File("rb"), default="-")
@profile_options
@strict_option
def convert(file: Any, profile: str | None, set_: tuple[str, ...], strict: bool | None) -> None:
    """Convert the request or finished answer in FILE to the other API; losses go to stderr.

    FILE defaults to stdin.
    """
    try:
        chosen = config.profile_of(profile or "default", dict(map(setting_sources.assignment, set_)))
        made, losses = to_other_dialect(decode_json(file.read()), profile=chosen, strict=bool(strict))
    except (TranslationError, ValueError) as error:
        raise click.ClickException(_in_words(error)) from None
    for loss in losses:
        click.echo(str(loss), err=True)
    click.echo(encode_json(made))


def _in_words(error: Exception) -> str:
    losses = getattr(error, "losses", ())
    param = getattr(error, "param", None)
    head = f"{error} (at {param})" if param and param not in str(error) else str(error)
    return "\n".join([head, *map(str, losses)])


@main.command()
@profile_options
def fields(profile: str | None, set_: tuple[str, ...]) -> None:
    """Print what becomes of every field, as Markdown."""
    try:
        chosen = config.profile_of(profile or "default", dict(map(setting_sources.assignment, set_)))
    except ValueError as error:
        raise click.ClickException(str(error)) from None
    for line in fields_as_markdown(chosen):
        click.echo(line)


main.add_command(serve)
main.add_command(check)
main.add_command(keys)
main.add_command(migrate)
main.add_command(profiles)
main.add_command(settings)
main.add_command(store)


if __name__ == "__main__":
    main()
