"""A store by its URL."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from diglot.adapters.store import StoreRefused, open_store, opening
from diglot.adapters.store.memory import MemoryStore
from diglot.adapters.store.postgres import PostgresStore
from diglot.adapters.store.redis import RedisStore
from diglot.adapters.store.sqlite import SqliteStore


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("memory", MemoryStore),
        ("memory:", MemoryStore),
        ("sqlite:///x.db", SqliteStore),
        ("SQLite+pysqlite:////tmp/x.db", SqliteStore),
        ("postgresql://u:p@h/d", PostgresStore),
        ("postgresql+asyncpg://u:p@h/d", PostgresStore),
        ("postgres://u:p@h/d?sslmode=require", PostgresStore),
        ("redis://h/1", RedisStore),
        ("rediss://h/1", RedisStore),
        ("valkey://h/1", RedisStore),
        ("unix:///tmp/redis.sock", RedisStore),
    ],
)
def test_kinds(url: str, kind: type) -> None:
    """Nothing is connected yet."""
    assert isinstance(open_store(url), kind)


@pytest.mark.parametrize(
    "url", ["", "mysql://h/d", "store.db", "sqlite:x", "postgresql://h:port/d", "redis://h:port/1"]
)
def test_what_is_no_store(url: str) -> None:
    """The error names no password."""
    with pytest.raises(StoreRefused, match=r"A store is|cannot be read"):
        open_store(url)


@pytest.mark.parametrize(
    ("url", "module", "package", "words"),
    [
        ("redis://h", "redis", "redis", r"A store in Redis needs redis.*pip install 'diglot\[redis\]'"),
        ("sqlite:///x", "sqlite", "sqlalchemy", r"A store in SQLite needs sqlalchemy: pip install 'diglot\[sqlite\]'"),
        ("postgres://h", "nothing", "asyncpg", r"A store in PostgreSQL needs asyncpg.*'diglot\[postgres\]'"),
        ("postgres://h", "postgres", "sqlalchemy", r"A store in PostgreSQL needs sqlalchemy.*'diglot\[postgres\]'"),
    ],
)
def test_a_package_that_is_missing(
    monkeypatch: pytest.MonkeyPatch, url: str, module: str, package: str, words: str
) -> None:
    """The error says how to install it."""
    for name in list(sys.modules):
        ours = name.removeprefix("diglot.adapters.store.")
        if name.startswith(f"{package}.") or ours in (module, f"{module}_connections"):
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ModuleNotFoundError, match=words):
        open_store(url)


def test_errors_that_name_another_one() -> None:
    """SQLAlchemy wraps the one of greenlet; others stay as they are."""
    missing = ModuleNotFoundError("no", name="greenlet")
    wrapped, other = ImportError("asyncio needs it"), ImportError("something else")
    wrapped.__cause__ = missing
    assert str(opening._named(wrapped, "It", "postgres")) == "It needs greenlet: pip install 'diglot[postgres]'"
    assert opening._named(other, "It", "postgres") is other


def test_the_bound_of_the_memory(tmp_path: Path) -> None:
    """It is handed on."""
    store = open_store("memory", memory=5)
    assert isinstance(store, MemoryStore)
    assert store._most_bytes == 5
