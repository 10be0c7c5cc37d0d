from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diglot.translator.parts import times


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (1_700_000_000, 1_700_000_000),
        (1_700_000_000.9, 1_700_000_000),
        (1, 1),
        (1_700_000_000_999, 1_700_000_000),
        (1_700_000_000_999.5, 1_700_000_000),
        (10**11, 10**11),
    ],
)
def test_times_are_whole_seconds(value: Any, seconds: int) -> None:
    """Fractions are cut off; what is too large to be seconds is milliseconds (D36)."""
    found = times.seconds(value)
    assert (found, type(found)) == (seconds, int)


@pytest.mark.parametrize(
    "value",
    [
        *(None, "", "1700000000", True, False, [], {}),
        *(0, -1, 0.5, -(10**400), 10**14, 10**400, 1e300),
        *(float("nan"), float("inf"), -float("inf")),
    ],
)
def test_what_is_no_time_is_none(value: Any) -> None:
    """The answer has the time of the clock then."""
    assert times.seconds(value) is None


@given(st.integers() | st.floats() | st.booleans() | st.text() | st.none())
def test_every_time_can_be_sent(value: Any) -> None:
    """Whatever comes, it is nothing or a number within bounds."""
    found = times.seconds(value)
    assert found is None or 1 <= found <= 10**11
