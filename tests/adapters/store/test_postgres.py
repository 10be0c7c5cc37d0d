"""A store in PostgreSQL."""

from __future__ import annotations

import time
from typing import Any

import anyio
import asyncpg
import pytest
import trio
from sqlalchemy import event

from diglot.adapters.store import NewRecord, Place, StoreRefused, StoreUnavailable, open_store

import store_servers
from store_servers import Engine, free_port

pytestmark = pytest.mark.anyio

KEYS = [f"{number:032x}" for number in range(100)]


@pytest.fixture
def engine() -> Engine:
    return Engine("postgres", "asyncio")


def record(number: int, parent: Place | None = None) -> NewRecord:
    return NewRecord(KEYS[number], 1, b"body", 10, b"settings", "hash", parent=parent)


async def test_what_it_promises(url: str) -> None:
    """Its name has no user and no password."""
    store = open_store(url.replace("diglot@", "diglot:secret@"))
    opened = await store.open()
    assert opened.name == "PostgreSQL 127.0.0.1/postgres"
    assert (opened.durability[-15:], opened.warnings) == ("of the machine", ()) or opened.warnings == ()
    await store.close()


async def test_settings_that_lose_something(url: str) -> None:
    """They are warnings."""
    connection: Any = await asyncpg.connect(url)
    await connection.execute("ALTER DATABASE postgres SET synchronous_commit = off")
    store = open_store(url)
    opened = await store.open()
    await connection.execute("ALTER DATABASE postgres RESET synchronous_commit")
    await connection.close()
    await store.close()
    assert opened.durability == "what was answered survives the end of each process"
    assert opened.warnings == ("synchronous_commit=off: what was answered last can be lost when the machine ends",)


async def test_a_server_that_is_not_there() -> None:
    """One error for all."""
    store = open_store(f"postgresql://diglot@127.0.0.1:{free_port()}/postgres")
    with pytest.raises(StoreUnavailable):
        await store.open()
    with pytest.raises(StoreUnavailable):
        await store.read("t", [KEYS[0]])
    await store.close()


async def test_a_server_that_does_not_answer() -> None:
    """Whoever has waited long enough goes on, and closing does not wait for long either."""
    async with store_servers.silence() as port:
        store = open_store(f"postgresql://diglot@127.0.0.1:{port}/postgres?sslmode=disable")
        start = time.monotonic()
        with anyio.move_on_after(0.2) as scope:
            await store.open()
        assert scope.cancelled_caught
        await store.close()
        assert time.monotonic() - start < 5


def test_trio_has_no_driver() -> None:
    """The error says so."""
    store = open_store("postgresql://h/d")
    with pytest.raises(StoreRefused, match="needs asyncio"):
        trio.run(store.open)


async def test_a_chain_is_found_by_indexes(store: Any, url: str) -> None:
    """Among many others of the same tenant: no table is read from its beginning to its end."""
    connection: Any = await asyncpg.connect(url)
    await connection.execute(
        "INSERT INTO diglot_chains SELECT 't', 'c' || n, NULL, NULL, 9999999999 FROM generate_series(1, 2000) n;"
        "INSERT INTO diglot_records SELECT 't', 'r' || n || '-' || d, 'c' || n, d, 0, 10, 1, NULL, 'body', NULL, 0 "
        "FROM generate_series(1, 2000) n, generate_series(0, 19) d; ANALYZE"
    )
    seen: list[tuple[str, Any]] = []
    engine = store._alone.sync_engine
    event.listen(engine, "before_cursor_execute", lambda c, cursor, sql, given, *more: seen.append((sql, given)))
    assert len(await store.chain("t", "r7-19", 1_000)) == 20
    ((sql, given),) = [each for each in seen if "FROM diglot_records" in each[0]]
    plan = await connection.fetch(f"EXPLAIN {sql}", *given)
    words = "\n".join(row[0] for row in plan)
    await connection.close()
    assert "Seq Scan" not in words, words


async def test_calls_that_are_cancelled(store: Any) -> None:
    """They happen or not, the store goes on, and answers are those to the questions asked."""
    for number in range(60):
        with anyio.move_on_after(0.0002 * number):
            await store.put("t", record(number))
        for found in await store.read("t", [KEYS[number]]):
            assert found.key == KEYS[number], "the answer to another question"
    await store.put("t", record(0))
    assert len(await store.read("t", [KEYS[0]])) == 1


async def test_connections_that_were_cut(store: Any, url: str) -> None:
    """The call fails, and the next one works."""
    await store.put("t", record(0))
    connection: Any = await asyncpg.connect(url)
    others = (
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND usename = 'diglot'"
    )
    await connection.fetch(others)
    await connection.close()
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
