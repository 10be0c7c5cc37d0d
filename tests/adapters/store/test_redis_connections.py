"""The file that knows redis-py."""

import pytest
from redis.exceptions import ConnectionError as RedisConnectionError

from diglot.adapters.store import StoreUnavailable
from diglot.adapters.store.redis_connections import RedisConnections, guarded, name_of


@pytest.mark.parametrize("error", [RedisConnectionError("gone"), OSError("gone"), TimeoutError("gone")])
def test_foreign_errors_stay_inside(error: Exception) -> None:
    """They are one error, with their words."""
    with pytest.raises(StoreUnavailable, match="Error: gone") as caught, guarded():
        raise error
    assert caught.value.__cause__ is error


def test_names() -> None:
    """Without a password; keys name the tenant."""
    assert RedisConnections("redis://user:secret@h/2").name == "Redis h/2"
    assert RedisConnections("unix:///tmp/redis.sock").name == "Redis /tmp/redis.sock/0"
    assert name_of("r", "t", "k") == "diglot:r:t:k"


def test_urls_that_cannot_be_read() -> None:
    """The caller says so in words of its own."""
    with pytest.raises(ValueError, match="port"):
        RedisConnections("redis://h:port/1")
