"""Where settings come from: a file, variables and flags, and how each is called there. `config` checks the values."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from .setting_values import ConfigError, suggestion

ENVIRONMENT = "DIGLOT_"
ALIASES = {"cors_origin": "allow_origin"}
"""Other names of settings, accepted everywhere."""
KEY = "DIGLOT_KEY"
"""The API key for commands that call an upstream themselves."""
_OF_OTHERS = (KEY, "DIGLOT_PYTHON")
"""Variables that are not settings of the server; some scripts that start it name their Python this way."""
FILE = "DIGLOT_CONFIG"
"""The variable with the path of the file."""
_TABLES = ("set", "limits", "state")
_TABLES_BY_NAME = ("upstreams", "models")
STATE = ("store", "tenant", "keep_days", "seal_keys")
"""Settings that stand in the table `[state]` of a file."""
_KUBERNETES = re.compile(r"DIGLOT_(\w+_)?(SERVICE_(HOST|PORT)(_\w+)?|PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)")
_LINK = re.compile(r"(tcp|udp|sctp)://")


class SettingSource(NamedTuple):
    """A source of settings; `label` is how a setting is called there."""

    label: Callable[[str], str]
    values: dict[str, Any]


def sources(
    flags: Mapping[str, Any], environment: Mapping[str, str], file: Path | None, names: Iterable[str]
) -> Iterator[SettingSource]:
    """Yield where settings come from, the weakest first; *names* are those of all settings. Raises ConfigError."""
    if file:
        yield SettingSource(lambda name: f"{file}: {_key(name)}", _canonical(_from_file(file)))
    yield SettingSource(_variable, _canonical(_from_environment(environment, names)))
    values = {name: value for name, value in flags.items() if value not in (None, (), [], {})}
    yield SettingSource(_flag, _canonical(values))


def _canonical(values: Mapping[str, Any]) -> dict[str, Any]:
    return {ALIASES.get(name, name): value for name, value in values.items()}


def _variable(name: str) -> str:
    return ENVIRONMENT + name.upper()


def _key(name: str) -> str:
    """Return the key of a setting in a file."""
    return f"state.{name}" if name in STATE else name


def _flag(name: str) -> str:
    return "--limit" if name == "limits" else f"--{name.replace('_', '-')}"


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
        values = _underscored(tomllib.loads(file.read_text("utf-8")))
        values |= {name: _underscored_by_name(values[name]) for name in _TABLES_BY_NAME if name in values}
    except OSError as error:
        raise ConfigError(f"{file}: {error.strerror}") from None
    except ValueError as error:
        raise ConfigError(f"{file}: {error}") from None
    return _without_state_table(file, values)


def _without_state_table(file: Path, values: dict[str, Any]) -> dict[str, Any]:
    """Return the values with those of `[state]` among them."""
    state = values.pop("state", {})
    if not isinstance(state, dict):
        raise ConfigError(f"{file}: state: not a table")
    for name in values:
        if name in STATE:
            raise ConfigError(f"{file}: {name}: write it into the table [state]")
    for name in state:
        if name not in STATE:
            raise ConfigError(f"{file}: state: {name}: unknown setting{suggestion(name, STATE)}")
    return {**values, **state}


def _underscored(values: dict[str, Any]) -> dict[str, Any]:
    """Accept `log-level` for `log_level`, as on the command line; also in tables."""
    return {
        name.replace("-", "_"): _underscored(value) if name in _TABLES and isinstance(value, dict) else value
        for name, value in values.items()
    }


def _underscored_by_name(table: Any) -> Any:
    """The same for a table of tables, whose own keys are names."""
    if not isinstance(table, dict):
        return table
    return {name: _underscored(value) if isinstance(value, dict) else value for name, value in table.items()}


def _from_environment(environment: Mapping[str, str], names: Iterable[str]) -> dict[str, Any]:
    """Read `DIGLOT_PORT=8081` and so on; empty variables are ignored, except an empty upstream, which is a mistake."""
    variables = {_variable(name): name for name in (*names, *ALIASES)}
    known = [*variables, FILE]
    values: dict[str, Any] = {}
    for variable, text in environment.items():
        if not variable.startswith(ENVIRONMENT) or variable in _OF_OTHERS or _is_of_kubernetes(variable, text):
            continue
        if variable not in known:
            raise ConfigError(f"{variable}: unknown setting{suggestion(variable, known)}")
        name = variables.get(variable)
        if name and (text or name == "upstream"):
            values[name] = _parsed(name, text)
    return values


def _is_of_kubernetes(variable: str, text: str) -> bool:
    """Whether Kubernetes set the variable for a service named diglot: each container gets those of all services."""
    if variable.endswith("_PORT") and _LINK.match(text):
        return True
    return _KUBERNETES.fullmatch(variable) is not None


def _parsed(name: str, text: str) -> Any:
    """Parse a variable: a table is a JSON object or `key=value,...`; a list may be JSON, too."""
    if name in _TABLES:
        return _table(name, text)
    return _value(text) if text.lstrip().startswith(("[", "{")) else text


def _table(name: str, text: str) -> Any:
    if text.lstrip().startswith("{"):
        return _value(text)
    try:
        return dict(assignment(part) for part in text.split(","))
    except ConfigError as error:
        raise ConfigError(f"{_variable(name)}: {error}") from None
