"""Housekeeping in SQL, beyond what all stores do."""

from __future__ import annotations

from typing import Any

import anyio
import pytest
from sqlalchemy import text

from diglot.adapters.store import NewRecord
from diglot.adapters.store.values import DAY, KEEP

from store_servers import SQL, Engine

pytestmark = pytest.mark.anyio

KEYS = [f"{number:032x}" for number in range(40)]


@pytest.fixture(params=SQL, ids=["-".join(engine) for engine in SQL])
def engine(request: pytest.FixtureRequest) -> Engine:
    return request.param


async def left(store: Any, table: str) -> int:
    counting = text(f"SELECT count(*) FROM diglot_{table}")
    return await store._run(lambda connection: connection.execute(counting).scalar())


async def test_nothing_is_left_of_what_expired(store: Any, clock: Any) -> None:
    """Rows, settings and leases; two sweeps at once are one."""
    for number in range(40):
        await store.put("t", NewRecord(KEYS[number], 1, b"body", 10, b"settings", f"{number % 3}"))
    await store.renew("p", 30)
    clock.now += KEEP + DAY + 1
    async with anyio.create_task_group() as group:
        for _ in range(2):
            group.start_soon(store.sweep)
    assert [await left(store, name) for name in ("records", "chains", "settings", "processes")] == [0, 0, 0, 0]
