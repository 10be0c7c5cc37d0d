"""Ids and times of a line."""

from typing import Any

import pytest

from diglot.adapters.migrate.ids import LineIds, seconds


def test_ids_are_functions_of_the_line() -> None:
    """Of its own id, or else of its bytes; each is another one."""
    ids, others, same = LineIds("1", b"a"), LineIds(None, b"a"), LineIds("1", b"b")
    first, second = ids("resp"), ids("resp")
    assert len({first, second, others("resp")}) == 3
    assert (same("resp"), same("resp")) == (first, second)


@pytest.mark.parametrize(
    ("time", "expected"),
    [
        (5, 5.0),
        (1.5, 1.5),
        (True, 0),
        ("1970-01-01T00:01:00", 60),
        ("1970-01-01T01:01:00+01:00", 60),
        ("x", 0),
        (None, 0),
    ],
)
def test_times(time: Any, expected: float) -> None:
    """Numbers and dates; what is no time is 0."""
    assert seconds(time) == expected
