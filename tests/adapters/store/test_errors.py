"""What a store raises can be caught as one, and says what it is about."""

from __future__ import annotations

import pytest

from diglot.adapters.store import errors

ALL = [each for each in vars(errors).values() if isinstance(each, type) and each.__module__ == errors.__name__]


@pytest.mark.parametrize("kind", ALL)
def test_they_are_of_one_kind(kind: type[Exception]) -> None:
    """Whoever catches StoreError has caught them all."""
    assert issubclass(kind, errors.StoreError)


def test_what_they_are_about() -> None:
    """The id of what is damaged or doubled, and how large a history is."""
    assert str(errors.DamagedEntry("resp_1")) == "'resp_1' is stored, but cannot be read."
    assert errors.DuplicateItem("msg_1").item_id == "msg_1"
    assert errors.HistoryTooLarge(7).size == 7
