"""Databases that are started again in the middle, that are away, slow, or say nothing: answers come all the same."""

from __future__ import annotations

import signal
import sqlite3
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import httpx2
import pytest

import store_servers
from durability import LEASE, Caller, Server, Told, echo_upstream, server, text_of, turn
from relay import Relay
from store_servers import Database

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

PATIENCE = 5
"""Seconds that a store gets at the end of an answer."""
MARGIN = 2
CRASHES = {"postgres": signal.SIGQUIT, "redis": signal.SIGKILL}
"""With which each database ends at once, without writing down anything more."""


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
def upstream() -> Iterator[str]:
    with echo_upstream() as url:
        yield url


@pytest.fixture(scope="module", params=CRASHES)
def database(request: pytest.FixtureRequest) -> Iterator[tuple[str, Database]]:
    start = store_servers.postgres_server if request.param == "postgres" else store_servers.redis_server
    arguments = () if request.param == "postgres" else ("--appendonly", "yes")
    with start(*arguments) as (started, _):
        yield request.param, started


@pytest.fixture
async def http() -> AsyncIterator[httpx2.AsyncClient]:
    async with httpx2.AsyncClient(timeout=60) as client:
        yield client


async def expect_answered(told: Any, began: float, upstream_took: float = 0) -> None:
    """The answer is whole, says that it is not stored, and came soon."""
    assert isinstance(told, Told), told.text
    assert told.answer["status"] == "completed"
    assert told.answer["store"] is False
    assert text_of(told.answer) == " ".join(["heard", *told.words])
    assert time.monotonic() - began < upstream_took + PATIENCE + MARGIN


async def expect_refused(caller: Caller, past: Told, conversation: str) -> None:
    """What needs the past is refused soon, and may be sent again."""
    reference = {"type": "item_reference", "id": past.answer["output"][0]["id"]}
    needing = [
        ("POST", "/responses", turn(past).body),
        ("POST", "/responses", turn(past, stream=True, store=False).body),
        ("POST", "/responses", turn(conversation=conversation).body),
        ("POST", "/responses", turn(input=[reference]).body),
        ("POST", "/responses/input_tokens", {"model": "quick", "previous_response_id": past.ident, "input": "x"}),
        ("POST", "/responses/compact", {"model": "quick", "previous_response_id": past.ident}),
        ("POST", "/conversations", {}),
        ("GET", f"/responses/{past.ident}", None),
        ("GET", f"/conversations/{conversation}/items", None),
        ("DELETE", f"/responses/{past.ident}", None),
    ]

    async def expect_503(method: str, path: str, body: Any) -> None:
        began = time.monotonic()
        got = await caller.send(method, path, body)
        assert (got.status_code, got.headers.get("retry-after")) == (503, "1"), f"{method} {path}: {got.text}"
        assert got.json()["error"]["code"] == "store_unavailable"
        assert time.monotonic() - began < PATIENCE + MARGIN

    async with anyio.create_task_group() as group:
        for each in needing:
            group.start_soon(expect_503, *each)


async def expect_without_store(caller: Caller, past: Told, conversation: str) -> None:
    """Streams and whole answers without a past are answered, and with one refused."""

    async def expect(stream: bool) -> None:
        began = time.monotonic()
        await expect_answered(await caller.tell(turn(stream=stream)), began)

    async with anyio.create_task_group() as group:
        group.start_soon(expect, True)
        group.start_soon(expect, False)
        group.start_soon(expect_refused, caller, past, conversation)


async def expect_back(caller: Caller, kept: list[Told], conversation: str) -> None:
    """Everything goes on by itself when the database is back: the conversation, too, as soon as its lease is over."""
    with anyio.fail_after(PATIENCE + LEASE + MARGIN):
        while not (await caller.until_told(turn())).is_stored:
            pass
        assert (await caller.until_told(turn(conversation=conversation))).is_stored
    for each in kept:
        await caller.expect_there(each)
    following = await caller.stored(turn(kept[-1]))
    await caller.expect_there(following)


async def filled(caller: Caller) -> tuple[Told, str]:
    """A chain of two, and a conversation with a turn."""
    past = await caller.stored(turn(await caller.stored(turn())))
    conversation = (await caller.send("POST", "/conversations", {})).json()["id"]
    await caller.stored(turn(conversation=conversation))
    return past, conversation


async def test_started_again(
    database: tuple[str, Database], upstream: str, http: httpx2.AsyncClient, tmp_path: Path
) -> None:
    """A stream does not notice that the database has been away; an answer that ends while it is away is not stored."""
    kind, running = database
    with server(running.url, upstream, tmp_path) as served:
        caller = Caller(http, served.base)
        past, conversation = await filled(caller)
        kept, lost = [past], list[Told]()

        async def stream(until: list[Told], seconds: float) -> None:
            began = time.monotonic()
            told = await caller.tell(turn(past, stream=True, model=f"slow-{seconds}"))
            assert isinstance(told, Told), told.text
            assert told.answer["status"] == "completed"
            assert time.monotonic() - began < seconds + PATIENCE + MARGIN
            until.append(told)

        async with anyio.create_task_group() as group:
            async with anyio.create_task_group() as short:
                for _ in range(3):
                    group.start_soon(stream, kept, 5)
                    short.start_soon(stream, lost, 1)
                await anyio.sleep(0.5)
                running.stop(CRASHES[kind])
                await expect_without_store(caller, past, conversation)
            running.start()
        assert [told.is_stored for told in kept] == [True] * 4
        assert [told.answer["store"] for told in lost] == [False] * 3
        await expect_back(caller, kept, conversation)
        for told in lost:
            assert (await caller.send("GET", f"/responses/{told.ident}")).status_code == 404


@asynccontextmanager
async def behind_relay(running: Database, upstream: str, folder: Path) -> AsyncIterator[tuple[Server, Relay]]:
    """A server that has the database behind something that can hold it back."""
    async with Relay.to(running.port) as relay:
        served = Server(running.url.replace(str(running.port), str(relay.port)), upstream, folder)
        try:
            await anyio.to_thread.run_sync(served.start)
            yield served, relay
        finally:
            served.kill()


async def test_says_nothing(
    database: tuple[str, Database], upstream: str, http: httpx2.AsyncClient, tmp_path: Path
) -> None:
    """A database that takes what it is sent and never answers is as good as none, and nobody waits for it long."""
    _, running = database
    async with behind_relay(running, upstream, tmp_path) as (served, relay):
        caller = Caller(http, served.base)
        past, conversation = await filled(caller)
        relay.hold()
        await expect_without_store(caller, past, conversation)
        relay.drop()
        await expect_back(caller, [past], conversation)


async def test_is_slow(database: tuple[str, Database], upstream: str, http: httpx2.AsyncClient, tmp_path: Path) -> None:
    """A slow one makes answers slow, and everything is stored."""
    _, running = database
    async with behind_relay(running, upstream, tmp_path) as (served, relay):
        caller = Caller(http, served.base)
        past, conversation = await filled(caller)
        relay.delay = 0.3
        kept = [await caller.stored(turn(past, stream=stream)) for stream in (True, False)]
        kept.append(await caller.stored(turn(kept[0])))
        relay.delay = 0
        await expect_back(caller, kept, conversation)


@asynccontextmanager
async def locked(file: Path) -> AsyncIterator[None]:
    """Somebody else writes to the file of SQLite, and does not come to an end."""
    connection = sqlite3.connect(file)
    try:
        connection.execute("BEGIN IMMEDIATE")
        yield
        connection.rollback()
    finally:
        connection.close()


async def test_a_file_that_is_locked(upstream: str, http: httpx2.AsyncClient, tmp_path: Path) -> None:
    """What is there can be read and continued, and nothing is stored."""
    file = tmp_path / "store.db"
    with server(f"sqlite:///{file}", upstream, tmp_path) as served:
        caller = Caller(http, served.base)
        past, conversation = await filled(caller)

        async def expect(stream: bool) -> None:
            began = time.monotonic()
            await expect_answered(await caller.tell(turn(past, stream=stream)), began)

        async def expect_503() -> None:
            began = time.monotonic()
            got = await caller.send("POST", "/responses", turn(conversation=conversation).body)
            assert (got.status_code, got.headers.get("retry-after")) == (503, "1"), got.text
            assert time.monotonic() - began < PATIENCE + MARGIN

        async with locked(file), anyio.create_task_group() as group:
            for _ in range(3):
                group.start_soon(expect, True)
                group.start_soon(expect, False)
            group.start_soon(expect_503)
        await expect_back(caller, [past], conversation)
