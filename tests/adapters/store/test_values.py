"""What goes into a store and comes out of it."""

from diglot.adapters.store.values import NewRecord, Place, counts_of, place_of


def record(*, compacts: bool, parent: Place | None) -> NewRecord:
    return NewRecord("k", 1, b"body", 7, b"", "hash", compacts, parent)


def test_where_a_response_stands() -> None:
    """Its history begins where that of its parent does, or at itself if it compacts; sizes add up."""
    parent = Place("c", 4, 2, 100)
    assert place_of(record(compacts=False, parent=None), "k", 0)[:4] == ("k", 0, 0, 7)
    assert place_of(record(compacts=False, parent=parent), "c", 5)[:4] == ("c", 5, 2, 107)
    assert place_of(record(compacts=True, parent=parent), "c", 5)[:4] == ("c", 5, 5, 7)


def test_nothing_so_far() -> None:
    """All counts of a tenant that has nothing."""
    assert counts_of("t") == ("t", *[0] * 8)
