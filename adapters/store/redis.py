"""A store in Redis or Valkey."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from typing import Any

from . import redis_completions, redis_housekeeping, redis_scripts
from .errors import (
    ChainGone,
    ConversationGone,
    ConversationLocked,
    DamagedEntry,
    DuplicateItem,
    HistoryTooLarge,
    LockLost,
    NoSuchItem,
    StoreRefused,
)
from .redis_completions import EVER
from .redis_connections import RedisConnections, guarded, name_of
from .values import (
    DAY,
    KEEP,
    Activity,
    Addition,
    Completion,
    Conversation,
    Counts,
    Filter,
    NewItem,
    NewRecord,
    Opened,
    Place,
    Stored,
    StoredItem,
    place_of,
)

VERSION = 1
_FIELDS = ("chain", "depth", "base", "size", "created", "body", "conversation", "position")


class RedisStore:
    """The methods are those of ``Store``."""

    def __init__(self, url: str, *, keep: float = KEEP, clock: Callable[[], float] = time.time) -> None:
        self._connections = RedisConnections(url)
        self._client, self._call = self._connections.client, self._connections.call
        self._keep, self._clock = keep, clock

    async def open(self) -> Opened:
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            raise StoreRefused("Redis as a store needs asyncio: trio has no driver for it.") from None
        with guarded():
            about: dict[str, Any] = await self._client.info()
            if about.get("cluster_enabled"):
                raise StoreRefused("Redis Cluster is no store: it cannot change several keys in one step.")
            await self._client.hsetnx("diglot:meta", "version", str(VERSION))
            version = int(await self._client.hget("diglot:meta", "version") or 0)
        if version > VERSION:
            raise StoreRefused(
                f"The store has version {version}, and this diglot knows versions up to {VERSION}: use a newer one."
            )
        return Opened(self._connections.name, *_promised(about), version)

    async def close(self) -> None:
        await self._connections.close()

    # responses

    async def put(self, tenant: str, record: NewRecord, addition: Addition | None = None) -> None:
        parent = record.parent
        place = place_of(record, parent.chain if parent else record.key, parent.depth + 1 if parent else 0)
        before = (parent.chain, parent.depth) if parent else ("", 0)
        about = (tenant, record.key, *before, place.depth, place.base, place.size, record.created, record.body)
        added = (addition.conversation, addition.fence, *_items(addition.items)) if addition else ("", 0)
        more = (int(self._clock() + self._keep), DAY, *added)
        done = await self._call(redis_scripts.PUT, *about, record.settings_hash, b"", *more)
        if done[0] == b"settings":
            done = await self._call(redis_scripts.PUT, *about, record.settings_hash, b"=" + record.settings, *more)
        if done[0] == b"chain":
            raise ChainGone(before[0])
        _expect_added(done, addition.conversation if addition else "")

    async def read(self, tenant: str, keys: Sequence[str]) -> list[Stored]:
        found: list[Stored] = []
        with guarded():
            async with self._client.pipeline(transaction=False) as pipe:
                for key in keys:
                    pipe.hmget(name_of("r", tenant, key), [*_FIELDS, "settings"])
                rows = [(key, row) for key, row in zip(keys, await pipe.execute(), strict=True) if row[5] is not None]
            async with self._client.pipeline(transaction=False) as pipe:
                for _, row in rows:
                    pipe.hget(name_of("c", tenant, _text(row[0])), "expires")
                    pipe.get(name_of("s", tenant, _text(row[8])))
                more = await pipe.execute()
        for (key, row), expires, settings in zip(rows, more[::2], more[1::2], strict=True):
            if expires is None or settings is None:
                continue
            stored = _stored(key, expires, row[:8])._replace(settings=settings)
            if stored.place.expires > self._clock():
                found.append(stored)
        return found

    async def chain(self, tenant: str, key: str, limit: int) -> list[Stored]:
        rows = await self._call(redis_scripts.CHAIN, tenant, key, limit, int(self._clock()))
        if rows and isinstance(rows[0], int):
            raise HistoryTooLarge(rows[0])
        return [_stored(here.decode(), expires, row) for here, expires, row in reversed(rows)]

    async def delete(self, tenant: str, key: str) -> bool:
        return bool(await self._call(redis_scripts.DELETE, tenant, key, int(self._clock())))

    # conversations

    async def create_conversation(self, tenant: str, conversation: Conversation, items: Sequence[NewItem]) -> None:
        _expect_added(await self._call(redis_scripts.CREATE, tenant, *conversation, *_items(items)), conversation.key)

    async def conversation(self, tenant: str, key: str) -> Conversation | None:
        with guarded():
            created, metadata = await self._client.hmget(name_of("v", tenant, key), ["created", "metadata"])
        if created is None:
            return None
        if metadata is None or not created.isdigit():
            raise DamagedEntry(f"conv_{key}")
        return Conversation(key, int(created), metadata)

    async def conversation_keys(self, tenant: str, after: str = "", limit: int = 100) -> list[str]:
        return sorted([key async for _, key in self._listed("conversations", EVER, tenant) if key > after])[:limit]

    async def set_metadata(self, tenant: str, key: str, metadata: bytes) -> bool:
        return bool(await self._call(redis_scripts.SET_METADATA, tenant, key, metadata))

    async def delete_conversation(self, tenant: str, key: str) -> bool:
        with guarded():
            async with self._client.pipeline(transaction=True) as pipe:
                pipe.delete(name_of("v", tenant, key))
                pipe.delete(*(name_of(kind, tenant, key) for kind in "ipq"))
                pipe.zrem("diglot:conversations", f"{tenant} {key}")
                return bool((await pipe.execute())[0])

    async def add_items(self, tenant: str, key: str, items: Sequence[NewItem]) -> None:
        _expect_added(await self._call(redis_scripts.ADD, tenant, key, *_items(items)), key)

    async def items(
        self, tenant: str, key: str, *, after: str | None = None, limit: int = 100, descending: bool = False
    ) -> list[StoredItem]:
        positions = name_of("p", tenant, key)
        with guarded():
            if not await self._client.exists(name_of("v", tenant, key)):
                raise ConversationGone(key)
            start = 0
            if after is not None:
                rank = await (self._client.zrevrank if descending else self._client.zrank)(positions, after)
                if rank is None:
                    raise NoSuchItem(after)
                start = int(rank) + 1
            names = await self._client.zrange(positions, start, start + limit - 1, desc=descending)
        return await self._bodies(tenant, key, names)

    async def context(self, tenant: str, key: str, limit: int, until: int | None = None) -> list[StoredItem]:
        last = EVER if until is None else until - 1
        with guarded():
            async with self._client.pipeline(transaction=False) as pipe:
                pipe.exists(name_of("v", tenant, key))
                pipe.zrevrangebyscore(name_of("q", tenant, key), last, 0, start=0, num=1, withscores=True)
                there, compactions = await pipe.execute()
            if not there:
                raise ConversationGone(key)
            base = int(compactions[0][1]) if compactions else 0
            names = await self._client.zrangebyscore(name_of("p", tenant, key), base, last)
        found = await self._bodies(tenant, key, names)
        size = sum(len(item.body) for item in found)
        if size > limit:
            raise HistoryTooLarge(size)
        return found

    async def _bodies(self, tenant: str, key: str, names: Sequence[bytes]) -> list[StoredItem]:
        if not names:
            return []
        with guarded():
            bodies = await self._client.hmget(name_of("i", tenant, key), list(names))
        pairs = zip(names, bodies, strict=True)
        return [StoredItem(ident.decode(), body) for ident, body in pairs if body is not None]

    async def item(self, tenant: str, key: str, item_id: str) -> bytes | None:
        with guarded():
            return await self._client.hget(name_of("i", tenant, key), item_id)

    async def delete_item(self, tenant: str, key: str, item_id: str) -> bool:
        with guarded():
            async with self._client.pipeline(transaction=True) as pipe:
                pipe.hdel(name_of("i", tenant, key), item_id)
                pipe.zrem(name_of("p", tenant, key), item_id)
                pipe.zrem(name_of("q", tenant, key), item_id)
                return bool((await pipe.execute())[0])

    async def lock(self, tenant: str, key: str, process: str) -> int:
        done = await self._call(redis_scripts.LOCK, tenant, key, process, int(self._clock()))
        if done[0] == b"locked":
            raise ConversationLocked(key)
        _expect_added(done, key)
        return int(done[1])

    async def unlock(self, tenant: str, key: str, fence: int) -> None:
        await self._call(redis_scripts.UNLOCK, tenant, key, fence)

    # chat completions

    async def put_completion(self, tenant: str, completion: Completion) -> None:
        await redis_completions.put(self._connections, tenant, completion, self._clock() + self._keep)

    async def completion(self, tenant: str, completion_id: str) -> Completion | None:
        return await redis_completions.find(self._connections, tenant, completion_id, self._clock())

    async def completions(self, tenant: str, asked: Filter) -> list[Completion]:
        return await redis_completions.page(self._connections, tenant, asked, self._clock())

    async def label_completion(self, tenant: str, completion_id: str, metadata: dict[str, str]) -> bool:
        return await redis_completions.label(self._connections, tenant, completion_id, metadata, self._clock())

    async def delete_completion(self, tenant: str, completion_id: str) -> bool:
        return await redis_completions.drop(self._connections, tenant, completion_id, after=self._clock())

    # housekeeping

    async def renew(self, process: str, seconds: float) -> None:
        with guarded():
            expires = int(self._clock() + seconds)
            await self._client.set(f"diglot:l:{process}", expires, ex=int(seconds) + DAY)

    async def sweep(self, limit: int = 100) -> int:
        now = int(self._clock())
        dropped = 0
        async for owner, key in self._listed("chains", now - DAY):
            dropped += await self._call(redis_scripts.DROP, owner, key, now - DAY, EVER, 0) if dropped < limit else 0
        async for owner, ident in self._listed("completions", now):
            dropped += (
                await redis_completions.drop(self._connections, owner, ident, until=now) if dropped < limit else 0
            )
        return dropped

    async def purge(self, tenant: str | None = None, before: int | None = None, limit: int = 100) -> int:
        newest = EVER if before is None else before
        dropped = await self._purge_chains(tenant, newest, limit)
        async for owner, key in self._listed("conversations", newest - 1, tenant):
            dropped += await self.delete_conversation(owner, key) if dropped < limit else 0
        async for owner, ident in self._listed("completions", EVER, tenant):
            dropped += (
                await redis_completions.drop(self._connections, owner, ident, before=newest) if dropped < limit else 0
            )
        return dropped

    async def _purge_chains(self, tenant: str | None, newest: int, limit: int) -> int:
        """Drop chains; one that was forked from meanwhile only goes after its new fork, which is looked for again.

        If all are to go, one with forks expires at once: what can still be continued grows forks faster than they go.
        """
        seen, everything = -1, int(newest == EVER)
        while True:
            count = dropped = 0
            async for owner, key in self._listed("chains", EVER, tenant):
                count += 1
                if dropped < limit:
                    dropped += await self._call(redis_scripts.DROP, owner, key, EVER, newest, everything)
            if dropped or not count or count == seen:
                return dropped
            seen = count

    async def purgeable(self, tenant: str | None = None, before: int | None = None, *, expired: bool = False) -> int:
        if expired:
            return await redis_housekeeping.count_expired(self._connections, int(self._clock()))
        return await redis_housekeeping.count_older(self._connections, tenant, EVER if before is None else before)

    async def secret(self, name: str, proposed: bytes) -> bytes:
        with guarded():
            await self._client.hsetnx("diglot:meta", f"secret.{name}", proposed)
            return await self._client.hget("diglot:meta", f"secret.{name}")

    async def counts(self) -> list[Counts]:
        return await redis_housekeeping.counts(self._connections, self._all(None))

    async def activity(self) -> Activity:
        return await redis_housekeeping.activity(self._connections, int(self._clock()))

    async def export(self, tenant: str | None = None) -> AsyncIterator[tuple[str, Stored]]:
        async for owner, stored in self._all(tenant):
            for whole in await self.read(owner, [stored.key]):
                yield owner, whole

    async def _all(self, tenant: str | None) -> AsyncIterator[tuple[str, Stored]]:
        """All responses, without settings, chain by chain."""
        async for owner, chain in self._listed("chains", EVER, tenant):
            with guarded():
                fields: dict[bytes, bytes] = await self._client.hgetall(name_of("c", owner, chain))
            keys = [key.decode() for field, key in fields.items() if field[:1] == b"d"]
            for stored in await self.read(owner, keys):
                yield owner, stored

    def _listed(self, what: str, until: int, of: str | None = None) -> AsyncIterator[tuple[str, str]]:
        return redis_housekeeping.listed(self._connections, what, until, of)


def _promised(about: dict[str, Any]) -> tuple[str, tuple[str, ...]]:
    """Return what a server promises, by what it says of itself, and what can be lost."""
    warnings: list[str] = []
    policy = about.get("maxmemory_policy", "noeviction")
    if policy != "noeviction":
        warnings.append(f"maxmemory-policy={policy}: Redis may drop what was answered; set noeviction")
    if about.get("aof_enabled"):
        durability = "what was answered survives the end of diglot; that of Redis may cost the last second"
    else:
        durability = "what was answered survives the end of diglot, not that of Redis"
        warnings.append("appendonly=no: what was answered since the last snapshot is lost when Redis ends")
    return durability, tuple(warnings)


def _items(items: Sequence[NewItem]) -> Iterator[Any]:
    for item in items:
        yield from (item.id, item.body, int(item.compacts))


def _expect_added(done: list[Any], conversation: str) -> None:
    """Raise what a script says why it did nothing."""
    if done[0] == b"conversation":
        raise ConversationGone(conversation)
    if done[0] == b"lock":
        raise LockLost(conversation)
    if done[0] == b"duplicate":
        raise DuplicateItem(done[1].decode())


def _text(name: bytes | None) -> str:
    return (name or b"").decode("utf-8", "replace")


def _stored(key: str, expires: Any, row: Sequence[Any]) -> Stored:
    """Raises DamagedEntry for what is not as it was written: Redis may have dropped it, or somebody changed it."""
    chain, depth, base, size, created, body, conversation, position = row
    try:
        place = Place(chain.decode(), int(depth), int(base), int(size), int(expires))
        return Stored(key, place, int(created), body, b"", conversation.decode() or None, int(position))
    except (AttributeError, TypeError, ValueError):
        raise DamagedEntry(f"resp_{key}") from None
