"""`diglot serve`: reads flags, environment and file, and runs the server."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import anyio
import click
import msgspec

from ..server import banner, config, inspection, reloading, setting_sources, store
from .options import SettingsError, profile_options, strict_option


@click.command()
@click.option("--upstream", metavar="URL", help="Base URL of the upstream's API, for example http://127.0.0.1:8000/v1.")
@click.option("--demo", is_flag=True, default=None, help="Run without an upstream: a script answers.")
@click.option(
    "--upstream-api",
    type=click.Choice(["chat", "responses", "auto"]),
    help="The API that the upstream implements; diglot adds the other one. auto finds out.  [default: chat]",
)
@click.option(
    "--model-map",
    metavar="OLD=NEW",
    multiple=True,
    help="Clients' name of a model and its name at the upstream; OLD may have a * in it (repeatable).",
)
@profile_options
@strict_option
@click.option(
    "--paths",
    metavar="PATH",
    multiple=True,
    help="Also serve below this path (/ai, /tenants/*), besides versions (/v1), /openai and the root (repeatable).",
)
@click.option("--host", metavar="ADDRESS", help="The address to listen on.  [default: 127.0.0.1]")
@click.option("--port", type=int, help="The port to listen on; 0 picks a free one.  [default: 8080]")
@click.option(
    "--allow-host",
    metavar="NAME",
    multiple=True,
    help="A host name that clients may use, besides localhost, 127.0.0.1 and [::1]; * allows any (repeatable).",
)
@click.option(
    "--allow-origin",
    "--cors-origin",
    metavar="ORIGIN",
    multiple=True,
    help="An origin of web pages that may call the server (CORS), like https://app.example; * allows all (repeatable).",
)
@click.option(
    "--store",
    metavar="URL",
    help="Where responses and conversations are kept: memory, sqlite:///FILE, postgresql://..., redis://..., or none.  "
    "[default: a file in the user's state directory]",
)
@click.option(
    "--tenant",
    metavar="RULE",
    help="Who shares what is stored: credential (the same API key), header:NAME, or none (all).  [default: credential]",
)
@click.option(
    "--api-keys",
    metavar="FILE",
    help="A file with the keys that clients must show (`diglot keys`); a single one can be in DIGLOT_API_KEY.",
)
@click.option(
    "--open",
    is_flag=True,
    default=None,
    help="Serve everyone who can reach the server, even if it has a key of its own for the upstream.",
)
@click.option("--workers", type=int, metavar="N", help="Number of worker processes.  [default: 1]")
@click.option(
    "--metrics",
    is_flag=False,
    flag_value="true",
    metavar="[PORT]",
    help="Serve metrics for Prometheus at /metrics, or on a port of their own.",
)
@click.option(
    "--metrics-by-key", is_flag=True, default=None, help="Tell requests and tokens by the names of the clients' keys."
)
@click.option(
    "--otel",
    is_flag=True,
    default=None,
    help="Send traces and metrics over OTLP/HTTP; OTEL_EXPORTER_OTLP_ENDPOINT says where to.",
)
@click.option(
    "--inspect",
    is_flag=True,
    default=None,
    help="Show the last exchanges on a page whose link is printed: both wires, live, with what was lost.",
)
@click.option(
    "--inspect-anywhere", is_flag=True, default=None, help="Allow --inspect where other machines reach the server."
)
@click.option("--inspect-path", metavar="PATH", help="Where the page is.  [default: /_diglot]")
@click.option(
    "--limit",
    "limits",
    metavar="KEY=VALUE",
    multiple=True,
    help="Change a limit; `diglot settings` lists them (repeatable).",
)
@click.option(
    "--graceful",
    type=float,
    metavar="SECONDS",
    help="How long running answers may take after a signal to stop.  [default: 10]",
)
@click.option(
    "--drain-delay",
    type=float,
    metavar="SECONDS",
    help="How long new requests are still served after SIGTERM.  [default: 5, and 0 on loopback]",
)
@click.option(
    "--ready-path",
    metavar="PATH",
    help="What /readyz reads to see whether the upstream can be reached.  [default: /v1/models]",
)
@click.option(
    "--log-level",
    type=click.Choice(["debug", "info", "warning", "error"]),
    help="The lowest level to log.  [default: info]",
)
@click.option(
    "--log-format",
    type=click.Choice(["json", "text"]),
    help="The format of the log.  [default: text on a terminal, otherwise json]",
)
@click.option(
    "--quiet", is_flag=True, default=None, help="No start-up banner, and only warnings and errors in the log."
)
@click.option("--config", "file", type=click.Path(path_type=Path), help="A TOML file with settings.")
def serve(file: Path | None, set_: tuple[str, ...], limits: tuple[str, ...], **flags: Any) -> None:
    """Serve the API that the upstream lacks; pass everything else through unchanged.

    Flags override the environment (DIGLOT_UPSTREAM, DIGLOT_PORT, ...), which overrides the file (--config or
    DIGLOT_CONFIG). DIGLOT_SET and DIGLOT_LIMITS are JSON objects or key=value,key=value; they are merged with --set,
    --limit and the file. `diglot settings` lists all settings.
    """
    from ..server import app

    try:
        read = setting_sources.assignment
        tables = {"set": dict(map(read, set_)), "limits": dict(map(read, limits))}
        settings = config.load({**flags, **tables}, os.environ, file)
        source = reloading.source_of({**flags, **tables}, file, settings)
        token = inspection.prepared(settings)
        app.application(settings, inspect_token=token)
        choice = anyio.run(store.choose, settings)
    except ValueError as error:
        raise SettingsError(str(error)) from None
    try:
        port = app.free_port(settings.host, settings.port)
        if not isinstance(settings.metrics, bool):
            app.free_port(settings.host, settings.metrics)
    except OSError as error:
        raise click.ClickException(str(error)) from None
    choice = choice._replace(settings=msgspec.structs.replace(choice.settings, port=port))
    if choice.warning:
        click.echo(f"Warning: {choice.warning}", err=True)
    if not settings.quiet:
        click.echo(banner.welcome(choice), err=True)
    if token is not None:
        click.echo(inspection.notice(choice.settings, token), err=True)
    app.run(choice.settings, source)
