"""Servers that are killed at any moment: what a client was told is stored is there, and the rest is whole or not there.

`DIGLOT_KILLS=100` kills as often on each store; `DIGLOT_LEASE=30` with the lease that users have.
"""

from __future__ import annotations

import os
import random
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import anyio
import httpx2
import pytest

from diglot.adapters.store import open_store

from durability import KINDS, LEASE, Caller, Server, Told, echo_upstream, store_in, text_of, turn

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

KILLS = int(os.environ.get("DIGLOT_KILLS", "2"))
CLIENTS = 6
MODELS = ["quick", "quick", "slow-0.05", "slow-0.3"]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
def upstream() -> Iterator[str]:
    with echo_upstream() as url:
        yield url


@pytest.fixture
async def http() -> AsyncIterator[httpx2.AsyncClient]:
    async with httpx2.AsyncClient(timeout=60) as client:
        yield client


class World:
    """All that clients were told, in all rounds."""

    def __init__(self, caller: Caller, seed: int) -> None:
        self.chance: random.Random = random.Random(seed)
        self.caller: Caller = caller
        self.told: list[Told] = []
        self.in_conversations: dict[str, list[str]] = {}
        """The words that were told in each, in order."""
        self.sent: set[str] = set()
        self.cut: int = 0
        self.locked: int = 0

    async def talk(self, conversation: str) -> None:
        """Ask and ask, until the server dies."""
        try:
            while True:
                await self._ask(conversation)
        except httpx2.TransportError:
            self.cut += 1

    async def _ask(self, conversation: str) -> None:
        chance = self.chance
        more: dict[str, Any] = {"stream": chance.random() < 0.5, "model": chance.choice(MODELS)}
        in_conversation = chance.random() < 0.3
        parent = None
        if in_conversation:
            more["conversation"] = conversation
        elif self.told and chance.random() < 0.8:
            parent = chance.choice(self.told[-40:])
        asked = turn(parent, **more)
        self.sent.add(asked.words[-1])
        got = await self.caller.tell(asked)
        if not isinstance(got, Told):
            assert got.json()["error"]["code"] == "conversation_locked", got.text
            self.locked += 1  # by one who is dead, for a while
        elif in_conversation:
            assert got.is_stored, got.answer
            self.in_conversations[conversation].append(asked.words[-1])
            self.told.append(Told(got.answer, text_of(got.answer).split(" ")[1:]))
        else:
            assert got.is_stored, got.answer
            assert text_of(got.answer) == " ".join(["heard", *got.words])
            self.told.append(got)

    async def until_told_more(self, before: int) -> None:
        """Wait on a slow machine, where nobody may have got an answer yet."""
        with anyio.move_on_after(30):
            while len(self.told) <= before:  # noqa: ASYNC110
                await anyio.sleep(0.02)

    async def expect_there(self, told: list[Told]) -> None:
        """Everything that was told is there, and what was begun is whole or not there."""
        known = {each.ident for each in told}
        async with anyio.create_task_group() as group:
            limiter = anyio.CapacityLimiter(8)
            for each in told:
                group.start_soon(_limited, limiter, self.caller.expect_there, each)
        for ident, words in self.caller.begun.items():
            got = await self.caller.send("GET", f"/responses/{ident}")
            assert got.status_code in ((200,) if ident in known else (200, 404)), got.text
            if got.status_code == 200:
                assert got.json()["status"] == "completed"
                assert text_of(got.json()).endswith(words[-1])
        self.caller.begun.clear()

    async def expect_whole_conversations(self) -> None:
        """Their items are whole turns, those that were told among them, in order."""
        for conversation, told in self.in_conversations.items():
            items = [item async for item in self._items(conversation)]
            said = [item["content"][0]["text"] for item in items[::2]]
            assert [item["role"] for item in items] == ["user", "assistant"] * len(said)
            assert [item["content"][0]["text"].split(" ")[-1] for item in items[1::2]] == said
            assert [word for word in said if word in told] == told
            assert set(said) <= self.sent

    async def _items(self, conversation: str) -> AsyncIterator[dict[str, Any]]:
        after = ""
        while True:
            path = f"/conversations/{conversation}/items?order=asc&limit=100{after}"
            page = (await self.caller.send("GET", path)).json()
            for item in page["data"]:
                yield item
            if not page["has_more"]:
                return
            after = f"&after={page['last_id']}"

    async def expect_free(self) -> None:
        """Each conversation can be continued when the lease of the dead is over."""
        with anyio.fail_after(LEASE + 5):
            for conversation in self.in_conversations:
                await self.caller.until_told(turn(conversation=conversation))

    async def expect_nothing_else(self, url: str) -> int:
        """All records can be read, and each was asked for, once; return how many there are."""
        store = open_store(url)
        await store.open()
        keys = [stored.key async for _, stored in store.export()]
        await store.close()
        said = set()
        for key in keys:
            got = await self.caller.send("GET", f"/responses/resp_{key}")
            assert got.status_code == 200, got.text
            assert got.json()["status"] == "completed"
            said.add(got.json()["metadata"]["word"])
        assert len(said) == len(keys)
        assert said <= self.sent
        assert {each.answer["metadata"]["word"] for each in self.told} <= said
        return len(keys)


async def _limited(limiter: anyio.CapacityLimiter, function: Any, *args: Any) -> None:
    async with limiter:
        await function(*args)


@pytest.mark.parametrize("kind", KINDS)
async def test_killed(kind: str, upstream: str, http: httpx2.AsyncClient, tmp_path: Path) -> None:
    """Nothing that was told is lost, locks are free again, and nothing is half there."""
    with store_in(kind, tmp_path) as url:
        server = Server(url, upstream, tmp_path)
        world = World(Caller(http, server.base), seed=11)
        try:
            server.start()
            for _ in range(CLIENTS):
                made = (await world.caller.send("POST", "/conversations", {})).json()
                world.in_conversations[made["id"]] = []
            for _ in range(KILLS):
                before = len(world.told)
                async with anyio.create_task_group() as group:
                    for conversation in world.in_conversations:
                        group.start_soon(world.talk, conversation)
                    await anyio.sleep(world.chance.uniform(0.05, 0.7))
                    await world.until_told_more(before)
                    server.kill()
                server.start()
                await world.expect_there(world.told[before:])
            await world.expect_there(world.told)
            await world.expect_whole_conversations()
            records = await world.expect_nothing_else(url)
            await world.expect_free()
        finally:
            server.kill()
    assert len(world.told) >= KILLS
    assert world.cut == KILLS * CLIENTS
    untold = records - len(world.told)
    print(
        f"{kind}: {KILLS} kills, {len(world.sent)} asked, {len(world.told)} told, all there; ", file=sys.stderr, end=""
    )
    print(f"{untold} there untold, {world.locked} found a dead lock, lease {LEASE:g} s", file=sys.stderr)
