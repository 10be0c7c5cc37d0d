"""The items of a conversation in memory."""

import pytest

from diglot.adapters.store import Conversation, DuplicateItem, NewItem, NoSuchItem
from diglot.adapters.store.logs import Log


def test_places_are_not_given_twice() -> None:
    """An item that comes back stands last."""
    log = Log(Conversation("k", 1, b""))
    log.add([NewItem("a", b"1"), NewItem("b", b"22")])
    assert log.remove("a") == NewItem("a", b"1")
    assert log.remove("a") is None
    log.add([NewItem("a", b"333")])
    assert [item.id for item in log.page(None, 10, False)] == ["b", "a"]
    assert log.item("a") == b"333"
    assert log.item("c") is None


def test_all_or_nothing() -> None:
    """An item that is there already keeps the others away."""
    log = Log(Conversation("k", 1, b""))
    log.add([NewItem("a", b"")])
    with pytest.raises(DuplicateItem):
        log.add([NewItem("b", b""), NewItem("a", b"")])
    with pytest.raises(NoSuchItem):
        log.page("b", 10, False)
