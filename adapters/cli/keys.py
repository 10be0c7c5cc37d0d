"""`diglot keys`: makes, lists and removes the keys that clients of a server must show."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click

from ..server import config
from ..server import keys as server_keys
from .options import SettingsError, print_columns

_VARIABLE = "DIGLOT_API_KEYS"


@click.group()
def keys() -> None:
    """Make, list and remove the keys that clients must show; a running server reads them again at SIGHUP."""


def _file_option(command: Any) -> Any:
    return click.option(
        "--api-keys",
        "file",
        metavar="FILE",
        help="The file with the keys.  [default: that of the settings in DIGLOT_CONFIG, or DIGLOT_API_KEYS]",
    )(command)


def _file(named: str | None) -> Path:
    """Return the file that is meant. Raises ConfigError."""
    found = named or config.load({}, os.environ).api_keys
    if not found:
        raise config.ConfigError(f"which file? Use --api-keys FILE or {_VARIABLE}")
    return Path(found)


@keys.command()
@click.argument("name")
@_file_option
@click.option("--rotate", is_flag=True, help="Make another key for a name that has one; both work.")
def new(name: str, file: str | None, rotate: bool) -> None:
    """Make a key and print it, once: the file has only its SHA-256. NAME stands in logs, and owns what is stored."""
    try:
        path = _file(file)
        key = server_keys.new(path, name, rotate=rotate)
    except config.ConfigError as error:
        raise SettingsError(str(error)) from None
    click.echo(key)
    click.echo(f"Added to {path}. The key is not shown again. A running server takes it only after SIGHUP.", err=True)


@keys.command("list")
@_file_option
def list_(file: str | None) -> None:
    """List the names, each with the beginning of the SHA-256 of its key."""
    try:
        found = server_keys.read(_file(file))
    except config.ConfigError as error:
        raise SettingsError(str(error)) from None
    if found:
        print_columns([("NAME", "SHA-256"), *((key.name, key.digest.hex()[:12]) for key in found)])


@keys.command()
@click.argument("name")
@_file_option
@click.option("--but-newest", is_flag=True, help="Keep the newest key of the name, after a rotation.")
def remove(name: str, file: str | None, but_newest: bool) -> None:
    """Remove the keys of NAME."""
    try:
        count = server_keys.remove(_file(file), name, but_newest=but_newest)
    except config.ConfigError as error:
        raise SettingsError(str(error)) from None
    noun, them = ("key", "it") if count == 1 else ("keys", "them")
    click.echo(f"Removed {count} {noun} of {name}. A running server takes {them} until SIGHUP.", err=True)
