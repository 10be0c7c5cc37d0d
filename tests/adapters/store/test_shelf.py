"""The chat completions of a tenant in memory."""

import pytest

from diglot.adapters.store import Completion, Filter, NoSuchItem
from diglot.adapters.store.shelf import Shelf, fits


def completion(number: int) -> Completion:
    return Completion(f"c{number}", number, "m", {"a": str(number)}, b"")


def test_order() -> None:
    """By time, whatever the order in which they came; removed ones are in no page."""
    shelf = Shelf()
    assert [shelf.add(completion(number), number) for number in (2, 1, 3, 1)] == [True, True, True, False]
    assert [found.id for found in shelf.page(Filter())] == ["c1", "c2", "c3"]
    assert shelf.remove("c2") == completion(2)
    assert [found.id for found in shelf.page(Filter(descending=True))] == ["c3", "c1"]
    with pytest.raises(NoSuchItem):
        shelf.page(Filter(after="c2"))


def test_expiry() -> None:
    """In the order in which they came."""
    shelf = Shelf()
    for number in (2, 1, 3):
        shelf.add(completion(number), 10)
    shelf.add(completion(4), 20)
    assert (shelf.expired(9), shelf.expired(10)) == ([], ["c2", "c1", "c3"])


def test_filters() -> None:
    """Model, and all of the metadata."""
    assert fits(completion(1), Filter("m", {"a": "1"}))
    assert not fits(completion(1), Filter("n"))
    assert not fits(completion(1), Filter(metadata={"a": "1", "b": ""}))
