"""The floor of a store: its driver alone writes the row of a response behind another, in the tables of diglot."""

from __future__ import annotations

import asyncio
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol

import asyncpg
import redis.asyncio
from sqlalchemy import make_url

_COLUMNS = (
    "tenant",
    "key",
    "chain",
    "depth",
    "base",
    "size",
    "created",
    "settings",
    "body",
    "conversation",
    "position",
)
Row = dict[str, Any]  # a value for each of them


class Driver(Protocol):
    """Writes one row, durably; `size` is how many bytes all of them take."""

    async def open(self) -> None: ...

    async def write(self, row: Row) -> None: ...

    async def size(self) -> int: ...

    async def close(self) -> None: ...


class Sqlite:
    """The standard library's driver in a thread of its own."""

    def __init__(self, url: str) -> None:
        self._path = url.removeprefix("sqlite:///")
        self._thread = ThreadPoolExecutor(1)
        self._insert = f"INSERT INTO diglot_records ({', '.join(_COLUMNS)}) VALUES ({', '.join('?' * len(_COLUMNS))})"

    async def open(self) -> None:
        self._connection = await self._run(self._connect)

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, isolation_level=None)
        for setting in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {setting}")
        return connection

    async def write(self, row: Row) -> None:
        await self._run(self._connection.execute, self._insert, [row[column] for column in _COLUMNS])

    async def size(self) -> int:
        of_pages = [await self._run(self._connection.execute, f"PRAGMA {each}") for each in ("page_count", "page_size")]
        count, size = [(await self._run(cursor.fetchone))[0] for cursor in of_pages]
        return count * size

    async def close(self) -> None:
        await self._run(self._connection.close)
        self._thread.shutdown()

    async def _run(self, function: Any, *args: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._thread, function, *args)


class Postgres:
    """A pool of asyncpg."""

    def __init__(self, url: str) -> None:
        self._url = make_url(url).render_as_string(hide_password=False)
        places = ", ".join(f"${number}" for number in range(1, len(_COLUMNS) + 1))
        self._insert = f"INSERT INTO diglot_records ({', '.join(_COLUMNS)}) VALUES ({places})"

    async def open(self) -> None:
        self._pool = await asyncpg.create_pool(self._url, min_size=1, max_size=10)

    async def write(self, row: Row) -> None:
        async with self._pool.acquire() as connection:
            await connection.execute(self._insert, *(row[column] for column in _COLUMNS))

    async def size(self) -> int:
        tables = "SELECT sum(pg_total_relation_size(oid)) FROM pg_class WHERE relkind = 'r' AND relname LIKE 'diglot%'"
        return int(await self._pool.fetchval(tables))

    async def close(self) -> None:
        await self._pool.close()


class Redis:
    """A pipeline of redis-py."""

    def __init__(self, url: str) -> None:
        self._client = redis.asyncio.Redis.from_url(url)

    async def open(self) -> None:
        await self._client.ping()

    async def write(self, row: Row) -> None:
        async with self._client.pipeline(transaction=True) as pipe:
            pipe.hset(f"bare:c:{row['chain']}", f"d{row['depth']}", row["key"])
            pipe.hset(f"bare:r:{row['key']}", mapping={name: row[name] or "" for name in _COLUMNS[2:]})
            await pipe.execute()

    async def size(self) -> int:
        names = [name async for name in self._client.scan_iter("diglot:*", 1_000)]
        async with self._client.pipeline(transaction=False) as pipe:
            for name in names:
                pipe.memory_usage(name, samples=0)
            return sum(await pipe.execute())

    async def close(self) -> None:
        await self._client.aclose()


DRIVERS = {"SQLite": Sqlite, "PostgreSQL": Postgres, "Redis": Redis}
