"""A store in PostgreSQL, for any number of processes and machines."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any, TypeVar

from sqlalchemy import URL, Connection, text
from sqlalchemy.ext.asyncio import create_async_engine

from .errors import StoreRefused
from .sql import SqlStore
from .tables import VERSION, prepare
from .values import KEEP, Opened

Result = TypeVar("Result")
_CONNECTIONS = 10
"""For transactions, and as many for single statements."""
_LOCK = 4_931_176_520_311
"""The number of the advisory lock under which tables are made."""
_GRACE = 1
_PATIENCE = 30
"""After so many seconds a connection counts as dead. Callers who have less time are cancelled before."""


class PostgresStore(SqlStore):
    """PostgreSQL over asyncpg. A plain response is one statement without a transaction around it."""

    dialect = "postgresql"

    def __init__(self, url: URL, *, keep: float = KEEP, clock: Callable[[], float] = time.time) -> None:
        super().__init__(url, keep=keep, clock=clock)
        options = dict(url.query)
        if "sslmode" in options:  # as libpq calls it
            options["ssl"] = options.pop("sslmode")
        url = url.set(drivername="postgresql+asyncpg", query=options)
        waits = {"command_timeout": _PATIENCE, "timeout": _PATIENCE}
        self._engine = create_async_engine(url, pool_size=_CONNECTIONS, max_overflow=0, connect_args=waits)
        self._alone = create_async_engine(
            url, pool_size=_CONNECTIONS, max_overflow=0, connect_args=waits, isolation_level="AUTOCOMMIT"
        )
        self._running: set[asyncio.Task[Any]] = set()

    async def open(self) -> Opened:
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            raise StoreRefused("PostgreSQL as a store needs asyncio: trio has no driver for it.") from None
        await self._guarded(_prepare_alone, True)
        return await self._guarded(self._described, False)

    def _described(self, connection: Connection) -> Opened:
        name = f"PostgreSQL {self.url.host or 'localhost'}/{self.url.database or ''}"
        settings = ("fsync", "synchronous_commit", "full_page_writes")
        found = {each: connection.exec_driver_sql(f"SHOW {each}").scalar() for each in settings}
        off = [f"{each}={value}" for each, value in found.items() if value == "off"]
        warnings = tuple(f"{each}: what was answered last can be lost when the machine ends" for each in off)
        durability = "what was answered survives the end of each process" + ("" if off else " and of the machine")
        return Opened(name, durability, warnings, VERSION)

    async def close(self) -> None:
        await self._settle()
        await self._engine.dispose()
        await self._alone.dispose()

    async def _settle(self) -> None:
        """Let what nobody waits for any more come to its end, for a moment."""
        if self._running:
            _, late = await asyncio.wait(self._running, timeout=_GRACE)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    async def _transact(self, function: Callable[[Connection], Result], write: bool, alone: bool) -> Result:
        """Whoever is cancelled does not wait for the end; the connection is not cut in the middle of a transaction."""
        task = asyncio.ensure_future(self._executed(function, write and not alone))
        self._running.add(task)
        task.add_done_callback(self._forget)
        return await asyncio.shield(task)

    async def _executed(self, function: Callable[[Connection], Result], in_transaction: bool) -> Result:
        if in_transaction:
            async with self._engine.begin() as connection:
                return await connection.run_sync(function)
        async with self._alone.connect() as connection:
            return await connection.run_sync(function)

    def _forget(self, task: asyncio.Task[Any]) -> None:
        """If nobody waits for its result any more, that is nobody's; an error is not reported either."""
        self._running.discard(task)
        _ = task.cancelled() or task.exception()


def _prepare_alone(connection: Connection) -> None:
    connection.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": _LOCK})
    prepare(connection)
