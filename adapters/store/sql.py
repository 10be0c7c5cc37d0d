"""Stores in SQLite and PostgreSQL: the same functions over the same tables, run in threads or on an event loop."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Sequence
from functools import partial
from typing import Any, TypeVar

from sqlalchemy import URL, Connection, make_url
from sqlalchemy.exc import ArgumentError, IntegrityError

from . import sql_completions, sql_conversations, sql_housekeeping, sql_records
from .errors import StoreError, StoreRefused, StoreUnavailable
from .statements import Writes
from .values import (
    KEEP,
    Activity,
    Addition,
    Completion,
    Conversation,
    Counts,
    Filter,
    NewItem,
    NewRecord,
    Stored,
    StoredItem,
)

Result = TypeVar("Result")
_TRIES = 3
_MOST_KNOWN = 4_096
_PORTION = 50


class SqlStore(ABC):
    """What both have in common; the methods are those of ``Store``."""

    dialect: str

    def __init__(self, url: URL, *, keep: float = KEEP, clock: Callable[[], float] = time.time) -> None:
        self.url: URL = url
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

    async def conversation_keys(self, tenant: str, after: str = "", limit: int = 100) -> list[str]:
        return await self._run(sql_conversations.keys, tenant, after, limit, write=False)

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

    # chat completions

    async def put_completion(self, tenant: str, completion: Completion) -> None:
        expires = self._clock() + self._keep
        await self._run(sql_completions.put, self._writes, tenant, completion, expires)

    async def completion(self, tenant: str, completion_id: str) -> Completion | None:
        return await self._run(sql_completions.find, tenant, completion_id, self._clock(), write=False)

    async def completions(self, tenant: str, asked: Filter) -> list[Completion]:
        return await self._run(sql_completions.page, tenant, asked, self._clock(), write=False)

    async def label_completion(self, tenant: str, completion_id: str, metadata: dict[str, str]) -> bool:
        return await self._run(sql_completions.label, tenant, completion_id, metadata, self._clock())

    async def delete_completion(self, tenant: str, completion_id: str) -> bool:
        return await self._run(sql_completions.delete, tenant, completion_id, self._clock())

    # housekeeping

    async def renew(self, process: str, seconds: float) -> None:
        await self._run(sql_housekeeping.renew, self._writes, process, self._clock() + seconds)

    async def sweep(self, limit: int = 100) -> int:
        return await self._run(sql_housekeeping.sweep, self._clock(), limit)

    async def purge(self, tenant: str | None = None, before: int | None = None, limit: int = 100) -> int:
        if before is None:
            await self._run(sql_housekeeping.end, tenant)
        return await self._run(sql_housekeeping.purge, tenant, before, limit)

    async def purgeable(self, tenant: str | None = None, before: int | None = None, *, expired: bool = False) -> int:
        return await self._run(sql_housekeeping.purgeable, tenant, before, expired, self._clock(), write=False)

    async def secret(self, name: str, proposed: bytes) -> bytes:
        return await self._run(sql_housekeeping.secret, self._writes, name, proposed)

    async def counts(self) -> list[Counts]:
        return await self._run(sql_housekeeping.counts, write=False)

    async def activity(self) -> Activity:
        return await self._run(sql_housekeeping.activity, self._clock(), write=False)

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
    except (ArgumentError, ValueError):
        raise StoreRefused("The URL of the store cannot be read.") from None


def _called(function: Callable[..., Result], args: tuple[Any, ...], connection: Connection) -> Result:
    return function(connection, *args)
