"""Stores of every kind, each empty, with a clock that is set by hand."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import redis.asyncio

from diglot.adapters.store import Store, open_store

import store_servers
from store_servers import ENGINES, Engine


class Clock:
    """Seconds since long ago."""

    def __init__(self) -> None:
        self.now = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(params=ENGINES, ids=["-".join(engine) for engine in ENGINES])
def engine(request: pytest.FixtureRequest) -> Engine:
    return request.param


@pytest.fixture
def anyio_backend(engine: Engine) -> str:
    return engine.backend


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    with store_servers.postgres() as url:
        yield url


@pytest.fixture(scope="session")
def redis_url() -> Iterator[str]:
    with store_servers.redis("--appendonly", "yes") as url:
        yield url


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def url(engine: Engine, tmp_path: Path, request: pytest.FixtureRequest) -> str:
    """An empty place for a store."""
    if engine.kind == "sqlite":
        return f"sqlite:///{tmp_path}/store.db"
    if engine.kind == "memory":
        return "memory"
    found: str = request.getfixturevalue(f"{engine.kind}_url")
    if engine.kind == "postgres":
        connection: Any = await asyncpg.connect(found)
        await connection.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
        await connection.close()
    else:
        client: Any = redis.asyncio.from_url(found)
        await client.flushall()
        await client.aclose()
    return found


@pytest.fixture
async def store(url: str, clock: Clock) -> AsyncIterator[Store]:
    made = open_store(url, clock=clock)
    await made.open()
    yield made
    await made.close()
