"""A store in a file of SQLite, which several processes of one machine may have at once."""

from __future__ import annotations

import os
import sqlite3
import stat
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

import anyio.to_thread
from sqlalchemy import URL, Connection, Engine, QueuePool, create_engine, event
from sqlalchemy.exc import OperationalError

from .errors import StoreRefused
from .sql import SqlStore
from .tables import VERSION, prepare
from .values import KEEP, Opened

Result = TypeVar("Result")
_READERS = 4
_TRIES = 10
_BUSY = 500
"""Milliseconds that one try waits for another process: a thread cannot be cancelled, so it is back soon."""


class SqliteStore(SqlStore):
    """A file: one hop to a thread for each transaction. Writers of a process wait for each other outside of threads."""

    dialect = "sqlite"

    def __init__(self, url: URL, *, keep: float = KEEP, clock: Callable[[], float] = time.time) -> None:
        super().__init__(url, keep=keep, clock=clock)
        self._engine = _sqlite_engine(url)
        self._writers, self._readers = anyio.CapacityLimiter(1), anyio.CapacityLimiter(_READERS)

    async def open(self) -> Opened:
        path = self.url.database
        if not path or path == ":memory:":
            raise StoreRefused("SQLite needs a file, as in sqlite:///diglot.db; what is in memory is store='memory'.")
        await self._guarded(prepare, True)
        durability = "what was answered survives the end of the process and of the machine"
        return Opened(f"SQLite {path}", durability, _warnings(path), VERSION)

    async def close(self) -> None:
        await anyio.to_thread.run_sync(self._engine.dispose)

    async def _transact(self, function: Callable[[Connection], Result], write: bool, alone: bool) -> Result:
        limiter = self._writers if write else self._readers
        for tries_left in reversed(range(_TRIES)):
            try:
                return await anyio.to_thread.run_sync(_in_transaction, self._engine, function, write, limiter=limiter)
            except OperationalError as error:
                if not tries_left or not _is_busy(error):
                    raise
        raise AssertionError("the last try returns or raises")


def _in_transaction(engine: Engine, function: Callable[[Connection], Result], write: bool) -> Result:
    with engine.connect() as connection, connection.execution_options(diglot_write=write).begin():
        return function(connection)


def _warnings(path: str) -> tuple[str, ...]:
    """What is wrong with a file that was there already: one that is made here is for its owner only."""
    is_open = os.name == "posix" and os.stat(path).st_mode & (stat.S_IRWXG | stat.S_IRWXO)
    return (f"other users may read {path}: chmod 600 keeps what was said from them",) if is_open else ()


def _is_busy(error: OperationalError) -> bool:
    """Whether another process writes."""
    return getattr(error.orig, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_BUSY


def _sqlite_engine(url: URL) -> Engine:
    engine = create_engine(
        url.set(drivername="sqlite+pysqlite"), poolclass=QueuePool, pool_size=_READERS + 1, max_overflow=0
    )
    path = Path(url.database or "")

    @event.listens_for(engine, "do_connect")
    def create(dialect: Any, record: Any, args: Any, options: Any) -> None:
        """What it holds is for the owner of the file only.

        A file that is there stays closed: to close it ends all locks that this process has on it, and then another
        process takes itself for the last one and removes the log of what was written.
        """
        with suppress(FileExistsError):
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))

    @event.listens_for(engine, "connect")
    def set_up(connection: Any, record: Any) -> None:
        connection.isolation_level = None  # transactions begin below
        for setting in _PRAGMAS:
            connection.execute(f"PRAGMA {setting}")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        """Take the lock of writers at once: later, it could be refused."""
        write = connection.get_execution_options().get("diglot_write")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")

    return engine


_PRAGMAS = (
    f"busy_timeout={_BUSY}",
    "page_size=8192",
    *("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "secure_delete=ON"),
)
"""Pages hold several turns of an agent: smaller ones would be left half empty. The size counts for new files."""
