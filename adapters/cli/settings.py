"""`diglot profiles` and `diglot settings`: what can be set."""

from __future__ import annotations

from typing import Any

import click
import msgspec

from ...translator import PRESETS, Profile, encode_json
from ..limits import Limits
from ..server.config import Settings
from ..server.model_settings import ModelSettings, UpstreamSettings
from ..server.setting_sources import ENVIRONMENT, STATE
from ..server.setting_values import suggestion
from .field_docs import field_docs
from .options import SettingsError, print_columns
from .serve import serve

_HEAD = ("KEY", "FLAG", "VARIABLE", "DEFAULT", "DESCRIPTION")


@click.command()
@click.argument("name", required=False)
def profiles(name: str | None) -> None:
    """List the profiles and how each differs from the default; with NAME, all settings of one."""
    if name is None:
        for profile in PRESETS.values():
            special = [f"{field}={value}" for field, value in _values(profile) if not _is_default(profile, field)]
            click.echo(f"{profile.name}: {', '.join(special) or 'the defaults'}")
    elif name in PRESETS:
        _show(PRESETS[name])
    else:
        raise SettingsError(f"unknown profile {name!r}{suggestion(name, PRESETS)}")


def _show(profile: Profile) -> None:
    """Print a line for each setting; a star marks what differs from the default."""
    click.echo(
        f"{profile.name}: set with --set KEY=VALUE, DIGLOT_SET, or [set] in the file; * differs from the default\n"
    )
    docs = field_docs(Profile)
    rows = [
        (f"{' ' if _is_default(profile, field) else '*'} {field}", value, docs[field])
        for field, value in _values(profile)
    ]
    print_columns(rows)


def _is_default(profile: Profile, field: str) -> bool:
    return getattr(profile, field) == getattr(PRESETS["default"], field)


def _values(profile: Profile) -> list[tuple[str, str]]:
    return [(field, _shown(getattr(profile, field))) for field in Profile.__struct_fields__ if field != "name"]


@click.command()
def settings() -> None:
    """List the settings of `diglot serve`: key in the file, flag, variable, default, description."""
    flags = {(option.name or "").removesuffix("_"): option.opts for option in serve.params}
    docs, defaults = field_docs(Settings), Settings()
    rows = {
        name: (", ".join(flags.get(name, "-")), ENVIRONMENT + name.upper(), _default(defaults, name), docs[name])
        for name in Settings.__struct_fields__
    }
    print_columns([_HEAD, *((name, *row) for name, row in rows.items() if name not in STATE)])
    click.echo("\nstate: [state] in the file\n")
    print_columns([_HEAD, *((f"state.{name}", *rows[name]) for name in STATE)])
    click.echo("\nupstreams, models: tables in the file, or JSON objects in DIGLOT_UPSTREAMS and DIGLOT_MODELS\n")
    tables = (("upstreams.NAME", UpstreamSettings), ("models.NAME", ModelSettings))
    keys = [(f"{table}.{name}", doc) for table, kind in tables for name, doc in field_docs(kind).items()]
    print_columns([("KEY", "DESCRIPTION"), *keys])
    click.echo("\nlimits: [limits] in the file, --limit KEY=VALUE, DIGLOT_LIMITS=KEY=VALUE,...\n")
    docs, bounds = field_docs(Limits), Limits()
    limits = [
        (f"limits.{name}", f"--limit {name}=", f"{ENVIRONMENT}LIMITS={name}=", _default(bounds, name), docs[name])
        for name in Limits.__struct_fields__
    ]
    print_columns([_HEAD, *limits])
    click.echo("\nset: the settings of a profile; `diglot profiles NAME` lists them")


def _default(defaults: msgspec.Struct, name: str) -> str:
    value = getattr(defaults, name)
    return "-" if value is None or value == () or isinstance(value, dict | Limits) else _shown(value)


def _shown(value: Any) -> str:
    return encode_json(sorted(value) if isinstance(value, frozenset) else value).decode()
