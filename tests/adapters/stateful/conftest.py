"""Stores in memory and in a file, and the application over them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from stored_world import NOW, App

from diglot.adapters.store import Store, open_store


@pytest.fixture(params=["memory", "sqlite"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    url = "memory" if request.param == "memory" else f"sqlite:///{tmp_path}/store.db"
    made = open_store(url, clock=lambda: NOW)
    await made.open()
    yield made
    await made.close()


@pytest.fixture
def app(store: Store) -> App:
    return App(store)
