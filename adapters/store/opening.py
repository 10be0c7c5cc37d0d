"""A store by its URL."""

from __future__ import annotations

import time
from collections.abc import Callable

from .. import missing
from .memory import MOST_BYTES, MemoryStore
from .protocol import KEEP, Store, StoreRefused


def open_store(
    url: str, *, keep: float = KEEP, memory: int = MOST_BYTES, clock: Callable[[], float] = time.time
) -> Store:
    """Return the store of a URL, not yet opened: `memory`, `sqlite:///FILE`, `postgresql://...` or `redis://...`.

    *keep* is how many seconds a chain is kept after its last turn, *memory* how many bytes the store in memory may
    take. Raises StoreRefused for a URL that is none of these, and ModuleNotFoundError, with the command that helps, if
    a package is missing.
    """
    scheme = url.partition(":")[0].partition("+")[0].lower()
    if scheme == "memory":
        return MemoryStore(most_bytes=memory, keep=keep, clock=clock)
    if scheme in ("redis", "rediss", "valkey", "valkeys", "unix"):
        return _redis(url, keep, clock)
    if scheme in ("sqlite", "postgresql", "postgres"):
        return _sql(url, scheme, keep, clock)
    raise StoreRefused("A store is 'memory', 'sqlite:///FILE', 'postgresql://...' or 'redis://...'.")


def _redis(url: str, keep: float, clock: Callable[[], float]) -> Store:
    try:
        from .redis import RedisStore
    except ModuleNotFoundError as error:
        raise missing.named(error, "A store in Redis", "redis") from None
    return RedisStore(url.replace("valkey", "redis", 1), keep=keep, clock=clock)


def _sql(url: str, scheme: str, keep: float, clock: Callable[[], float]) -> Store:
    is_sqlite = scheme == "sqlite"
    try:
        from .sql import PostgresStore, SqliteStore, read_url
    except ModuleNotFoundError as error:
        name, extra = ("A store in SQLite", "sqlite") if is_sqlite else ("A store in PostgreSQL", "postgres")
        raise missing.named(error, name, extra) from None
    kind = SqliteStore if is_sqlite else PostgresStore
    return kind(read_url(url), keep=keep, clock=clock)
