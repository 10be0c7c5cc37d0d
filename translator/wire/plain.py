"""Input from callers as decoded JSON: mappings, sequences and SDK objects become new dicts and lists."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable

from ..errors import TranslationError

_ATOMS = frozenset({str, int, float, bool, type(None)})


@runtime_checkable
class SupportsModelDump(Protocol):
    """An object of the OpenAI SDK, or any other pydantic model, which converts itself to JSON."""

    def model_dump(
        self, *, mode: str = ..., by_alias: bool | None = ..., exclude_unset: bool = ..., warnings: bool = ...
    ) -> dict[str, Any]:
        """Return its fields as JSON has them."""
        ...


def read(value: Any, path: str, error: type[TranslationError]) -> Any:
    """Return a copy of *value* that is made of dicts, lists, strings, numbers, booleans and None.

    Raises TypeError, with the path, for what JSON has no form for, and *error* for what is nested too deeply.
    """
    try:
        return _copy(value, path)
    except RecursionError:
        raise error(f"The {path} is nested too deeply.") from None


def _copy(value: Any, path: str) -> Any:
    if isinstance(value, Mapping):
        return {
            _name(name, path): inner if type(inner) in _ATOMS else _copy(inner, f"{path}.{name}")
            for name, inner in value.items()
        }
    if isinstance(value, (list, tuple)):
        return [inner if type(inner) in _ATOMS else _copy(inner, f"{path}[{i}]") for i, inner in enumerate(value)]
    if value is None or isinstance(value, (str, int, float)):
        return value
    if isinstance(value, SupportsModelDump) and not isinstance(value, type):
        # as the SDK sends its own objects: `schema_` is `schema`, and what was never set is not sent as null
        return _copy(value.model_dump(mode="json", by_alias=True, exclude_unset=True, warnings=False), path)
    raise TypeError(
        f"{path}: {_kind(value)} is not JSON; pass mappings, lists, strings, numbers, or objects with model_dump()"
    )


def _name(name: Any, path: str) -> str:
    if not isinstance(name, str):
        raise TypeError(f"{path}: the keys of a JSON object must be strings, not {_kind(name)}")
    return name


def _kind(value: Any) -> str:
    return f"{type(value).__module__}.{type(value).__qualname__}".removeprefix("builtins.")
