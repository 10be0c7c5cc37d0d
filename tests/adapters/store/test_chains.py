"""The chains of responses in memory."""

import pytest

from diglot.adapters.store import ChainGone, HistoryTooLarge, NewRecord
from diglot.adapters.store.chains import OVERHEAD, Chains


def record(key: str, chains: Chains | None = None, parent: str = "") -> NewRecord:
    """A response that continues the one of a key."""
    above = chains.read("t", parent, 0) if chains else None
    return NewRecord(key, 1, b"body", 10, b"settings", "hash", parent=above.place if above else None)


def test_lines() -> None:
    """From a fork to the beginning."""
    chains = Chains()
    for key, parent in (("a", ""), ("b", "a"), ("c", "a"), ("d", "c"), ("e", "c")):
        chains.put("t", record(key, chains, parent), 10, None, 0)
    assert list(chains.line(("t", "e"))) == [("t", "e"), ("t", "c"), ("t", "a")]
    assert [name for name, _ in chains.not_forked()] == [("t", "e")]
    head = chains.read("t", "e", 0)
    assert head is not None
    assert [stored.key for stored in chains.history("t", head.place, 30)] == ["a", "c", "e"]
    with pytest.raises(HistoryTooLarge):
        chains.history("t", head.place, 29)


def test_sizes() -> None:
    """Settings count once, and deleted bodies no more."""
    chains = Chains()
    for key in "ab":
        chains.put("t", record(key), 10, None, 0)
    assert chains.size == 2 * (len(b"body") + OVERHEAD) + len(b"settings")
    chains.delete("t", "a")
    assert chains.size == len(b"body") + 2 * OVERHEAD + len(b"settings")
    assert [len(chain.kept) for chain in chains.chains.values()] == [0, 1]
    chains.delete("t", "b")
    assert chains.size == 2 * OVERHEAD
    assert chains.drop([("t", "a"), ("t", "b")]) == 2
    assert chains.size == 0


def test_a_parent_that_is_gone() -> None:
    """It cannot be continued."""
    chains = Chains()
    chains.put("t", record("a"), 10, None, 0)
    child = record("b", chains, "a")
    chains.expect_parent("t", child)
    chains.drop([("t", "a")])
    with pytest.raises(ChainGone):
        chains.expect_parent("t", child)
    chains.expect_parent("t", record("b"))
