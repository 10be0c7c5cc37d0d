"""What Redis does in one step."""

from __future__ import annotations

from typing import Any

import pytest

from diglot.adapters.store import Addition, Conversation, NewItem, NewRecord, Place

from store_servers import Engine

pytestmark = pytest.mark.anyio

KEYS = [f"{number:032x}" for number in range(10)]


@pytest.fixture
def engine() -> Engine:
    return Engine("redis", "asyncio")


def record(number: int, parent: Place | None = None) -> NewRecord:
    return NewRecord(KEYS[number], 1, b"body", 10, b"settings", "hash", parent=parent)


async def keys(store: Any) -> set[bytes]:
    return set(await store._client.keys("*"))


async def test_nothing_is_left_of_what_was_purged(store: Any) -> None:
    """Chains, forks, settings, conversations and what belongs to them."""
    empty = await keys(store)
    await store.put("t", record(0))
    (root,) = await store.read("t", [KEYS[0]])
    await store.put("t", record(1, root.place))
    await store.put("t", record(2, root.place))
    await store.create_conversation("t", Conversation(KEYS[9], 1, b""), [NewItem("m0", b"x", True)])
    await store.put("t", record(3), Addition(KEYS[9], await store.lock("t", KEYS[9], "p"), [NewItem("m1", b"x")]))
    await store.delete("t", KEYS[1])
    assert await keys(store) > empty
    while await store.purge():
        pass
    assert await keys(store) == empty


async def test_keys_name_the_tenant(store: Any) -> None:
    """All but leases, secrets and the two lists of everything."""
    await store.put("t", record(0))
    await store.create_conversation("t", Conversation(KEYS[9], 1, b""), [NewItem("m0", b"x", True)])
    await store.renew("p", 30)
    others = {key for key in await keys(store) if b":t:" not in key}
    assert others == {b"diglot:meta", b"diglot:l:p", b"diglot:chains", b"diglot:conversations"}


async def test_a_history_is_one_round_trip(store: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Forks included; the first one on a server brings it the script."""
    assert await store.chain("t", KEYS[4], 1_000) == []
    place = None
    for number in range(5):
        await store.put("t", record(number, place))
        (found,) = await store.read("t", [KEYS[number]])
        place = found.place if number != 3 else place
    calls: list[Any] = []
    execute = store._client.execute_command

    async def counted(*args: Any, **more: Any) -> Any:
        calls.append(args[0])
        return await execute(*args, **more)

    monkeypatch.setattr(store._client, "execute_command", counted)
    assert len(await store.chain("t", KEYS[4], 1_000)) == 4
    assert len(calls) == 1


async def test_a_history_with_a_hole_is_not_there(store: Any) -> None:
    """A chain that it was forked from is missing."""
    await store.put("t", record(0))
    (root,) = await store.read("t", [KEYS[0]])
    await store.put("t", record(1, root.place))
    await store.put("t", record(2, root.place))
    await store._client.delete(f"diglot:c:t:{KEYS[0]}")
    assert await store.chain("t", KEYS[2], 1_000) == []
