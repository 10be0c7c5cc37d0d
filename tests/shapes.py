"""Whether values have the shapes that type checkers are told: the golden cases are held against TypedDicts."""

from pathlib import Path
from types import UnionType
from typing import Any, Literal, NotRequired, Required, Union, get_args, get_origin, get_type_hints, is_typeddict

import pytest

GOLDEN = Path(__file__).parent / "golden"


def cases(kind: str) -> Any:
    """Parametrise a test with the golden files of a kind: `serve_chat/answer`."""
    files = sorted(GOLDEN.glob(f"{kind}/**/*.json"))
    return pytest.mark.parametrize("path", files, ids=[f.stem for f in files])


def heads(paths: list[str | None]) -> set[str]:
    """The top-level fields of dotted paths."""
    return {path.split(".")[0].split("[")[0] for path in paths if path}


def misfits(value: Any, kind: Any, path: str = "$") -> list[str]:
    """Return where *value* is not what *kind* says; fields that no TypedDict lists are fine."""
    origin, args = get_origin(kind), get_args(kind)
    if kind is Any:
        return []
    if origin in (Required, NotRequired):
        return misfits(value, args[0], path)
    if origin in (Union, UnionType):
        return min((misfits(value, one, path) for one in args), key=len)
    if origin is Literal:
        return [] if value in args else [f"{path}: {value!r} is none of {args}"]
    if origin is list and isinstance(value, list):
        return [found for i, one in enumerate(value) for found in misfits(one, args[0], f"{path}[{i}]")]
    if origin is dict and isinstance(value, dict):
        return [found for name, one in value.items() for found in misfits(one, args[1], f"{path}.{name}")]
    if is_typeddict(kind) and isinstance(value, dict):
        hints = get_type_hints(kind)
        missing = [f"{path}.{name} is missing" for name in kind.__required_keys__ if name not in value]
        known = [name for name in value if name in hints]
        return missing + [found for name in known for found in misfits(value[name], hints[name], f"{path}.{name}")]
    plain = (int, float) if kind is float else origin or kind
    return [] if not is_typeddict(plain) and isinstance(value, plain) else [f"{path}: {value!r} is no {kind}"]
