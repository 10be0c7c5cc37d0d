"""What is counted in Redis; what all stores do is in test_protocol."""

from __future__ import annotations

from typing import Any

import pytest

from diglot.adapters.store import Completion, StoreUnavailable
from diglot.adapters.store.redis_connections import RedisConnections
from diglot.adapters.store.redis_housekeeping import activity, count_older

import store_servers

pytestmark = pytest.mark.anyio


@pytest.fixture
def engine() -> store_servers.Engine:
    return store_servers.Engine("redis", "asyncio")


async def test_what_goes_meanwhile_is_old(store: Any, url: str) -> None:
    """A completion that is still listed and gone already is counted as one to go."""
    await store.put_completion("t", Completion("chatcmpl-1", 5, "m", {}, b"body"))
    connections = RedisConnections(url)
    assert await count_older(connections, None, 5) == 0
    await connections.client.delete("diglot:m:t:chatcmpl-1")
    assert await count_older(connections, None, 5) == 1
    await connections.close()


async def test_no_server() -> None:
    """It is said as all stores say it."""
    connections = RedisConnections(f"redis://127.0.0.1:{store_servers.free_port()}/0")
    with pytest.raises(StoreUnavailable):
        await activity(connections, 1)
    await connections.close()
