"""The settings of the server: flags before environment before file, checked once, then frozen."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

from ..translator import PRESETS, Profile, preset
from .limits import Limits, Seconds

ENVIRONMENT = "DIGLOT_"
_FILE = "DIGLOT_CONFIG"
_TABLES = ("set", "limits")


class ConfigError(ValueError):
    """A setting is wrong; the text says which and how."""


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything that `diglot serve` can be told."""

    upstream: str | None = None
    """URL of the upstream's API; none: the embedded demo."""
    upstream_api: Literal["chat", "responses", "auto"] = "chat"
    """Which API the upstream has, Chat Completions or Responses; the other one is added. `auto`: it is found out."""
    profile: str = "default"
    set: dict[str, Any] = msgspec.field(default_factory=dict)
    """Single settings of the profile, by name."""
    strict: bool = False
    host: str = "127.0.0.1"
    port: Annotated[int, msgspec.Meta(ge=0, le=65535)] = 8080
    workers: Annotated[int, msgspec.Meta(ge=1)] = 1
    limits: Limits = msgspec.field(default_factory=Limits)
    graceful: Seconds = 25
    """How long running answers may go on after SIGTERM; then they end as failed."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"

    def as_profile(self) -> Profile:
        """Return the named profile with the single settings applied."""
        return profile_of(self.profile, self.set)


def profile_of(name: str, changes: Mapping[str, Any]) -> Profile:
    """Return a preset with single settings changed; raises ConfigError."""
    if name not in PRESETS:
        raise ConfigError(f"profile: there is no {name!r}; there are: {', '.join(PRESETS)}")
    if unknown := sorted(changes.keys() - set(Profile.__struct_fields__)):
        raise ConfigError(f"set: a profile has no {unknown[0]!r}; it has: {', '.join(Profile.__struct_fields__)}")
    try:
        return msgspec.convert({**msgspec.to_builtins(preset(name)), **changes}, Profile, strict=False)
    except msgspec.ValidationError as error:
        raise ConfigError(f"set: {error}") from None


def load(flags: Mapping[str, Any], environment: Mapping[str, str], file: Path | None = None) -> Settings:
    """Return the settings; a flag that is None was not given. Tables add up. Raises ConfigError."""
    file = file or (Path(environment[_FILE]) if environment.get(_FILE) else None)
    values: dict[str, Any] = {}
    for origin, given in (
        (str(file), _from_file(file) if file else {}),
        ("environment", _from_environment(environment)),
        ("command line", {name: value for name, value in flags.items() if value is not None}),
    ):
        _checked(given, origin)
        for name, value in given.items():
            values[name] = {**values.get(name, {}), **value} if name in _TABLES else value
    settings = _checked(values, "settings")
    settings.as_profile()
    return settings


def _checked(values: Mapping[str, Any], origin: str) -> Settings:
    """Settings all have defaults, so every origin can be judged by itself."""
    try:
        return msgspec.convert(values, Settings, strict=False)
    except msgspec.ValidationError as error:
        raise ConfigError(f"{origin}: {error}") from None


def assignment(text: str) -> tuple[str, Any]:
    """Read `key=value`; the value is JSON, or else a string."""
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise ConfigError(f"{text!r} is not key=value")
    return name.strip(), _value(value)


def _value(text: str) -> Any:
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError:
        return text


def _from_file(file: Path) -> dict[str, Any]:
    try:
        return _underscored(tomllib.loads(file.read_text("utf-8")))
    except OSError as error:
        raise ConfigError(f"{file}: {error.strerror}") from None
    except ValueError as error:
        raise ConfigError(f"{file}: {error}") from None


def _underscored(values: dict[str, Any]) -> dict[str, Any]:
    """`log-level` is `log_level`, as on the command line; also in the tables."""
    return {
        name.replace("-", "_"): _underscored(value) if name in _TABLES and isinstance(value, dict) else value
        for name, value in values.items()
    }


def _from_environment(environment: Mapping[str, str]) -> dict[str, Any]:
    """`DIGLOT_PORT=8081` and so on; a table (`DIGLOT_SET`, `DIGLOT_LIMITS`) is a JSON object or `key=value,...`."""
    values: dict[str, Any] = {}
    for name in Settings.__struct_fields__:
        text = environment.get(ENVIRONMENT + name.upper())
        if text:
            values[name] = _table(text) if name in _TABLES else text
    return values


def _table(text: str) -> Any:
    if text.lstrip().startswith("{"):
        return _value(text)
    return dict(assignment(part) for part in text.split(","))
