"""Two servers on one store, and clients that do at the same time what gets in each other's way.

`DIGLOT_RACES=100` runs each race as often on each store, after a few to begin with.
"""

from __future__ import annotations

import os
import secrets
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

import anyio
import httpx2
import pytest
from openai import AsyncOpenAI

from diglot.adapters.store import NewRecord, Store, open_store
from diglot.adapters.store.values import DAY

from durability import KEY, KINDS, Caller, Told, Turn, echo_upstream, server, store_in, text_of, turn, without_settings

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

RACES = int(os.environ.get("DIGLOT_RACES", "3"))
AT_ONCE = 6
SLOW = "slow-0.3"


class World(NamedTuple):
    """Two servers, and a client that knows both."""

    caller: Caller
    bases: tuple[str, str]
    url: str

    async def both(self, asked: Turn, other: Turn) -> list[Told | httpx2.Response]:
        """Send two requests at the same time, each to its own server."""
        return await _together(
            lambda: self.caller.tell(asked, self.bases[0]), lambda: self.caller.tell(other, self.bases[1])
        )

    async def conversation(self) -> str:
        return (await self.caller.send("POST", "/conversations", {})).json()["id"]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module", params=KINDS)
def place(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str, str]]:
    """The URL of a store, and of two servers on it."""
    folder: Path = tmp_path_factory.mktemp("races")
    with ExitStack() as stack:
        url = stack.enter_context(store_in(request.param, folder))
        upstream = stack.enter_context(echo_upstream())
        first, second = (stack.enter_context(server(url, upstream, folder)) for _ in range(2))
        yield url, first.base, second.base


@pytest.fixture
async def world(place: tuple[str, str, str]) -> AsyncIterator[World]:
    url, first, second = place
    limits = httpx2.Limits(max_connections=None)
    async with httpx2.AsyncClient(timeout=60, limits=limits) as http:
        yield World(Caller(http, first), (first, second), url)


@pytest.fixture
async def store(world: World) -> AsyncIterator[Store]:
    """A third process on the same store."""
    opened = open_store(world.url)
    await opened.open()
    yield opened
    await opened.close()


async def _together(*calls: Callable[[], Awaitable[object]]) -> list[Any]:
    """What each returns, all at the same time."""
    got: list[Any] = [None] * len(calls)

    async def call(number: int) -> None:
        got[number] = await calls[number]()

    async with anyio.create_task_group() as group:
        for number in range(len(calls)):
            group.start_soon(call, number)
    return got


async def many(race: Callable[[], Awaitable[None]]) -> None:
    """Run a race often, some at a time."""
    limiter = anyio.CapacityLimiter(AT_ONCE)

    async def one() -> None:
        async with limiter:
            await race()

    await _together(*[one] * RACES)


async def test_two_children(world: World) -> None:
    """Both have their parent as their past, and none the other."""

    async def race() -> None:
        parent = await world.caller.stored(turn(await world.caller.stored(turn())))
        children = await world.both(turn(parent, stream=True), turn(parent))
        for child in (parent, *children):
            assert isinstance(child, Told), child.text
            assert child.is_stored
            await world.caller.expect_there(child)

    await many(race)


async def test_two_runs_on_one_conversation(world: World) -> None:
    """The second is refused in words that clients understand, and the conversation has one turn more."""

    async def race() -> None:
        conversation = await world.conversation()
        asked = [turn(conversation=conversation, model=SLOW, stream=stream) for stream in (True, False)]
        got = await world.both(*asked)
        (refused,) = (each for each in got if not isinstance(each, Told))
        (told,) = (each for each in got if isinstance(each, Told))
        assert told.is_stored
        assert (refused.status_code, refused.json()["error"]["code"]) == (400, "conversation_locked")
        assert (refused.headers["x-should-retry"], refused.headers["retry-after"]) == ("true", "1")
        items = (await world.caller.send("GET", f"/conversations/{conversation}/items")).json()["data"]
        assert [item["role"] for item in items] == ["assistant", "user"]
        following = await world.caller.tell(turn(conversation=conversation))
        assert isinstance(following, Told)
        assert text_of(following.answer) == " ".join(["heard", told.words[0], following.words[0]])

    await many(race)


async def test_the_official_client_tries_again(world: World) -> None:
    """Three runs on one conversation at the same time come one after the other."""

    async def race() -> None:
        conversation = await world.conversation()

        async def run(number: int) -> None:
            async with AsyncOpenAI(base_url=world.bases[number % 2], api_key=KEY, max_retries=10) as client:
                await client.responses.create(model="quick", input=f"n{number}", conversation=conversation)

        await _together(*[lambda number=number: run(number) for number in range(3)])
        items = (await world.caller.send("GET", f"/conversations/{conversation}/items?order=asc")).json()["data"]
        said = [item["content"][0]["text"] for item in items]
        assert sorted(said[::2]) == ["n0", "n1", "n2"]
        assert said[1::2] == [" ".join(["heard", *said[: 2 * number : 2]]) for number in (1, 2, 3)]

    await many(race)


async def test_delete_against_continue(world: World) -> None:
    """Whoever continues it has all of it, or is told that it is not there; afterwards it is gone for everybody."""

    async def race() -> None:
        parent = await world.caller.stored(turn())
        path = f"/responses/{parent.ident}"
        told, gone = await _together(
            lambda: world.caller.tell(turn(parent)), lambda: world.caller.send("DELETE", path, base=world.bases[1])
        )
        assert gone.status_code == 200
        if isinstance(told, Told):
            assert text_of(told.answer) == " ".join(["heard", *told.words])
            assert told.is_stored
            assert (await world.caller.send("GET", f"/responses/{told.ident}")).status_code == 200
            parent = told
        else:
            assert told.json()["error"]["code"] == "previous_response_not_found"
        assert (await world.caller.send("GET", path, base=world.bases[0])).status_code == 404
        refused = await world.caller.tell(turn(parent), world.bases[1])
        assert not isinstance(refused, Told)
        assert refused.json()["error"]["code"] == "previous_response_not_found"

    await many(race)


async def _read_while(world: World, chain: list[Told], done: anyio.Event) -> None:
    """Read and continue, until all is gone: there is the whole, or nothing."""
    chance = 0
    while not done.is_set():
        chance += 1
        each, base = chain[chance % len(chain)], world.bases[chance % 2]
        got = await world.caller.send("GET", f"/responses/{each.ident}", base=base)
        assert got.status_code in (200, 404), got.text
        assert got.status_code == 404 or got.json() == each.answer
        listed = await world.caller.send("GET", f"/responses/{each.ident}/input_items?order=asc", base=base)
        assert listed.status_code in (200, 404), listed.text
        if listed.status_code == 200:
            said = [item["content"][0]["text"] for item in listed.json()["data"]]
            assert said[::2] == each.words
        told = await world.caller.tell(turn(each), base)
        if isinstance(told, Told):
            assert told.answer["status"] == "completed"
            assert text_of(told.answer) == " ".join(["heard", *told.words])
        else:
            assert told.json()["error"]["code"] == "previous_response_not_found"


async def _chain(world: World) -> list[Told]:
    told = [await world.caller.stored(turn())]
    for number in range(4):
        told.append(await world.caller.stored(turn(told[-1]), world.bases[number % 2]))
    return told


async def test_purge_against_read(world: World, store: Store) -> None:
    """A chain is there as a whole, or not at all."""
    for _ in range(RACES):
        chain, done = await _chain(world), anyio.Event()

        async def purge(done: anyio.Event = done) -> None:
            await anyio.sleep(0.02)
            while await store.purge():
                pass
            done.set()

        await _together(*[lambda chain=chain, done=done: _read_while(world, chain, done)] * 3, purge)
        for each in chain:
            assert (await world.caller.send("GET", f"/responses/{each.ident}")).status_code == 404
            assert not isinstance(await world.caller.tell(turn(each)), Told)


async def test_the_command_against_reads(world: World) -> None:
    """`diglot store purge` while servers run."""
    chain, done = await _chain(world), anyio.Event()

    async def purge() -> None:
        command = ["-m", "diglot", "store", "purge", "--store", world.url, "--everything", "--yes"]
        await anyio.run_process([sys.executable, "-B", *command], env=without_settings())
        done.set()

    await _together(*[lambda: _read_while(world, chain, done)] * 3, purge)
    for each in chain:
        got = await world.caller.send("GET", f"/responses/{each.ident}")
        assert got.status_code == 404


async def test_two_sweeps(world: World, store: Store) -> None:
    """Everything that has expired is swept once, by the one or the other; the rest stays."""
    kept = await _chain(world)
    other = open_store(world.url, keep=-2 * DAY)  # what is stored through it has expired already
    await other.open()
    for _ in range(RACES):
        for _ in range(AT_ONCE):
            await other.put("t", NewRecord(secrets.token_hex(16), 1, b"body", 4, b"settings", "hash"))
        counts: list[int] = []

        async def sweep(each: Store, counts: list[int] = counts) -> None:
            while found := await each.sweep(2):
                counts.append(found)

        await _together(lambda: sweep(store), lambda: sweep(other), lambda: world.caller.expect_there(kept[-1]))
        assert sum(counts) == AT_ONCE
    for each in kept:
        await world.caller.expect_there(each)
    assert "t" not in [each.tenant for each in await store.counts()]
    await other.close()
