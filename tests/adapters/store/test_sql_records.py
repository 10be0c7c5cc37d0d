"""Responses in SQL, beyond what all stores do."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import text

from diglot.adapters.store import NewRecord, Place, sql_records
from diglot.adapters.store.values import DAY

from store_servers import SQL, Engine

pytestmark = pytest.mark.anyio

KEYS = [f"{number:032x}" for number in range(5)]


@pytest.fixture(params=SQL, ids=["-".join(engine) for engine in SQL])
def engine(request: pytest.FixtureRequest) -> Engine:
    return request.param


def record(number: int, parent: Place | None = None) -> NewRecord:
    return NewRecord(KEYS[number], 1, b"body", 10, b"settings", "hash", parent=parent)


async def place_in(store: Any, number: int) -> Place:
    (found,) = await store.read("t", [KEYS[number]])
    return found.place


async def test_a_history_with_a_hole_is_not_there(store: Any) -> None:
    """A row that is missing, in the chain itself or in the one that it was forked from, is no shorter history."""
    await store.put("t", record(0))
    await store.put("t", record(1, await place_in(store, 0)))
    await store.put("t", record(2, await place_in(store, 1)))
    await store.put("t", record(3, await place_in(store, 1)))
    await store._run(lambda connection: connection.execute(text("DELETE FROM diglot_records WHERE depth = 0")))
    assert await store.chain("t", KEYS[2], 1_000) == []
    assert await store.chain("t", KEYS[3], 1_000) == []
    await store._run(lambda connection: connection.execute(text("DELETE FROM diglot_records WHERE depth = 1")))
    assert await store.chain("t", KEYS[3], 1_000) == []


def test_what_needs_one_statement() -> None:
    """A response that renews its chain needs more than one."""
    assert sql_records.needs_one_statement(record(0), None, 10 * DAY)
    assert sql_records.needs_one_statement(record(1, Place("c", 0, 0, 1, 9 * DAY)), None, 10 * DAY)
    assert not sql_records.needs_one_statement(record(1, Place("c", 0, 0, 1, 8 * DAY)), None, 10 * DAY)
