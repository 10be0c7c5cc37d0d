"""Two server processes on each kind of store, and a tenant of its own for each test."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

import store_servers
from processes import Processes, serving

KINDS = ["sqlite", "postgres", "redis"]


@pytest.fixture(scope="session", params=KINDS)
def store_url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with ExitStack() as stack:
        if request.param == "sqlite":
            yield f"sqlite:///{tmp_path_factory.mktemp('store') / 'store.db'}"
        elif request.param == "postgres":
            yield stack.enter_context(store_servers.postgres())
        else:
            yield stack.enter_context(store_servers.redis("--appendonly", "yes"))


@pytest.fixture(scope="session")
def processes(store_url: str) -> Iterator[Processes]:
    """In front of a chat upstream."""
    with serving(store_url) as started:
        yield started


@pytest.fixture(scope="session")
def chat_processes(store_url: str) -> Iterator[Processes]:
    """In front of a Responses upstream."""
    with serving(store_url, "responses") as started:
        yield started


@pytest.fixture
def credential() -> str:
    return f"sk-{secrets.token_hex(8)}"
