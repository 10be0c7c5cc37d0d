"""Conversations in SQL, beyond what all stores do."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import text

from diglot.adapters.store import Conversation, NewItem

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
