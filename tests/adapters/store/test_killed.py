"""Processes that are killed while they write: what they said is kept is there, and nothing is half there."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import anyio
import pytest

from diglot.adapters.store import ConversationLocked, Store, open_store

from store_servers import Engine

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

WRITER = Path(__file__).with_name("store_writer.py")
KILLS = int(os.environ.get("DIGLOT_KILLS", "8"))
TENANT, CONVERSATION = "t", "c" * 32


@pytest.fixture(params=["sqlite", "postgres", "redis"])
def engine(request: pytest.FixtureRequest) -> Engine:
    return Engine(request.param, "asyncio")


async def killed(url: str, seed: int, seconds: float) -> list[list[str]]:
    """What a writer said before it was killed."""
    command = [sys.executable, str(WRITER), url, str(seed)]
    async with await anyio.open_process(command, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        said = b""
        while b"ready" not in said:
            said += await process.stdout.receive()
        with anyio.move_on_after(seconds):
            while True:
                said += await process.stdout.receive()
        process.send_signal(signal.SIGKILL)
        with anyio.move_on_after(5):
            while True:
                try:
                    said += await process.stdout.receive()
                except anyio.EndOfStream:
                    break
    return [line.split() for line in said.decode().splitlines(keepends=True) if line.endswith("\n")]


async def expect_whole(store: Store, said: list[list[str]]) -> int:
    """Everything that was said to be kept is there and can be continued; return how much that was."""
    kept = [words[1] for words in said if words[0] == "kept"]
    for key in kept:
        history = await store.chain(TENANT, key, 10**9)
        assert history[-1].key == key
        assert all(stored.body == stored.key.encode() * 50 for stored in history)
        assert [stored.place.depth for stored in history] == list(range(len(history)))
    for key in [words[1] for words in said if words[0] == "try"]:  # also what nobody was told of
        for stored in await store.read(TENANT, [key]):
            assert stored.settings == b"settings" * 100
            assert (await store.chain(TENANT, key, 10**9))[-1].key == key
    return len(kept)


async def test_nothing_is_lost_and_nothing_is_half_there(url: str) -> None:
    """Also in the conversation that all of them write to; its lock is free again soon."""
    store = open_store(url)
    await store.open()
    chance = random.Random(7)
    kept, added = 0, set[str]()
    for seed in range(KILLS):
        said = await killed(url, seed, chance.uniform(0.02, 0.3))
        kept += await expect_whole(store, said)
        added |= {words[1] for words in said if words[0] == "added"}
        items = [item.id for item in await store.items(TENANT, CONVERSATION, limit=10**6)]
        turns = [item_id.removesuffix("-in") for item_id in items[::2]]
        assert items == [name for key in turns for name in (f"{key}-in", f"{key}-out")]
        assert added <= set(turns)
        assert len(await store.read(TENANT, turns[:500])) == len(turns[:500])
        await expect_free(store)
    assert kept > KILLS
    await store.close()


async def expect_free(store: Store) -> None:
    """The lock ends with the lease of its process."""
    with anyio.fail_after(10):
        while True:
            try:
                await store.unlock(TENANT, CONVERSATION, await store.lock(TENANT, CONVERSATION, "test"))
                return
            except ConversationLocked:
                await anyio.sleep(0.1)
