"""The commands: serve, demo, convert, fields, profiles."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import click
import msgspec

from ..translator import PRESETS, TranslationError, decode_json, encode_json, fields_as_markdown
from . import config, explain, hints
from . import convert as converting

_EMBEDDED = """
  !! No --upstream was given: a scripted demo answers, there is NO MODEL behind this server.
  !! For a real one: diglot serve --upstream http://127.0.0.1:8000
"""


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(None, "-V", "--version", package_name="diglot", prog_name="diglot")
def main() -> None:
    """Serve OpenAI's Responses and Chat Completions APIs from an upstream that has one of them."""


def _profile_options(command: Any) -> Any:
    name = click.option("--profile", metavar="NAME", help="What the upstream is like; `diglot profiles` lists them.")
    single = click.option(
        "--set", "set_", metavar="KEY=VALUE", multiple=True, help="Change one setting of the profile."
    )
    strict = click.option("--strict", is_flag=True, default=None, help="Refuse a request that would lose something.")
    return name(single(strict(command)))


@main.command()
@click.option("--upstream", metavar="URL", help="The upstream's API, for example http://127.0.0.1:8000/v1.")
@click.option(
    "--upstream-api",
    type=click.Choice(["chat", "responses", "auto"]),
    help="Which API it has: Chat Completions (chat, the default), Responses, or auto: find out.",
)
@_profile_options
@click.option("--host", metavar="ADDRESS", help="Listen here (127.0.0.1).")
@click.option("--port", type=int, help="Listen there (8080); 0 takes a free one.")
@click.option("--workers", type=int, metavar="N", help="Processes (1).")
@click.option("--log-level", type=click.Choice(["debug", "info", "warning", "error"]))
@click.option("--config", "file", type=click.Path(path_type=Path), help="A TOML file with the same settings.")
def serve(file: Path | None, set_: tuple[str, ...], **flags: Any) -> None:
    """Serve the API that the upstream lacks; everything else goes to it as it is.

    Flags win over the environment (DIGLOT_UPSTREAM, DIGLOT_PORT, ...), which wins over the file (--config, or
    DIGLOT_CONFIG). DIGLOT_SET and DIGLOT_LIMITS are JSON objects, or key=value,key=value. What is set in several
    places adds up.
    """
    from . import server

    try:
        settings = config.load({**flags, "set": dict(map(config.assignment, set_))}, os.environ, file)
        server.application(settings)
        port = server.free_port(settings.host, settings.port)
    except (ValueError, OSError) as error:
        raise click.ClickException(str(error)) from None
    settings = msgspec.structs.replace(settings, port=port)
    click.echo(_welcome(settings), err=True)
    server.run(settings)


_SERVED = {
    "chat": "the Responses API on {url}/v1/responses",
    "responses": "the Chat Completions API on {url}/v1/chat/completions",
    "auto": "{url}/v1/responses and {url}/v1/chat/completions, whichever of them the upstream lacks",
}


def _welcome(settings: config.Settings) -> str:
    reachable = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.host, settings.host)
    host = f"[{reachable}]" if ":" in reachable else reachable
    url = f"http://{host}:{settings.port}"
    about = f"diglot serves {_SERVED[settings.upstream_api].format(url=url)} (profile {settings.profile})"
    about += f", answered by {explain.place(settings.upstream)}." if settings.upstream else "."
    hint = "\n".join(f"  {line}" for line in hints.client_settings(url))
    return f"{about}\n{'' if settings.upstream else _EMBEDDED}\n{hint}\n"


@main.command()
def demo() -> None:
    """Show requests with a tool call on both sides of the wire, in both directions, then stop."""
    from . import demo_run

    sys.exit(demo_run.main())


@main.command()
@click.argument("file", type=click.File("rb"), default="-")
@_profile_options
def convert(file: Any, profile: str | None, set_: tuple[str, ...], strict: bool | None) -> None:
    """Print the request or the finished answer in FILE in the other dialect; losses go to stderr."""
    try:
        chosen = config.profile_of(profile or "default", dict(map(config.assignment, set_)))
        made, report = converting.convert(decode_json(file.read()), chosen, bool(strict))
    except (TranslationError, ValueError) as error:
        raise click.ClickException(_in_words(error)) from None
    for loss in report:
        click.echo(str(loss), err=True)
    click.echo(encode_json(made))


def _in_words(error: Exception) -> str:
    losses = getattr(error, "losses", ())
    param = getattr(error, "param", None)
    head = f"{error} (at {param})" if param and param not in str(error) else str(error)
    return "\n".join([head, *map(str, losses)])


@main.command()
def fields() -> None:
    """Print what becomes of every field, as Markdown."""
    for line in fields_as_markdown():
        click.echo(line)


@main.command()
def profiles() -> None:
    """List the profiles and what is special about each."""
    default = PRESETS["default"]
    for name, profile in PRESETS.items():
        special = [
            f"{field}={_shown(getattr(profile, field))}"
            for field in profile.__struct_fields__[1:]
            if getattr(profile, field) != getattr(default, field)
        ]
        click.echo(f"{name}: {', '.join(special) or 'the defaults'}")


def _shown(value: Any) -> str:
    return encode_json(sorted(value) if isinstance(value, frozenset) else value).decode()


if __name__ == "__main__":
    main()
