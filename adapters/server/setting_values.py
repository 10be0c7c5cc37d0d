"""Checks and converts the values of settings; the error for a wrong one says where it was set and what is allowed."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from difflib import get_close_matches
from typing import Any, get_args, get_type_hints

import msgspec
from msgspec import inspect

SECRETS = frozenset({"api_key", "store", "seal_keys", "url"})
"""Settings whose values are in no message: keys, and URLs that may have a password in them."""
_MAX_TEXT = 80
_LISTS = (inspect.VarTupleType, inspect.FrozenSetType)


class ConfigError(ValueError):
    """A setting is wrong; the message says which one and why."""


def convert_values(
    values: Mapping[str, Any], kind: type[msgspec.Struct], label: Callable[[str], str]
) -> dict[str, Any]:
    """Return *values* converted to the types of the fields of *kind*; *label* says where a field was set.

    Strings are parsed, because environment variables hold nothing else; a list may be one string with commas. Raises
    ConfigError.
    """
    kinds = get_type_hints(kind, include_extras=True)
    result: dict[str, Any] = {}
    for name, value in values.items():
        if name not in kinds:
            raise ConfigError(f"{label(name)}: unknown setting{suggestion(name, kinds)}")
        result[name] = _convert(value, kinds[name], label(name), secret=name in SECRETS)
    return result


def suggestion(name: str, known: Iterable[str]) -> str:
    """Return the end of a sentence about a name that is not *known*: which one may be meant, or else which exist."""
    names = list(known)
    near = get_close_matches(name, names, 1)
    return f"; did you mean {near[0]}?" if near else f". Available: {', '.join(names)}"


def _convert(value: Any, kind: Any, name: str, secret: bool = False) -> Any:
    info = _info(kind)
    if isinstance(info, inspect.StructType) and isinstance(value, Mapping):
        return info.cls(**convert_values(value, info.cls, lambda inner: f"{name}: {inner}"))
    if isinstance(info, inspect.DictType) and isinstance(info.value_type, inspect.StructType):
        return _convert_entries(value, info.value_type.cls, name)
    if isinstance(info, _LISTS) and isinstance(value, str):
        value = [part.strip() for part in value.split(",") if part.strip()]
    try:
        result = msgspec.convert(value, kind, strict=False)
    except msgspec.ValidationError:
        result = math.nan
    if isinstance(result, float) and not math.isfinite(result):
        shown = "the value" if secret else _shortened(value)
        raise ConfigError(f"{name}: {shown} is not {possible(kind)}") from None
    return result


def _convert_entries(value: Any, kind: type[msgspec.Struct], name: str) -> dict[str, Any]:
    """Convert a table of tables, whose keys are names."""
    if not isinstance(value, Mapping):
        raise ConfigError(f"{name} is not a table")
    return {key: _convert(entry, kind, f"{name}.{key}", secret=True) for key, entry in value.items()}


def possible(kind: Any) -> str:
    """Return a description of the values of a type."""
    several = _several(kind)
    if len(several) > 1:
        return ", or ".join(map(possible, several))
    info = _info(kind)
    if isinstance(info, inspect.LiteralType):
        return f"one of {', '.join(_literals(kind))}"
    if isinstance(info, _LISTS):
        return f"a list; each is {possible(info.item_type)}"
    if isinstance(info, inspect.IntType | inspect.FloatType):
        return _number(info)
    if isinstance(info, inspect.StrType) and info.min_length:
        return "a non-empty string"
    return _DESCRIPTIONS[type(info)]


_DESCRIPTIONS: dict[type, str] = {
    inspect.BoolType: "true or false",
    inspect.StrType: "a string",
    inspect.DictType: "a table",
    inspect.StructType: "a table",
}


def _number(info: inspect.IntType | inspect.FloatType) -> str:
    description = "a whole number" if isinstance(info, inspect.IntType) else "a number"
    if info.ge is not None and info.le is not None:
        return f"{description} from {info.ge} to {info.le}"
    if info.ge is not None:
        return f"{description}, at least {info.ge}"
    return f"{description} above {info.gt}" if info.gt is not None else description


def _info(kind: Any) -> inspect.Type:
    """What msgspec knows of a type; of an optional one, the part that is not None."""
    info = kind if isinstance(kind, inspect.Type) else inspect.type_info(kind)
    if isinstance(info, inspect.UnionType):
        return next(part for part in info.types if not isinstance(part, inspect.NoneType))
    return info


def _several(kind: Any) -> Sequence[Any]:
    """The kinds of values of a type, if there are several besides None."""
    info = kind if isinstance(kind, inspect.Type) else inspect.type_info(kind)
    parts = info.types if isinstance(info, inspect.UnionType) else ()
    return [part for part in parts if not isinstance(part, inspect.NoneType)]


def _literals(kind: Any) -> list[str]:
    """Return the literals in the order of the source, which msgspec does not keep."""
    if isinstance(kind, inspect.LiteralType):
        return [str(value) for value in kind.values]
    return [str(value) for part in (kind, *get_args(kind)) for value in get_args(part) if isinstance(value, str)]


def _shortened(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= _MAX_TEXT else f"{text[:_MAX_TEXT]}..."
