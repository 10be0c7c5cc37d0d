"""Values of settings, checked one by one: whoever wrote a wrong one is told where it stands and what is possible."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches
from typing import Any, get_args, get_type_hints

import msgspec
from msgspec import inspect

_LONGEST = 80
_LISTS = (inspect.VarTupleType, inspect.FrozenSetType)


class ConfigError(ValueError):
    """A setting is wrong; the text says which and how."""


def checked(values: Mapping[str, Any], kind: type[msgspec.Struct], named: Callable[[str], str]) -> dict[str, Any]:
    """Return *values* converted to what the fields of *kind* are; *named* says where a field was set.

    Texts are read as what they mean, as variables hold nothing else; a list may be one text with commas. Raises
    ConfigError.
    """
    kinds = get_type_hints(kind, include_extras=True)
    made: dict[str, Any] = {}
    for name, value in values.items():
        if name not in kinds:
            raise ConfigError(f"{named(name)}: there is no such setting{suggestion(name, kinds)}")
        made[name] = _converted(value, kinds[name], named(name))
    return made


def suggestion(name: str, known: Iterable[str]) -> str:
    """Return the end of a sentence about a name that is not *known*: which may be meant, and which there are."""
    names = list(known)
    near = get_close_matches(name, names, 1)
    return f"{f'; did you mean {near[0]}?' if near else '.'} There are: {', '.join(names)}"


def _converted(value: Any, kind: Any, name: str) -> Any:
    told = _told(kind)
    if isinstance(told, inspect.StructType) and isinstance(value, Mapping):
        return told.cls(**checked(value, told.cls, lambda inner: f"{name}: {inner}"))
    if isinstance(told, _LISTS) and isinstance(value, str):
        value = [part.strip() for part in value.split(",") if part.strip()]
    try:
        made = msgspec.convert(value, kind, strict=False)
    except msgspec.ValidationError:
        made = math.nan
    if isinstance(made, float) and not math.isfinite(made):
        raise ConfigError(f"{name}: {_shown(value)} is not {possible(kind)}") from None
    return made


def possible(kind: Any) -> str:
    """Return what a value of a type is, in words."""
    told = _told(kind)
    if isinstance(told, inspect.LiteralType):
        return f"one of {', '.join(_literals(kind))}"
    if isinstance(told, _LISTS):
        return f"a list; each is {possible(told.item_type)}"
    if isinstance(told, inspect.IntType | inspect.FloatType):
        return _number(told)
    if isinstance(told, inspect.StrType) and told.min_length:
        return "a text that is not empty"
    return _WORDS[type(told)]


_WORDS: dict[type, str] = {
    inspect.BoolType: "true or false",
    inspect.StrType: "a text",
    inspect.DictType: "a table",
    inspect.StructType: "a table",
}


def _number(told: inspect.IntType | inspect.FloatType) -> str:
    words = "a whole number" if isinstance(told, inspect.IntType) else "a number"
    if told.ge is not None and told.le is not None:
        return f"{words} from {told.ge} to {told.le}"
    if told.ge is not None:
        return f"{words}, at least {told.ge}"
    return f"{words} above {told.gt}" if told.gt is not None else words


def _told(kind: Any) -> inspect.Type:
    """What msgspec knows of a type; of what may be None, the other part."""
    told = kind if isinstance(kind, inspect.Type) else inspect.type_info(kind)
    if isinstance(told, inspect.UnionType):
        return next(part for part in told.types if not isinstance(part, inspect.NoneType))
    return told


def _literals(kind: Any) -> list[str]:
    """In the order in which they were written, which msgspec does not keep."""
    if isinstance(kind, inspect.LiteralType):
        return [str(value) for value in kind.values]
    return [str(value) for part in (kind, *get_args(kind)) for value in get_args(part) if isinstance(value, str)]


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."
