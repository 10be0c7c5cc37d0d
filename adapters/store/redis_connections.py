"""The only file that knows redis-py: a pool of connections, scripts, and one error for all of its errors."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from redis.asyncio import BlockingConnectionPool, Redis
from redis.exceptions import RedisError

from .errors import StoreUnavailable

_CONNECTIONS = 20
_WAIT = 5


class RedisConnections:
    """A pool of connections; ``client`` is redis-py's. Raises ValueError for a URL that cannot be read."""

    def __init__(self, url: str) -> None:
        pool = BlockingConnectionPool.from_url(url, max_connections=_CONNECTIONS, timeout=_WAIT)
        self.client: Any = Redis(connection_pool=pool)  # its types know neither bytes nor pipelines
        self._scripts: dict[str, Any] = {}

    @property
    def name(self) -> str:
        """Where the server is, without a password."""
        where = self.client.connection_pool.connection_kwargs
        return f"Redis {where.get('host') or where.get('path') or 'localhost'}/{where.get('db') or 0}"

    async def close(self) -> None:
        await self.client.aclose()
        await self.client.connection_pool.disconnect()

    async def call(self, script: str, *args: Any) -> Any:
        """Return what a script returns; its text goes to the server once."""
        known = self._scripts.get(script)
        if known is None:
            known = self._scripts[script] = self.client.register_script(script)
        with guarded():
            return await known(args=args)


def name_of(kind: str, tenant: str, key: str) -> str:
    """The key of a thing in Redis."""
    return f"diglot:{kind}:{tenant}:{key}"


@contextmanager
def guarded() -> Iterator[None]:
    """Let no foreign exception out."""
    try:
        yield
    except (RedisError, OSError) as error:
        raise StoreUnavailable(f"{type(error).__name__}: {error}") from error
