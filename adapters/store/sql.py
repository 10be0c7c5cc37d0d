"""Stores in SQLite and PostgreSQL: the same functions over the same tables, run in threads or on an event loop."""

from __future__ import annotations

import asyncio
import os
import time
from abc import ABC, abstractmethod
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import anyio.to_thread
from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, IntegrityError
from sqlalchemy.ext.asyncio import create_async_engine

from . import sql_conversations, sql_housekeeping, sql_records
from .protocol import (
    KEEP,
    Addition,
    Conversation,
    Counts,
    NewItem,
    NewRecord,
    Opened,
    Stored,
    StoredItem,
    StoreError,
    StoreRefused,
    StoreUnavailable,
)
from .statements import Writes
from .tables import prepare

Result = TypeVar("Result")
_TRIES = 3
_MOST_KNOWN = 4_096
_READERS = 4
_CONNECTIONS = 20
_PORTION = 50


class SqlStore(ABC):
    """What both have in common; the methods are those of ``Store``."""

    dialect: str

    def __init__(self, url: URL, *, keep: float = KEEP, clock: Callable[[], float] = time.time) -> None:
        self.url = url
        self._keep, self._clock = keep, clock
        self._writes = Writes(self.dialect)
        self._known: OrderedDict[tuple[str, str], None] = OrderedDict()  # settings that are there already

    @abstractmethod
    async def _transact(self, function: Callable[[Connection], Result], write: bool, alone: bool) -> Result:
        """Return what *function* returns, in one transaction; one statement *alone* needs none."""

    async def _run(self, function: Callable[..., Result], *args: Any, write: bool = True) -> Result:
        """Return what *function* does in a transaction; another try if others did what it does at the same time."""
        for last in (*[False] * (_TRIES - 1), True):
            try:
                return await self._guarded(partial(_called, function, args), write)
            except IntegrityError as error:
                if last:
                    raise StoreUnavailable(str(error.orig)) from error
        raise AssertionError("the last try returns or raises")

    async def _guarded(self, function: Callable[[Connection], Result], write: bool, alone: bool = False) -> Result:
        """Let no foreign exception out, but for the one that says that a rule of the tables was broken."""
        try:
            return await self._transact(function, write, alone)
        except (StoreError, IntegrityError):
            raise
        except Exception as error:
            raise StoreUnavailable(f"{type(error).__name__}: {getattr(error, 'orig', error)}") from error

    # responses

    async def put(self, tenant: str, record: NewRecord, addition: Addition | None = None) -> None:
        expires = int(self._clock() + self._keep)
        shared = (tenant, record.settings_hash)
        for with_settings in (shared not in self._known, True, True):
            put = partial(
                sql_records.put,
                writes=self._writes,
                tenant=tenant,
                record=record,
                addition=addition,
                expires=expires,
                with_settings=with_settings,
            )
            alone = sql_records.needs_one_statement(record, addition, expires)
            try:
                await self._guarded(put, True, alone)
            except IntegrityError:
                self._known.pop(shared, None)
            else:
                self._know(shared)
                return
        await self._run(sql_records.explained, tenant, record, write=False)

    def _know(self, shared: tuple[str, str]) -> None:
        self._known[shared] = None
        self._known.move_to_end(shared)
        if len(self._known) > _MOST_KNOWN:
            self._known.popitem(last=False)

    async def read(self, tenant: str, keys: Sequence[str]) -> list[Stored]:
        return await self._run(sql_records.read, tenant, keys, self._clock(), write=False)

    async def chain(self, tenant: str, key: str, limit: int) -> list[Stored]:
        return await self._run(sql_records.chain, tenant, key, limit, self._clock(), write=False)

    async def delete(self, tenant: str, key: str) -> bool:
        return await self._run(sql_records.delete, tenant, key, self._clock())

    # conversations

    async def create_conversation(self, tenant: str, conversation: Conversation, items: Sequence[NewItem]) -> None:
        await self._run(sql_conversations.create, tenant, conversation, items)

    async def conversation(self, tenant: str, key: str) -> Conversation | None:
        return await self._run(sql_conversations.find, tenant, key, write=False)

    async def set_metadata(self, tenant: str, key: str, metadata: bytes) -> bool:
        return await self._run(sql_conversations.set_metadata, tenant, key, metadata)

    async def delete_conversation(self, tenant: str, key: str) -> bool:
        return await self._run(sql_conversations.delete, tenant, key)

    async def add_items(self, tenant: str, key: str, items: Sequence[NewItem]) -> None:
        await self._run(sql_conversations.add_items, tenant, key, items)

    async def items(
        self, tenant: str, key: str, *, after: str | None = None, limit: int = 100, descending: bool = False
    ) -> list[StoredItem]:
        return await self._run(sql_conversations.page, tenant, key, after, limit, descending, write=False)

    async def context(self, tenant: str, key: str, limit: int, until: int | None = None) -> list[StoredItem]:
        return await self._run(sql_conversations.context, tenant, key, limit, until, write=False)

    async def item(self, tenant: str, key: str, item_id: str) -> bytes | None:
        return await self._run(sql_conversations.item, tenant, key, item_id, write=False)

    async def delete_item(self, tenant: str, key: str, item_id: str) -> bool:
        return await self._run(sql_conversations.delete_item, tenant, key, item_id)

    async def lock(self, tenant: str, key: str, process: str) -> int:
        return await self._run(sql_conversations.lock, tenant, key, process, self._clock())

    async def unlock(self, tenant: str, key: str, fence: int) -> None:
        await self._run(sql_conversations.unlock, tenant, key, fence)

    # housekeeping

    async def renew(self, process: str, seconds: float) -> None:
        await self._run(sql_housekeeping.renew, self._writes, process, self._clock() + seconds)

    async def sweep(self, limit: int = 100) -> int:
        return await self._run(sql_housekeeping.sweep, self._clock(), limit)

    async def purge(self, tenant: str | None = None, before: int | None = None, limit: int = 100) -> int:
        return await self._run(sql_housekeeping.purge, tenant, before, limit)

    async def secret(self, name: str, proposed: bytes) -> bytes:
        return await self._run(sql_housekeeping.secret, self._writes, name, proposed)

    async def counts(self) -> list[Counts]:
        return await self._run(sql_housekeeping.counts, write=False)

    async def export(self, tenant: str | None = None) -> AsyncIterator[tuple[str, Stored]]:
        last = ("", "")
        while keys := await self._run(sql_housekeeping.keys, tenant, last, _PORTION, write=False):
            for owner, key in keys:
                for stored in await self.read(owner, [key]):
                    yield owner, stored
            last = keys[-1]


def read_url(url: str) -> URL:
    """Read the URL of a database; raises StoreRefused for what is none."""
    try:
        return make_url(url)
    except ArgumentError:
        raise StoreRefused("The URL of the store cannot be read.") from None


def _called(function: Callable[..., Result], args: tuple[Any, ...], connection: Connection) -> Result:
    return function(connection, *args)


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
        return Opened(f"SQLite {path}", durability)

    async def close(self) -> None:
        await anyio.to_thread.run_sync(self._engine.dispose)

    async def _transact(self, function: Callable[[Connection], Result], write: bool, alone: bool) -> Result:
        limiter = self._writers if write else self._readers
        return await anyio.to_thread.run_sync(_in_transaction, self._engine, function, write, limiter=limiter)


def _in_transaction(engine: Engine, function: Callable[[Connection], Result], write: bool) -> Result:
    with engine.connect() as connection, connection.execution_options(diglot_write=write).begin():
        return function(connection)


def _sqlite_engine(url: URL) -> Engine:
    engine = create_engine(url.set(drivername="sqlite+pysqlite"), pool_size=_READERS + 1, max_overflow=0)
    path = Path(url.database or "")

    @event.listens_for(engine, "do_connect")
    def create(dialect: Any, record: Any, args: Any, options: Any) -> None:
        """What it holds is for the owner of the file only."""
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))

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


_PRAGMAS = ("busy_timeout=5000", "journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "secure_delete=ON")


class PostgresStore(SqlStore):
    """PostgreSQL over asyncpg. A plain response is one statement without a transaction around it."""

    dialect = "postgresql"

    def __init__(self, url: URL, *, keep: float = KEEP, clock: Callable[[], float] = time.time) -> None:
        super().__init__(url, keep=keep, clock=clock)
        options = dict(url.query)
        if "sslmode" in options:  # as libpq calls it
            options["ssl"] = options.pop("sslmode")
        url = url.set(drivername="postgresql+asyncpg", query=options)
        self._engine = create_async_engine(url, pool_size=_CONNECTIONS, max_overflow=0)
        self._alone = self._engine.execution_options(isolation_level="AUTOCOMMIT")

    async def open(self) -> Opened:
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            raise StoreRefused("PostgreSQL as a store needs asyncio: trio has no driver for it.") from None
        await self._guarded(prepare, True)
        return await self._guarded(self._described, False)

    def _described(self, connection: Connection) -> Opened:
        name = f"PostgreSQL {self.url.host or 'localhost'}/{self.url.database or ''}"
        settings = ("fsync", "synchronous_commit", "full_page_writes")
        found = {each: connection.exec_driver_sql(f"SHOW {each}").scalar() for each in settings}
        off = [f"{each}={value}" for each, value in found.items() if value == "off"]
        warnings = tuple(f"{each}: what was answered last can be lost when the machine ends" for each in off)
        durability = "what was answered survives the end of each process" + ("" if off else " and of the machine")
        return Opened(name, durability, warnings)

    async def close(self) -> None:
        await self._engine.dispose()

    async def _transact(self, function: Callable[[Connection], Result], write: bool, alone: bool) -> Result:
        if alone or not write:
            async with self._alone.connect() as connection:
                return await connection.run_sync(function)
        async with self._engine.begin() as connection:
            return await connection.run_sync(function)
