"""A store that several applications of one process have in turn: it is opened once, and closed with the last one."""

from __future__ import annotations

from typing import Any, cast

import anyio

from ..store import Opened, Store


def shared(store: Store) -> Store:
    """Return *store* in such a way that it may be opened several times, and closed as often."""
    return cast(Store, _Shared(store))


class _Shared:
    def __init__(self, store: Store) -> None:
        self._store = store
        self._users = 0
        self._opened: Opened | None = None
        self._lock = anyio.Lock()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def open(self) -> Opened:
        async with self._lock:
            if self._opened is None:
                self._opened = await self._store.open()
            self._users += 1
            return self._opened

    async def close(self) -> None:
        async with self._lock:
            self._users -= 1
            if self._users <= 0:
                self._users, self._opened = 0, None
                await self._store.close()
