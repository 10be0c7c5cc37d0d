"""A store in the memory of one process: nothing survives it. Bounded in bytes; what was used least goes first."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Sequence
from functools import partial
from itertools import islice

from ..limits import MEBIBYTE
from .chains import OVERHEAD, Chain, Chains, Name
from .errors import ConversationGone, ConversationLocked, LockLost
from .logs import Log
from .shelf import Shelf
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
    Stored,
    StoredItem,
    counts_of,
)

MOST_BYTES = 256 * MEBIBYTE
_EVER = 2**62


class MemoryStore:
    """A store for one process, of at most *most_bytes*; its methods are those of ``Store``.

    Nothing here waits, so nothing comes between the steps of a method.
    """

    def __init__(
        self, *, most_bytes: int = MOST_BYTES, keep: float = KEEP, clock: Callable[[], float] = time.time
    ) -> None:
        self._most_bytes, self._keep, self._clock = most_bytes, keep, clock
        self._chains = Chains()
        self._logs: dict[Name, Log] = {}
        self._shelves: dict[str, Shelf] = {}
        self._used: OrderedDict[tuple[str, Name], None] = OrderedDict()  # what was used last stands last
        self._leases: dict[str, float] = {}
        self._secrets: dict[str, bytes] = {}
        self._size = 0  # without the chains

    @property
    def size(self) -> int:
        """How many bytes all of it takes."""
        return self._size + self._chains.size

    async def open(self) -> Opened:
        durability = "nothing survives this process, and no other one sees it"
        return Opened(f"memory, at most {self._most_bytes // MEBIBYTE} MiB", durability)

    async def close(self) -> None:
        """There is nothing to let go of."""

    # responses

    async def put(self, tenant: str, record: NewRecord, addition: Addition | None = None) -> None:
        if (tenant, record.key) in self._chains:
            return
        self._chains.expect_parent(tenant, record)
        conversation, position = None, 0
        if addition:
            conversation, position = addition.conversation, self._append(tenant, addition)
        expires = self._clock() + self._keep
        self._use(self._chains.put(tenant, record, expires, conversation, position))
        self._shrink()

    def _use(self, name: Name) -> None:
        """A chain is used, and so is all that it was forked from."""
        for each in self._chains.line(name):
            self._touch("chain", each)

    async def read(self, tenant: str, keys: Sequence[str]) -> list[Stored]:
        now = self._clock()
        return [stored for key in keys if (stored := self._chains.read(tenant, key, now))]

    async def chain(self, tenant: str, key: str, limit: int) -> list[Stored]:
        head = self._chains.read(tenant, key, self._clock())
        if head is None:
            return []
        self._use((tenant, head.place.chain))
        return self._chains.history(tenant, head.place, limit)

    async def delete(self, tenant: str, key: str) -> bool:
        if self._chains.read(tenant, key, self._clock()) is None:
            return False
        self._chains.delete(tenant, key)
        return True

    # conversations

    async def create_conversation(self, tenant: str, conversation: Conversation, items: Sequence[NewItem]) -> None:
        log = Log(conversation)
        self._add(tenant, conversation.key, log, items)
        self._logs[tenant, conversation.key] = log
        self._size += len(conversation.metadata) + OVERHEAD
        self._shrink()

    async def conversation(self, tenant: str, key: str) -> Conversation | None:
        log = self._logs.get((tenant, key))
        return log.about if log else None

    async def conversation_keys(self, tenant: str, after: str = "", limit: int = 100) -> list[str]:
        return sorted(key for owner, key in self._logs if owner == tenant and key > after)[:limit]

    async def set_metadata(self, tenant: str, key: str, metadata: bytes) -> bool:
        log = self._logs.get((tenant, key))
        if log is not None:
            self._size += len(metadata) - len(log.about.metadata)
            log.about = log.about._replace(metadata=metadata)
        return log is not None

    async def delete_conversation(self, tenant: str, key: str) -> bool:
        return self._drop_log((tenant, key))

    async def add_items(self, tenant: str, key: str, items: Sequence[NewItem]) -> None:
        self._add(tenant, key, self._log(tenant, key), items)
        self._shrink()

    def _append(self, tenant: str, addition: Addition) -> int:
        """Add what a response adds, and return the place of its first item."""
        log = self._log(tenant, addition.conversation)
        if log.fence != addition.fence or log.holder is None:
            raise LockLost(addition.conversation)
        first = log.next
        self._add(tenant, addition.conversation, log, addition.items)
        log.holder = None
        return first

    def _add(self, tenant: str, key: str, log: Log, items: Sequence[NewItem]) -> None:
        log.add(items)
        self._size += sum(len(item.body) + OVERHEAD for item in items)
        self._touch("log", (tenant, key))

    def _log(self, tenant: str, key: str) -> Log:
        log = self._logs.get((tenant, key))
        if log is None:
            raise ConversationGone(key)
        return log

    async def items(
        self, tenant: str, key: str, *, after: str | None = None, limit: int = 100, descending: bool = False
    ) -> list[StoredItem]:
        return self._log(tenant, key).page(after, limit, descending)

    async def context(self, tenant: str, key: str, limit: int, until: int | None = None) -> list[StoredItem]:
        log = self._log(tenant, key)
        self._touch("log", (tenant, key))
        return log.context(limit, until)

    async def item(self, tenant: str, key: str, item_id: str) -> bytes | None:
        log = self._logs.get((tenant, key))
        return log.item(item_id) if log else None

    async def delete_item(self, tenant: str, key: str, item_id: str) -> bool:
        log = self._logs.get((tenant, key))
        removed = log.remove(item_id) if log else None
        self._size -= len(removed.body) + OVERHEAD if removed else 0
        return removed is not None

    async def lock(self, tenant: str, key: str, process: str) -> int:
        log = self._log(tenant, key)
        if log.holder is not None and self._leases.get(log.holder, 0) > self._clock():
            raise ConversationLocked(key)
        log.holder = process
        log.fence += 1
        return log.fence

    async def unlock(self, tenant: str, key: str, fence: int) -> None:
        log = self._logs.get((tenant, key))
        if log is not None and log.fence == fence:
            log.holder = None

    # chat completions

    async def put_completion(self, tenant: str, completion: Completion) -> None:
        shelf = self._shelf(tenant)
        if shelf.add(completion, self._clock() + self._keep):
            self._shelves[tenant] = shelf
            self._size += _size_of(completion)
            self._touch("completion", (tenant, completion.id))
            self._shrink()

    def _shelf(self, tenant: str) -> Shelf:
        """Return the completions of a tenant, those that have expired gone."""
        shelf = self._shelves.get(tenant, Shelf())
        for completion_id in shelf.expired(self._clock()):
            self._drop_completion((tenant, completion_id))
        return shelf

    async def completion(self, tenant: str, completion_id: str) -> Completion | None:
        return self._shelf(tenant).completions.get(completion_id)

    async def completions(self, tenant: str, asked: Filter) -> list[Completion]:
        return self._shelf(tenant).page(asked)

    async def label_completion(self, tenant: str, completion_id: str, metadata: dict[str, str]) -> bool:
        before = self._shelf(tenant).completions.get(completion_id)
        if before is None:
            return False
        self._size += _size_of(self._shelves[tenant].label(completion_id, metadata)) - _size_of(before)
        return True

    async def delete_completion(self, tenant: str, completion_id: str) -> bool:
        return completion_id in self._shelf(tenant).completions and self._drop_completion((tenant, completion_id))

    def _drop_completion(self, name: Name) -> bool:
        tenant, completion_id = name
        shelf = self._shelves[tenant]
        self._size -= _size_of(shelf.remove(completion_id))
        self._used.pop(("completion", name), None)
        if not shelf.completions:
            del self._shelves[tenant]
        return True

    # housekeeping

    async def renew(self, process: str, seconds: float) -> None:
        self._leases[process] = self._clock() + seconds

    async def sweep(self, limit: int = 100) -> int:
        now = self._clock()
        self._leases = {process: until for process, until in self._leases.items() if until > now}
        expired = [(tenant, ident) for tenant, shelf in self._shelves.items() for ident in shelf.expired(now)]
        dropped = sum(self._drop_completion(name) for name in expired[:limit])
        return dropped + self._drop_some(lambda name, chain: chain.expires <= now - DAY, limit - dropped)

    def _drop_some(self, is_meant: Callable[[Name, Chain], bool], limit: int) -> int:
        meant = (name for name, chain in self._chains.not_forked() if is_meant(name, chain))
        return self._drop_chains(list(islice(meant, limit)))

    async def purge(self, tenant: str | None = None, before: int | None = None, limit: int = 100) -> int:
        if before is None:
            self._chains.end(tenant)
        dropped = self._drop_some(partial(_is_older, tenant, before), limit)
        dropped += sum(self._drop_log(name) for name in self._old_logs(tenant, before)[: limit - dropped])
        completions = self._old_completions(tenant, before)[: limit - dropped]
        return dropped + sum(self._drop_completion(name) for name in completions)

    def _old_logs(self, tenant: str | None, before: int | None) -> list[Name]:
        return [
            name
            for name, log in self._logs.items()
            if tenant in (None, name[0]) and (before is None or log.about.created < before)
        ]

    def _old_completions(self, tenant: str | None, before: int | None) -> list[Name]:
        return [
            (owner, completion.id)
            for owner, shelf in self._shelves.items()
            for completion in shelf.completions.values()
            if tenant in (None, owner) and (before is None or completion.created < before)
        ]

    async def purgeable(self, tenant: str | None = None, before: int | None = None, *, expired: bool = False) -> int:
        now = self._clock()
        chains = self._chains.chains.items()
        if expired:
            completions = sum(len(list(shelf.expired(now))) for shelf in self._shelves.values())
            return completions + sum(chain.expires <= now - DAY for _, chain in chains)
        old = sum(_is_older(tenant, before, name, chain) for name, chain in chains)
        return old + len(self._old_logs(tenant, before)) + len(self._old_completions(tenant, before))

    async def secret(self, name: str, proposed: bytes) -> bytes:
        return self._secrets.setdefault(name, proposed)

    async def counts(self) -> list[Counts]:
        found: dict[str, Counts] = {}
        for (tenant, _), chain in self._chains.chains.items():
            so_far = found.get(tenant, counts_of(tenant))
            found[tenant] = so_far._replace(
                records=so_far.records + len(chain.kept),
                record_bytes=so_far.record_bytes + sum(len(stored.body or b"") for stored in chain.kept),
                oldest=min([*(stored.created for stored in chain.kept), so_far.oldest or _EVER]),
            )
        for (tenant, _), log in self._logs.items():
            so_far = found.get(tenant, counts_of(tenant))
            found[tenant] = so_far._replace(
                conversations=so_far.conversations + 1,
                items=so_far.items + len(log.items),
                item_bytes=so_far.item_bytes + sum(len(item.body) for item in log.items.values()),
            )
        for tenant, shelf in self._shelves.items():
            sizes = [len(completion.body) for completion in shelf.completions.values()]
            so_far = found.get(tenant, counts_of(tenant))
            found[tenant] = so_far._replace(completions=len(sizes), completion_bytes=sum(sizes))
        return sorted(each._replace(oldest=each.oldest % _EVER) for each in found.values())

    async def activity(self) -> Activity:
        now = self._clock()
        alive = {process for process, until in self._leases.items() if until > now}
        return Activity(len(alive), sum(log.holder in alive for log in self._logs.values()))

    async def export(self, tenant: str | None = None) -> AsyncIterator[tuple[str, Stored]]:
        for owner, key in self._chains.names():
            if tenant in (None, owner):
                for stored in await self.read(owner, [key]):
                    yield owner, stored

    # the bound

    def _touch(self, kind: str, name: Name) -> None:
        self._used[kind, name] = None
        self._used.move_to_end((kind, name))

    def _shrink(self) -> None:
        """Drop what was used least, but never the newest, until all fits."""
        while self.size > self._most_bytes and len(self._used) > 1:
            kind, name = next(iter(self._used))
            if kind == "chain":
                self._drop_chains([name])
            elif kind == "log":
                self._drop_log(name)
            else:
                self._drop_completion(name)

    def _drop_chains(self, names: Sequence[Name]) -> int:
        for name in names:
            self._used.pop(("chain", name), None)
        return self._chains.drop(names)

    def _drop_log(self, name: Name) -> bool:
        log = self._logs.pop(name, None)
        if log is None:
            return False
        self._used.pop(("log", name), None)
        self._size -= sum(len(item.body) + OVERHEAD for item in log.items.values())
        self._size -= len(log.about.metadata) + OVERHEAD
        return True


def _size_of(completion: Completion) -> int:
    labels = sum(len(text.encode()) for pair in completion.metadata.items() for text in pair)
    return len(completion.body) + labels + OVERHEAD


def _is_older(tenant: str | None, before: int | None, name: Name, chain: Chain) -> bool:
    """Whether a chain is of the tenant, and all of it older."""
    newest = max(stored.created for stored in chain.records.values())
    return tenant in (None, name[0]) and (before is None or newest < before)
