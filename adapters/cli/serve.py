"""`diglot serve`: from flags, variables and a file to a server that runs."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click
import msgspec

from ..server import banner, config
from .options import SettingsError, profile_options, strict_option


@click.command()
@click.option("--upstream", metavar="URL", help="The upstream's API, for example http://127.0.0.1:8000/v1.")
@click.option("--demo", is_flag=True, default=None, help="No upstream: a script answers.")
@click.option(
    "--upstream-api",
    type=click.Choice(["chat", "responses", "auto"]),
    help="Which API it has: Chat Completions (chat, the default), Responses, or auto: find out.",
)
@profile_options
@strict_option
@click.option(
    "--paths",
    metavar="PATH",
    multiple=True,
    help="Serve below this path, too (/ai, or /tenants/*), besides versions (/v1), /openai and the root.",
)
@click.option("--host", metavar="ADDRESS", help="Listen here (127.0.0.1).")
@click.option("--port", type=int, help="Listen there (8080); 0 takes a free one.")
@click.option(
    "--allow-host",
    metavar="NAME",
    multiple=True,
    help="A name under which clients may reach the server, besides localhost, 127.0.0.1 and [::1]; * is any.",
)
@click.option(
    "--allow-origin",
    "--cors-origin",
    metavar="ORIGIN",
    multiple=True,
    help="A web page that may call the server (CORS), for example https://app.example; * is all.",
)
@click.option("--workers", type=int, metavar="N", help="Processes (1).")
@click.option("--limit", "limits", metavar="KEY=VALUE", multiple=True, help="Change one limit; see `diglot settings`.")
@click.option(
    "--graceful", type=float, metavar="SECONDS", help="Running answers may go on so long after a signal (10)."
)
@click.option("--log-level", type=click.Choice(["debug", "info", "warning", "error"]))
@click.option(
    "--log-format",
    type=click.Choice(["json", "text"]),
    help="For machines or for people; text on a terminal, else json.",
)
@click.option("--quiet", is_flag=True, default=None, help="No welcome, and only warnings in the log.")
@click.option("--config", "file", type=click.Path(path_type=Path), help="A TOML file with the same settings.")
def serve(file: Path | None, set_: tuple[str, ...], limits: tuple[str, ...], **flags: Any) -> None:
    """Serve the API that the upstream lacks; everything else goes to it as it is.

    Flags win over the environment (DIGLOT_UPSTREAM, DIGLOT_PORT, ...), which wins over the file (--config, or
    DIGLOT_CONFIG). DIGLOT_SET and DIGLOT_LIMITS are JSON objects, or key=value,key=value. What is set in several
    places adds up. `diglot settings` lists all of them.
    """
    from ..server import app

    try:
        tables = {"set": dict(map(config.assignment, set_)), "limits": dict(map(config.assignment, limits))}
        settings = config.load({**flags, **tables}, os.environ, file)
        app.application(settings)
    except ValueError as error:
        raise SettingsError(str(error)) from None
    try:
        settings = msgspec.structs.replace(settings, port=app.free_port(settings.host, settings.port))
    except OSError as error:
        raise click.ClickException(str(error)) from None
    if not settings.quiet:
        click.echo(banner.welcome(settings), err=True)
    app.run(settings)
