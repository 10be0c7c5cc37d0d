"""Conversations in SQL, beyond what all stores do."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import text

from diglot.adapters.store import Conversation, DuplicateItem, NewItem

from store_servers import SQL, Engine

pytestmark = pytest.mark.anyio

KEY = "0" * 32


@pytest.fixture(params=SQL, ids=["-".join(engine) for engine in SQL])
def engine(request: pytest.FixtureRequest) -> Engine:
    return request.param


async def test_nothing_is_left_of_a_conversation(store: Any) -> None:
    """Its items go with it."""
    await store.create_conversation("t", Conversation(KEY, 1, b""), [NewItem("m0", b"x")])
    await store.delete_conversation("t", KEY)
    left = await store._run(lambda connection: connection.execute(text("SELECT count(*) FROM diglot_items")).scalar())
    assert left == 0


async def test_more_items_than_one_statement_takes_values(store: Any) -> None:
    """They are added all the same, and one that is there is found."""
    items = [NewItem(f"m{number}", b"x") for number in range(33_000)]
    await store.create_conversation("t", Conversation(KEY, 1, b""), items)
    assert [item.id for item in await store.items("t", KEY, after="m32997")] == ["m32998", "m32999"]
    with pytest.raises(DuplicateItem, match="m32999"):
        await store.add_items("t", KEY, [*(NewItem(f"n{number}", b"x") for number in range(32_999)), items[-1]])
