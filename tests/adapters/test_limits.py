"""The bounds."""

import msgspec
import pytest

from diglot.adapters import Limits


@pytest.mark.parametrize("wrong", [{"idle": 0}, {"max_body": -1}, {"idle": "x"}, {"nonsense": 1}])
def test_wrong_limits(wrong: dict[str, object]) -> None:
    """A bound that is none is refused when it is read."""
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(wrong, Limits)
