"""A store in a file of SQLite."""

from __future__ import annotations

import sqlite3
import stat
import sys
from pathlib import Path
from typing import Any

import anyio
import pytest

from diglot.adapters.store import NewRecord, StoreRefused, StoreUnavailable, open_store, sqlite

pytestmark = pytest.mark.anyio

KEYS = [f"{number:032x}" for number in range(10)]
SECRET = b"what nobody may read any more"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def record(number: int, body: bytes = b"body") -> NewRecord:
    return NewRecord(KEYS[number], 1, body, 10, b"settings", "hash")


def modes(folder: Path) -> list[int]:
    return [stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()]


def content(folder: Path) -> bytes:
    return b"".join(file.read_bytes() for file in folder.iterdir())


async def test_the_file_is_its_owners(tmp_path: Path) -> None:
    """Nobody else reads it, nor what SQLite puts beside it."""
    path = tmp_path / "store.db"
    store = open_store(f"sqlite:///{path}")
    opened = await store.open()
    assert opened.name == f"SQLite {path}"
    await store.put("t", record(0))
    assert modes(tmp_path) == [0o600] * 3
    await store.close()


async def test_settings_of_connections(tmp_path: Path) -> None:
    """Written for good, with readers beside the writer."""
    store: Any = open_store(f"sqlite:///{tmp_path}/store.db")
    await store.open()
    asked = ("journal_mode", "synchronous", "foreign_keys", "busy_timeout", "secure_delete")
    with store._engine.connect() as connection:
        found = [connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in asked]
    assert found == ["wal", 2, 1, 500, 1]
    await store.close()


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:"])
async def test_it_needs_a_file(url: str) -> None:
    """What is in memory is another store."""
    with pytest.raises(StoreRefused, match="SQLite needs a file"):
        await open_store(url).open()


async def test_a_file_that_cannot_be_had(tmp_path: Path) -> None:
    """The directory is not there; the file is none of SQLite's."""
    with pytest.raises(StoreUnavailable, match="No such file or directory"):
        await open_store(f"sqlite:///{tmp_path}/nowhere/store.db").open()
    (tmp_path / "text").write_text("no database" * 1_000)
    with pytest.raises(StoreUnavailable, match="file is not a database"):
        await open_store(f"sqlite:///{tmp_path}/text").open()


async def test_deleted_content_is_not_on_the_disk(tmp_path: Path) -> None:
    """Once the log of writes has been written back, which closing does."""
    path = tmp_path / "store.db"
    store = open_store(f"sqlite:///{path}")
    await store.open()
    await store.put("t", record(0, SECRET))
    await store.put("t", record(1, b"another"))
    assert await store.delete("t", KEYS[0])
    await store.close()
    assert SECRET not in content(tmp_path)
    with sqlite3.connect(path) as connection:
        assert connection.execute("SELECT count(body) FROM diglot_records").fetchone() == (1,)
    connection.close()


async def test_processes_share_a_file(tmp_path: Path) -> None:
    """Many writers at once, in stores of their own."""
    stores = [open_store(f"sqlite:///{tmp_path}/store.db") for _ in range(2)]
    async with anyio.create_task_group() as group:
        for store in stores:
            group.start_soon(store.open)

    async def write(number: int) -> None:
        await stores[number % 2].put("t", record(number))

    async with anyio.create_task_group() as group:
        for number in range(10):
            group.start_soon(write, number)
    assert len(await stores[0].read("t", KEYS)) == 10
    for store in stores:
        await store.close()


async def test_calls_that_are_cancelled(tmp_path: Path) -> None:
    """They happen or not, the store goes on, and answers are those to the questions asked."""
    store = open_store(f"sqlite:///{tmp_path}/store.db")
    await store.open()
    for number in range(10):
        with anyio.move_on_after(0.0005 * number):
            await store.put("t", record(number))
        for found in await store.read("t", [KEYS[number]]):
            assert found.key == KEYS[number], "the answer to another question"
    await store.put("t", record(0))
    assert len(await store.read("t", [KEYS[0]])) == 1
    await store.close()


async def test_a_writer_that_does_not_come_to_its_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is waited for, in tries that are short: who waits can be cancelled, and has all of its time in the end."""
    monkeypatch.setattr(sqlite, "_TRIES", 3)
    path = tmp_path / "store.db"
    store = open_store(f"sqlite:///{path}")
    await store.open()
    other = sqlite3.connect(path)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreUnavailable, match="locked"):
        await store.put("t", record(0))
    began = anyio.current_time()
    with anyio.move_on_after(0.1):
        await store.put("t", record(0))
    assert anyio.current_time() - began < 1
    async with anyio.create_task_group() as group:
        group.start_soon(store.put, "t", record(0))
        await anyio.sleep(0.7)
        other.rollback()
    assert len(await store.read("t", KEYS)) == 1
    other.close()
    await store.close()


async def test_what_another_try_does_not_mend(tmp_path: Path) -> None:
    """Other errors are errors at once."""
    store: Any = open_store(f"sqlite:///{tmp_path}/store.db")
    await store.open()
    with store._engine.connect() as connection:
        connection.exec_driver_sql("DROP TABLE diglot_conversations")
        connection.commit()
    began = anyio.current_time()
    with pytest.raises(StoreUnavailable, match="no such table"):
        await store.conversation("t", KEYS[0])
    assert anyio.current_time() - began < 0.5
    await store.close()


@pytest.mark.parametrize("connections", [1, 4])
async def test_another_process_that_ends(tmp_path: Path, connections: int) -> None:
    """It does not take itself for the last one, and what is written after it is there for the next."""
    url = f"sqlite:///{tmp_path}/store.db"
    store = open_store(url)
    await store.open()
    async with anyio.create_task_group() as group:
        for _ in range(connections):
            group.start_soon(store.read, "t", KEYS)
    counting = "import sqlite3, sys; print(*sqlite3.connect(sys.argv[1]).execute(sys.argv[2]).fetchone())"
    command = [sys.executable, "-c", counting, f"{tmp_path}/store.db", "SELECT count(*) FROM diglot_records"]
    for number in range(3):
        await store.put("t", record(number))
        counted = await anyio.run_process(command)
        assert int(counted.stdout) == number + 1
    await store.close()


@pytest.mark.parametrize(("mode", "count"), [(0o644, 1), (0o660, 1), (0o600, 0)])
async def test_a_file_that_others_may_read(tmp_path: Path, mode: int, count: int) -> None:
    """It was made by somebody else, who may want it so: a warning."""
    path = tmp_path / "diglot.db"
    path.touch(mode)
    path.chmod(mode)
    store = open_store(f"sqlite:///{path}")
    opened = await store.open()
    await store.close()
    assert len(opened.warnings) == count
    assert all("chmod 600" in warning for warning in opened.warnings)
