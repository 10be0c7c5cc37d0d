"""What both SQL stores have in common."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from diglot.adapters.store import Addition, Conversation, NewRecord, Place, StoreUnavailable, open_store, sql_records
from diglot.adapters.store.sql import SqlStore, read_url
from diglot.adapters.store.sqlite import SqliteStore

from store_servers import SQL, Engine

pytestmark = pytest.mark.anyio

KEYS = [f"{number:032x}" for number in range(10)]


@pytest.fixture(params=SQL, ids=["-".join(engine) for engine in SQL])
def engine(request: pytest.FixtureRequest) -> Engine:
    return request.param


def record(number: int, parent: Place | None = None) -> NewRecord:
    return NewRecord(KEYS[number], 1, b"body", 10, b"settings", "hash", parent=parent)


def statements_of(store: Any) -> list[str]:
    """All SQL from now on, beginnings and ends of transactions included."""
    seen: list[str] = []
    for engine in {store._engine, getattr(store, "_alone", store._engine)}:
        engine = getattr(engine, "sync_engine", engine)
        event.listen(engine, "before_cursor_execute", lambda c, cursor, sql, *more: seen.append(sql))
        event.listen(engine, "commit", lambda c: seen.append("COMMIT"))
    return seen


async def test_a_plain_response_is_one_statement_of_postgres(store: Any, engine: Engine) -> None:
    """The first of a chain, and those behind it; SQLite, which has no round trips, takes a few in one transaction."""
    seen = statements_of(store)
    await store.put("t", record(0))
    first = [sql for sql in seen if sql != "COMMIT"]
    seen.clear()
    (parent,) = await store.read("t", [KEYS[0]])
    seen.clear()
    await store.put("t", record(1, parent.place))
    if engine.kind == "postgres":
        assert len(first) == len([sql for sql in seen if sql != "COMMIT"]) == 1
        assert "diglot_settings" in first[0]
        assert "diglot_settings" not in seen[0].replace("settings,", ""), "they were written before"
    else:
        assert seen.count("COMMIT") == 1


async def test_a_history_is_one_statement(store: Any) -> None:
    """However long it is; each fork is one more."""
    place = None
    for number in range(8):
        await store.put("t", record(number, place))
        (found,) = await store.read("t", [KEYS[number]])
        place = found.place
    (parent,) = await store.read("t", [KEYS[3]])
    await store.put("t", record(8, parent.place))
    seen = statements_of(store)
    assert len(await store.chain("t", KEYS[7], 1_000)) == 8
    assert len([sql for sql in seen if "SELECT" in sql]) == 1
    seen.clear()
    assert len(await store.chain("t", KEYS[8], 1_000)) == 5
    assert len([sql for sql in seen if "SELECT" in sql]) == 2


async def test_foreign_errors_stay_inside(store: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the database says, it is one error; a rule of the tables that is broken gets another try."""
    calls: list[int] = []

    def broken(connection: Any, tenant: str, *args: Any) -> Any:
        calls.append(1)
        insert = "INSERT INTO diglot_records (tenant, key, chain, depth, base, size, created, position) VALUES"
        connection.exec_driver_sql(f"{insert} ('{tenant}', 'k', 'no such chain', 0, 0, 0, 0, 0)")

    monkeypatch.setattr(sql_records, "delete", broken)
    with pytest.raises(StoreUnavailable, match=r"(?i)foreign key"):
        await store.delete("t", KEYS[0])
    assert len(calls) == 3
    monkeypatch.setattr(sql_records, "delete", lambda *args: 1 / 0)
    with pytest.raises(StoreUnavailable, match="ZeroDivisionError: division by zero"):
        await store.delete("t", KEYS[0])
    assert await store.read("t", [KEYS[0]]) == []


async def test_the_tries_of_a_put_end(store: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """If the response is there after all, it is kept."""
    await store.put("t", record(0))
    monkeypatch.setattr(sql_records, "place_of", lambda record, chain, depth: Place("no such chain", 7, 7, 1))
    await store.put("t", record(0))
    assert len(await store.read("t", [KEYS[0]])) == 1


async def test_known_settings_are_bounded(store: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is forgotten is only written again."""
    monkeypatch.setattr("diglot.adapters.store.sql._MOST_KNOWN", 2)
    for number in range(4):
        await store.put("t", record(number)._replace(settings_hash=f"{number}"))
    assert list(store._known) == [("t", "2"), ("t", "3")]


async def test_pages_of_an_export(store: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """It reads some at a time."""
    monkeypatch.setattr("diglot.adapters.store.sql._PORTION", 2)
    for number in range(5):
        await store.put(f"t{number % 2}", record(number))
    assert len([found async for found in store.export()]) == 5
    assert len([found async for found in store.export("t1")]) == 2


async def test_a_long_chain_is_renewed_once_a_day(store: Any, clock: Any) -> None:
    """In the transaction of the response that does it."""
    await store.put("t", record(0))
    (parent,) = await store.read("t", [KEYS[0]])
    clock.now += 86_000
    await store.put("t", record(1, parent.place))
    (found,) = await store.read("t", [KEYS[1]])
    assert found.place.expires == parent.place.expires
    clock.now += 1_000
    await store.put("t", record(2, found.place))
    (found,) = await store.read("t", [KEYS[2]])
    assert found.place.expires == parent.place.expires + 87_000


async def test_a_second_try_in_a_conversation(store: Any) -> None:
    """It adds nothing again."""
    await store.create_conversation("t", Conversation(KEYS[5], 1, b""), [])
    fence = await store.lock("t", KEYS[5], "p")
    for _ in range(2):
        await store.put("t", record(0), Addition(KEYS[5], fence, []))


def test_urls(tmp_path: Path) -> None:
    """Those of SQLAlchemy."""
    assert isinstance(open_store(f"sqlite:///{tmp_path}/x.db"), SqliteStore)
    assert read_url("postgresql://h/d").host == "h"
    assert issubclass(SqliteStore, SqlStore)
