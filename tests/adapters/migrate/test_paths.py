"""Places in a line."""

from typing import Any

import pytest

from diglot.adapters.migrate.paths import value_at, with_value, without_value


def test_values() -> None:
    """What is there, and None for what is not."""
    line = {"a": {"b": 1}}
    assert (value_at(line, "a.b"), value_at(line, ""), value_at(line, "a.b.c")) == (1, line, None)


def test_a_line_is_not_changed() -> None:
    """A copy has the new value; objects on the way are made."""
    line = {"a": {"b": 1, "c": 2}}
    assert with_value(line, "a.b", 3) == {"a": {"b": 3, "c": 2}}
    assert with_value(line, "x.y", 4) == {**line, "x": {"y": 4}}
    assert (with_value(line, "", 5), line) == (5, {"a": {"b": 1, "c": 2}})


@pytest.mark.parametrize(
    ("path", "rest"),
    [
        ("a[0].b", {"a": [{"c": 2}, 3]}),
        ("a[1]", {"a": [{"b": 1, "c": 2}]}),
        ("a[2]", None),
        ("a.b", None),
        ("a[1].b", None),
        ("x", None),
        ("", None),
    ],
)
def test_what_is_left(path: str, rest: Any) -> None:
    """One thing is gone, or None says that it was not there."""
    body = {"a": [{"b": 1, "c": 2}, 3]}
    assert without_value(body, path) == rest
    assert body == {"a": [{"b": 1, "c": 2}, 3]}
