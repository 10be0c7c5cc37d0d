"""What goes into a store and comes out of it: responses and their places, conversations, completions, and counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

DAY = 86_400
KEEP = 30 * DAY
"""How long a chain is kept after its last turn."""


class Place(NamedTuple):
    """Where a response stands."""

    chain: str
    """The key of the response that the chain began with."""
    depth: int
    """How many responses came before it, those of the chains that this one was forked from included."""
    base: int
    """The depth at which its history starts: 0, or that of the newest response with a compaction."""
    size: int
    """The bytes of its history and itself, from *base* on."""
    expires: int = 0
    """When the chain expires, as it was when the response was read; a store may renew it before."""


class NewRecord(NamedTuple):
    """A response to be kept."""

    key: str
    created: int
    body: bytes
    size: int
    """How many bytes a history has of it."""
    settings: bytes
    """What many responses of a tenant share; kept once for each *settings_hash*."""
    settings_hash: str
    compacts: bool = False
    """Whether histories start here."""
    parent: Place | None = None
    """The response that it continues, as ``chain`` or ``read`` returned it."""


def place_of(record: NewRecord, chain: str, depth: int) -> Place:
    """Return the place of a new record that goes into *chain* at *depth*."""
    if record.parent is None or record.compacts:
        return Place(chain, depth, depth, record.size)
    return Place(chain, depth, record.parent.base, record.parent.size + record.size)


class NewItem(NamedTuple):
    """An item to be added to a conversation."""

    id: str
    body: bytes
    compacts: bool = False


class Addition(NamedTuple):
    """What a response adds to the conversation that it belongs to, and the lock under which it ran."""

    conversation: str
    fence: int
    items: Sequence[NewItem]


class Stored(NamedTuple):
    """A response as it is kept."""

    key: str
    place: Place
    created: int
    body: bytes | None
    """None if it was deleted."""
    settings: bytes = b""
    """Empty in histories, which need none."""
    conversation: str | None = None
    position: int = 0
    """The place of the first item that it added to its *conversation*."""


class Conversation(NamedTuple):
    key: str
    created: int
    metadata: bytes


class StoredItem(NamedTuple):
    id: str
    body: bytes


class Completion(NamedTuple):
    """A chat completion as it is kept."""

    id: str
    """What the client knows it by: up to 128 characters."""
    created: int
    model: str
    metadata: dict[str, str]
    body: bytes


class Filter(NamedTuple):
    """Which chat completions a page has; those are listed by the time when they were created, and then by id."""

    model: str | None = None
    metadata: Mapping[str, str] = MappingProxyType({})
    """Names and values that a completion must have, all of them."""
    after: str | None = None
    limit: int = 20
    descending: bool = False


class Counts(NamedTuple):
    """What there is of a tenant."""

    tenant: str
    records: int
    record_bytes: int
    oldest: int
    """When the oldest response was created; 0 if there is none."""
    conversations: int
    items: int
    item_bytes: int
    completions: int
    completion_bytes: int


def counts_of(tenant: str) -> Counts:
    """Nothing, so far."""
    return Counts(tenant, 0, 0, 0, 0, 0, 0, 0, 0)


class Opened(NamedTuple):
    """What a store is, in words for the log."""

    name: str
    """Such as `SQLite /var/lib/diglot.db`: never with a password."""
    durability: str
    """What it promises when a process or a machine dies."""
    warnings: tuple[str, ...] = ()
    version: int = 0
    """The version of what is written; 0 if nothing outlives the process."""


class Activity(NamedTuple):
    """What goes on at this moment."""

    processes: int
    """How many have a lease."""
    runs: int
    """How many of them have the lock of a conversation."""
