"""What the tests of stores do where a server is not installed."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest

import store_servers

Start = Callable[[], AbstractContextManager[str]]


@pytest.mark.parametrize(
    ("start", "words"),
    [
        (store_servers.postgres, r"PostgreSQL is not installed \(Debian's package postgresql\)"),
        (store_servers.redis, r"Redis is not installed \(Debian's package redis-server\)"),
    ],
)
def test_what_is_missing(monkeypatch: pytest.MonkeyPatch, start: Start, words: str) -> None:
    """Tests are skipped and say why; where stores are required, they fail."""
    monkeypatch.setattr(store_servers, "find", lambda program: None)
    monkeypatch.setattr(store_servers, "REQUIRED", False)
    with pytest.raises(pytest.skip.Exception, match=words), start():
        pass
    monkeypatch.setattr(store_servers, "REQUIRED", True)
    with pytest.raises(pytest.fail.Exception, match=f"{words}.*DIGLOT_REQUIRE_STORES=1"), start():
        pass


@pytest.mark.parametrize(
    ("missing", "files"),
    [
        ((), []),
        (("initdb",), ["*/adapters/store/postgres.py"]),
        (("redis-server", "valkey-server"), ["*/adapters/store/redis*.py"]),
        (("valkey-server",), []),
    ],
)
def test_what_is_not_measured(missing: tuple[str, ...], files: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """The files of a store whose server is not there."""
    monkeypatch.setattr(store_servers, "find", lambda program: None if program in missing else f"/bin/{program}")
    assert store_servers.not_measured() == files
