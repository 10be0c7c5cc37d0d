"""Many at once, in two stores on one database: as two processes are."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from diglot.adapters.store import ChainGone, ConversationLocked, NewRecord, Place, Store, open_store
from diglot.adapters.store.errors import DuplicateItem, LockLost
from diglot.adapters.store.values import Addition, Conversation, NewItem

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

ROUNDS = 40
LIMIT = 10**9


@pytest.fixture
async def stores(url: str, clock: Any) -> AsyncIterator[list[Store]]:
    made = [open_store(url, clock=clock) for _ in range(2)]
    if url == "memory":
        made = [made[0]] * 2
    for store in made:
        await store.open()
    yield made
    for store in made:
        await store.close()


def record(key: str, parent: Place | None = None) -> NewRecord:
    return NewRecord(key, 1, b"body", 10, b"settings", "hash", parent=parent)


async def root(store: Store, number: int) -> Place:
    await store.put("t", record(f"{number:032x}"))
    (found,) = await store.read("t", [f"{number:032x}"])
    return found.place


async def test_two_children_of_one_parent(stores: list[Store]) -> None:
    """Both are kept, and have the parent's history."""
    for number in range(ROUNDS):
        place = await root(stores[0], number)
        children = [f"{side}{number:031x}" for side in "ab"]
        async with anyio.create_task_group() as group:
            for store, key in zip(stores, children, strict=True):
                group.start_soon(store.put, "t", record(key, place))
        for key in children:
            assert [stored.key for stored in await stores[0].chain("t", key, LIMIT)] == [place.chain, key]


async def test_delete_against_continue(stores: list[Store]) -> None:
    """The child is kept or not; a history with a deleted response says so."""
    for number in range(ROUNDS):
        place = await root(stores[0], number)
        child = f"a{number:031x}"
        async with anyio.create_task_group() as group:
            group.start_soon(stores[0].delete, "t", place.chain)
            group.start_soon(stores[1].put, "t", record(child, place))
        history = await stores[1].chain("t", child, LIMIT)
        assert [(stored.key, stored.body) for stored in history] == [(place.chain, None), (child, b"body")]
        (found,) = await stores[0].read("t", [child])
        assert found.settings == b"settings"


async def test_purge_against_continue(stores: list[Store]) -> None:
    """The whole chain is there, or nothing of it."""
    for number in range(ROUNDS):
        place = await root(stores[0], number)
        child = f"a{number:031x}"

        async def go_on(child: str = child, place: Place = place) -> None:
            try:
                await stores[1].put("t", record(child, place))
            except ChainGone:
                pass

        async with anyio.create_task_group() as group:
            group.start_soon(stores[0].purge)
            group.start_soon(go_on)
        history = await stores[0].chain("t", child, LIMIT)
        assert [stored.key for stored in history] in ([], [place.chain, child])
        assert len(await stores[0].read("t", [place.chain, child])) == len(history)
        while await stores[0].purge():
            pass


async def test_two_runs_on_one_conversation(stores: list[Store]) -> None:
    """One at a time, and each turn stands together."""
    await stores[0].create_conversation("t", Conversation("c", 1, b""), [])
    await stores[0].renew("p", 1_000)
    turns: list[str] = []

    async def run(store: Store, side: str) -> None:
        for number in range(ROUNDS):
            try:
                fence = await store.lock("t", "c", "p")
            except ConversationLocked:
                await anyio.sleep(0.001)
                continue
            await anyio.lowlevel.checkpoint()
            key = f"{side}{number:031x}"
            await store.put("t", record(key), Addition("c", fence, [NewItem(f"{key}-{i}", b"") for i in range(3)]))
            turns.append(key)

    async with anyio.create_task_group() as group:
        for store, side in zip(stores, "ab", strict=True):
            group.start_soon(run, store, side)
    found = [item.id for item in await stores[1].items("t", "c", limit=10_000)]
    assert found == [f"{key}-{i}" for key in turns for i in range(3)]
    assert turns


async def test_a_lock_that_was_lost(stores: list[Store]) -> None:
    """Of two runs that both think that they have it, one adds."""
    await stores[0].create_conversation("t", Conversation("c", 1, b""), [])
    for number in range(ROUNDS):
        fences = [await store.lock("t", "c", "nobody") for store in stores]
        lost: list[int] = []

        async def add(side: int, fence: int, number: int = number, lost: list[int] = lost) -> None:
            addition = Addition("c", fence, [NewItem(f"{number}-{side}", b"")])
            try:
                await stores[side].put("t", record(f"{side}{number:031x}"), addition)
            except LockLost:
                lost.append(side)

        async with anyio.create_task_group() as group:
            for side, fence in enumerate(fences):
                group.start_soon(add, side, fence)
        assert lost == [0]
    assert len(await stores[0].items("t", "c", limit=1_000)) == ROUNDS


async def test_the_same_item_twice(stores: list[Store]) -> None:
    """One of them is refused."""
    await stores[0].create_conversation("t", Conversation("c", 1, b""), [])
    for number in range(ROUNDS):
        refused: list[str] = []

        async def add(store: Store, number: int = number, refused: list[str] = refused) -> None:
            try:
                await store.add_items("t", "c", [NewItem(f"m{number}", b"")])
            except DuplicateItem as error:
                refused.append(error.item_id)

        async with anyio.create_task_group() as group:
            for store in stores:
                group.start_soon(add, store)
        assert refused == [f"m{number}"]


async def test_two_sweeps(stores: list[Store], clock: Any) -> None:
    """Together they take everything, once."""
    for number in range(ROUNDS):
        await root(stores[0], number)
    clock.now += 10**8
    dropped: list[int] = []

    async def sweep(store: Store) -> None:
        while count := await store.sweep(7):
            dropped.append(count)

    async with anyio.create_task_group() as group:
        for store in stores:
            group.start_soon(sweep, store)
    assert sum(dropped) == ROUNDS
    assert await stores[0].counts() == []
