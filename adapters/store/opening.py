"""A store by its URL."""

from __future__ import annotations

import time
from collections.abc import Callable

from .. import missing
from .errors import StoreRefused
from .memory import MOST_BYTES, MemoryStore
from .protocol import Store
from .values import KEEP


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
    if scheme in _OPENERS:
        return _OPENERS[scheme](url, keep, clock)
    raise StoreRefused("A store is 'memory', 'sqlite:///FILE', 'postgresql://...' or 'redis://...'.")


def _redis(url: str, keep: float, clock: Callable[[], float]) -> Store:
    try:
        from .redis import RedisStore
    except ImportError as error:
        raise _named(error, "A store in Redis", "redis") from None
    try:
        return RedisStore(url.replace("valkey", "redis", 1), keep=keep, clock=clock)
    except ValueError:
        raise StoreRefused("The URL of the store cannot be read.") from None


def _sqlite(url: str, keep: float, clock: Callable[[], float]) -> Store:
    try:
        from .sql import read_url
        from .sqlite import SqliteStore
    except ImportError as error:
        raise _named(error, "A store in SQLite", "sqlite") from None
    return SqliteStore(read_url(url), keep=keep, clock=clock)


def _postgres(url: str, keep: float, clock: Callable[[], float]) -> Store:
    try:
        from .postgres import PostgresStore
        from .sql import read_url

        return PostgresStore(read_url(url), keep=keep, clock=clock)
    except ImportError as error:
        raise _named(error, "A store in PostgreSQL", "postgres") from None


def _named(error: ImportError, user: str, extra: str) -> ImportError:
    """Return the error that names the command that helps; SQLAlchemy wraps the one of a package that it misses."""
    cause = error.__cause__ if isinstance(error.__cause__, ModuleNotFoundError) else error
    return missing.with_install_hint(cause, user, extra) if isinstance(cause, ModuleNotFoundError) else error


_OPENERS: dict[str, Callable[[str, float, Callable[[], float]], Store]] = {
    **dict.fromkeys(("redis", "rediss", "valkey", "valkeys", "unix"), _redis),
    **dict.fromkeys(("postgresql", "postgres"), _postgres),
    "sqlite": _sqlite,
}
