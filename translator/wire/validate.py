"""Checks of the caller's body: each returns the value in its type, or raises RequestError with the path."""

from __future__ import annotations

import re
from typing import Any

from ..errors import RequestError

_SAFE_TOKEN = re.compile(r"[\w.:/-]{1,64}", re.ASCII)
_LIST_INDICES = 2**31
_TYPE_NAMES = {
    dict: "an object",
    list: "an array",
    str: "a string",
    bool: "a boolean",
    int: "an integer",
    float: "a decimal",
}


def list_index(value: Any) -> Any:
    """Return *value* itself, or None for a number that cannot be the place of anything in a list.

    Numbers without bounds could be chosen so that a dictionary takes time with the square of their count.
    """
    return None if isinstance(value, int) and not 0 <= value < _LIST_INDICES else value


def has_content(value: Any) -> bool:
    """Whether a member of an answer says anything: null, "", 0 and false do not, nor what holds only such (W4).

    Some servers write every member that they know, with its zero value.
    """
    if not isinstance(value, (dict, list)):  # as nearly always
        return bool(value)
    inside = [value]
    while inside:
        value = inside.pop()
        if isinstance(value, dict):
            inside += value.values()
        elif isinstance(value, list):
            inside += value
        elif value:
            return True
    return False


def json_type_name(value: Any) -> str:
    return _TYPE_NAMES.get(type(value), "null")


def safe_token(value: Any) -> str:
    """Return a type or name in quotes if it is safe in logs and headers: never private text."""
    return f"'{value}'" if isinstance(value, str) and _SAFE_TOKEN.fullmatch(value) else "something without a valid name"


def wrong_type(path: str, expected: str, value: Any) -> RequestError:
    return RequestError(
        f"Invalid type for '{path}': expected {expected}, but got {json_type_name(value)} instead.",
        path,
        "invalid_type",
    )


def missing(path: str) -> RequestError:
    return RequestError(f"Missing required parameter: '{path}'.", path, "missing_required_parameter")


def text(value: Any, path: str) -> str:
    if isinstance(value, str):
        return value
    raise missing(path) if value is None else wrong_type(path, "a string", value)


def text_at(owner: dict[str, Any], name: str, path: str) -> str:
    """Return the text under *name* of the value at *path*."""
    value = owner.get(name)
    return value if isinstance(value, str) else text(value, f"{path}.{name}")


def mapping(value: Any, path: str) -> dict[str, Any]:
    if isinstance(value, dict):
        return value
    raise missing(path) if value is None else wrong_type(path, "an object", value)


def optional_array(value: Any, path: str) -> list[Any]:
    """An array, or nothing."""
    return [] if value is None else array(value, path)


def mappings(value: Any, path: str) -> list[dict[str, Any]]:
    """An array of objects."""
    members = array(value, path)
    for i, member in enumerate(members):
        if not isinstance(member, dict):
            mapping(member, f"{path}[{i}]")
    return members


def array(value: Any, path: str) -> list[Any]:
    if isinstance(value, list):
        return value
    raise missing(path) if value is None else wrong_type(path, "an array", value)
