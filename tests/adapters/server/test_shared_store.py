from typing import Any

import pytest

from diglot.adapters.server.shared_store import shared
from diglot.adapters.store import open_store

pytestmark = pytest.mark.anyio


class Counted:
    """A store in memory that notes when it is opened and closed."""

    def __init__(self) -> None:
        self.store = open_store("memory")
        self.calls: list[str] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self.store, name)

    async def open(self) -> Any:
        self.calls.append("open")
        return await self.store.open()

    async def close(self) -> None:
        self.calls.append("close")
        await self.store.close()


async def test_two_users() -> None:
    """It is opened for the first one and closed with the last one; what it keeps is the same for both."""
    counted: Any = Counted()
    store = shared(counted)
    assert await store.open() == await store.open()
    first = await store.secret("tenants", b"1")
    await store.close()
    assert await store.secret("tenants", b"2") == first
    assert counted.calls == ["open"]
    await store.close()
    assert counted.calls == ["open", "close"]


async def test_one_that_did_not_open() -> None:
    """It may be closed all the same, and opened later."""
    counted: Any = Counted()
    store = shared(counted)
    await store.close()
    await store.open()
    assert counted.calls == ["close", "open"]
