"""A store of the host's, which may raise anything."""

import logging
from typing import Any

import pytest
from scripted_model import Double
from stored_world import ME, key

from diglot.adapters.stateful.guard import guarded
from diglot.adapters.store import ConversationGone, StoreUnavailable, open_store

pytestmark = pytest.mark.anyio

SECRET = "said by a user"


async def odd(store: Any, *args: Any) -> Any:
    raise LookupError(SECRET)


async def test_what_it_raises_is_a_store_error(caplog: pytest.LogCaptureFixture) -> None:
    """The log says where it came from, but not what it says; errors of stores stay as they are."""
    store = guarded(Double(open_store("memory"), read=odd))
    await store.open()
    with caplog.at_level(logging.ERROR), pytest.raises(StoreUnavailable, match="it raised LookupError"):
        await store.read(ME, [key(1)])
    assert "LookupError" in caplog.text
    assert "in odd" in caplog.text
    assert SECRET not in caplog.text
    with pytest.raises(ConversationGone):
        await store.items(ME, key(1), limit=3)
    assert [stored async for stored in store.export()] == []
