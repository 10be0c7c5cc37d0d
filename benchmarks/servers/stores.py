"""A new store of each kind: in memory, in a file, and in servers of their own that sync each write to the disk."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from benchmarks.settings import ROOT

sys.path.append(str(ROOT / "tests"))

import store_servers

_DURABLE = ("--appendonly", "yes", "--appendfsync", "always")


@contextmanager
def urls() -> Iterator[dict[str, str]]:
    """The URLs of all stores that can be had here."""
    with ExitStack() as stack:
        found = {"memory": "memory"}
        found["SQLite"] = f"sqlite:///{stack.enter_context(store_servers.directory())}/diglot.db"
        if store_servers.find("initdb"):
            found["PostgreSQL"] = stack.enter_context(store_servers.postgres())
        if store_servers.find_redis():
            found["Redis"] = stack.enter_context(store_servers.redis(*_DURABLE))
        for name in {"PostgreSQL", "Redis"} - found.keys():
            print(f"{name} is not installed: left out")
        yield found
