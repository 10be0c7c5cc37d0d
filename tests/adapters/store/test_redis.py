"""A store in Redis."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import Any

import anyio
import pytest
import redis.asyncio
import trio

from diglot.adapters.store import (
    Conversation,
    DamagedEntry,
    NewRecord,
    Place,
    StoreRefused,
    StoreUnavailable,
    open_store,
)
from diglot.adapters.store.redis import _promised
from diglot.adapters.store.values import KEEP

import store_servers
from store_servers import Engine, free_port

pytestmark = pytest.mark.anyio

KEYS = [f"{number:032x}" for number in range(30)]


@pytest.fixture
def engine() -> Engine:
    return Engine("redis", "asyncio")


def record(number: int, parent: Place | None = None) -> NewRecord:
    return NewRecord(KEYS[number], 1, b"body", 10, b"settings", "hash", parent=parent)


def test_what_it_promises() -> None:
    """By what the server says of itself; what may be lost is a warning."""
    durability, warnings = _promised({"maxmemory_policy": "noeviction", "aof_enabled": 1})
    assert (durability[-15:], warnings) == ("the last second", ())
    durability, warnings = _promised({"maxmemory_policy": "allkeys-lru", "aof_enabled": 0})
    assert durability == "what was answered survives the end of diglot, not that of Redis"
    assert [warning.partition(":")[0] for warning in warnings] == ["maxmemory-policy=allkeys-lru", "appendonly=no"]


async def test_a_cluster_is_refused(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It cannot change several keys in one step."""
    store: Any = open_store(url)

    async def info() -> dict[str, Any]:
        return {"cluster_enabled": 1}

    monkeypatch.setattr(store._client, "info", info)
    with pytest.raises(StoreRefused, match="Redis Cluster is no store"):
        await store.open()
    await store.close()


async def test_a_later_version_refuses_to_start(url: str) -> None:
    """The store was made by a newer diglot."""
    client: Any = redis.asyncio.from_url(url)
    await client.hset("diglot:meta", "version", "2")
    await client.aclose()
    store = open_store(url)
    with pytest.raises(StoreRefused, match="The store has version 2, and this diglot knows versions up to 1"):
        await store.open()
    await store.close()


async def test_a_server_that_is_not_there() -> None:
    """One error for all."""
    store = open_store(f"redis://127.0.0.1:{free_port()}/0")
    with pytest.raises(StoreUnavailable):
        await store.open()
    with pytest.raises(StoreUnavailable):
        await store.put("t", record(0))
    await store.close()


async def test_a_server_that_does_not_answer() -> None:
    """Whoever has waited long enough goes on, and closing does not wait."""
    async with store_servers.silence() as port:
        store = open_store(f"redis://127.0.0.1:{port}/0")
        with anyio.move_on_after(0.2) as scope:
            await store.open()
        assert scope.cancelled_caught
        with anyio.fail_after(2):
            await store.close()


async def test_connections_that_were_cut(store: Any, url: str) -> None:
    """The call fails or not, and the next one works."""
    await store.put("t", record(0))
    client: Any = redis.asyncio.from_url(url)
    await client.client_kill_filter(_type="normal", skipme=True)
    await client.aclose()
    failed, found = 0, []
    for _ in range(3):
        try:
            found = await store.read("t", [KEYS[0]])
        except StoreUnavailable:
            failed += 1
        else:
            break
    assert failed <= 2
    assert len(found) == 1


def test_trio_has_no_driver() -> None:
    """The error says so."""
    with pytest.raises(StoreRefused, match="needs asyncio"):
        trio.run(open_store("redis://h").open)


async def test_calls_that_are_cancelled(store: Any) -> None:
    """They happen or not, the store goes on, and answers are those to the questions asked."""
    for number in range(30):
        with anyio.move_on_after(0.0002 * number):
            await store.put("t", record(number))
        for found in await store.read("t", [KEYS[number]]):
            assert found.key == KEYS[number], "the answer to another question"
    await store.put("t", record(0))
    assert len(await store.read("t", [KEYS[0]])) == 1


@pytest.mark.parametrize(
    ("name", "field"),
    [
        *(("r", field) for field in ("chain", "depth", "base", "size", "created", "conversation", "position")),
        *(("c", field) for field in ("expires", "forks", "d0", "")),
        *(("r", ""), ("s", "")),
    ],
)
@pytest.mark.parametrize("damage", [b"x", None])
async def test_what_redis_dropped_or_somebody_changed(url: str, name: str, field: str, damage: bytes | None) -> None:
    """It is not there or cannot be read, and the sweep goes on."""
    store, later = open_store(url), open_store(url, clock=lambda: time.time() + 2 * KEEP)
    await store.open()
    for number in range(3):
        await store.put("t", record(number))
    client: Any = redis.asyncio.from_url(url)
    key = f"diglot:{name}:t:{'hash' if name == 's' else KEYS[1]}"
    if not field:
        await client.delete(key)
    elif damage is None:
        await client.hdel(key, field)
    else:
        await client.hset(key, field, damage)
    await client.aclose()
    for read in (store.read("t", KEYS[:3]), store.chain("t", KEYS[1], 10**6)):
        with suppress(DamagedEntry):
            assert {stored.key for stored in await read} <= {*KEYS[:3]}
    await store.delete("t", KEYS[1])
    while await later.sweep():
        pass
    assert await later.purgeable() == 0
    assert await store.read("t", KEYS[:3]) == []
    await later.close()
    await store.close()


async def test_a_conversation_that_was_changed(store: Any) -> None:
    """It cannot be read."""
    await store.create_conversation("t", Conversation(KEYS[1], 1, b"m"), [])
    await store._client.hset(f"diglot:v:t:{KEYS[1]}", "created", "x")
    with pytest.raises(DamagedEntry, match=f"'conv_{KEYS[1]}' is stored, but cannot be read"):
        await store.conversation("t", KEYS[1])
