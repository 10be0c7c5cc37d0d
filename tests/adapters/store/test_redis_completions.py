"""Chat completions in Redis, beyond what all stores do."""

from __future__ import annotations

from typing import Any

import pytest

from diglot.adapters.store import Completion, DamagedEntry, Filter

from store_servers import Engine

pytestmark = pytest.mark.anyio


@pytest.fixture
def engine() -> Engine:
    return Engine("redis", "asyncio")


async def test_pages_are_read_in_portions(store: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Until there are enough that fit."""
    monkeypatch.setattr("diglot.adapters.store.redis_completions._PORTION", 2)
    for number in range(7):
        await store.put_completion("t", Completion(f"c {number}", number, f"m{number % 3}", {}, b""))
    for descending in (False, True):
        found = await store.completions("t", Filter("m0", limit=2, descending=descending))
        assert [each.id for each in found] == (["c 6", "c 3"] if descending else ["c 0", "c 3"])
    assert len(await store.completions("t", Filter())) == 7


async def test_nothing_is_left(store: Any) -> None:
    """Of a completion that was deleted."""
    before = set(await store._client.keys("*"))
    await store.put_completion("t", Completion("c", 1, "m", {}, b""))
    assert await store.delete_completion("t", "c")
    assert set(await store._client.keys("*")) == before


@pytest.mark.parametrize("field", ["about", "expires", "place"])
async def test_what_somebody_changed(store: Any, field: str) -> None:
    """It cannot be read; what has no place any more is swept."""
    await store.put_completion("t", Completion("c1", 1, "m", {}, b"body"))
    if field == "place":
        await store._client.hdel("diglot:m:t:c1", field)
        assert await store.purge() == 0
        assert await store.purgeable() == 0
    else:
        await store._client.hset("diglot:m:t:c1", field, "x")
        with pytest.raises(DamagedEntry, match="'c1' is stored, but cannot be read"):
            await store.completion("t", "c1")
