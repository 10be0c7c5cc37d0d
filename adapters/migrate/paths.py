"""Places in a decoded line: dotted paths for what is known, paths with indexes for what errors name."""

from __future__ import annotations

import re
from typing import Any

_STEP = re.compile(r"([^.\[\]]+)|\[(\d+)\]")


def value_at(line: Any, path: str) -> Any:
    """Return what is at a dotted path, None if there is nothing; the empty path is the line itself."""
    if "." not in path:
        return line if not path else line.get(path) if isinstance(line, dict) else None
    for name in path.split("."):
        if not isinstance(line, dict):
            return None
        line = line.get(name)
    return line


def with_value(line: Any, path: str, value: Any) -> Any:
    """Return a copy of *line* that has *value* at a dotted path; other parts are shared."""
    if not path:
        return value
    name, _, rest = path.partition(".")
    return {**line, name: with_value(line.get(name) or {}, rest, value)}


def without_value(body: Any, path: str) -> Any:
    """Return a copy of *body* without what is at a path (`tools[2]`, `reasoning.mode`); None if nothing is there."""
    steps = [name or int(index) for name, index in _STEP.findall(path)]
    return _without(body, steps) if steps else None


def _without(value: Any, steps: list[Any]) -> Any:
    step, *others = steps
    if isinstance(value, list) and isinstance(step, int):
        there = step < len(value)
    else:
        there = isinstance(value, dict) and step in value
    if not there:
        return None
    made = value.copy()
    if not others:
        del made[step]
        return made
    inner = _without(value[step], others)
    if inner is None:
        return None
    made[step] = inner
    return made
