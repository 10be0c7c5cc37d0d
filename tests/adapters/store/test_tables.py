"""The tables and their versions."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, create_engine, inspect, select, update

from diglot.adapters.store import StoreRefused, tables


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[Connection]:
    engine = create_engine(f"sqlite:///{tmp_path}/store.db")
    with engine.connect() as made:
        yield made
    engine.dispose()


def version(connection: Connection) -> bytes | None:
    return connection.execute(select(tables.meta.c.value).where(tables.meta.c.name == "version")).scalar()


def test_a_new_database(connection: Connection) -> None:
    """All tables are made, also when they are there."""
    for _ in range(2):
        tables.prepare(connection)
    assert version(connection) == b"1"
    assert len(inspect(connection).get_table_names()) == len(tables.metadata.tables) == 8


def test_a_later_version_refuses_to_start(connection: Connection) -> None:
    """And changes nothing."""
    tables.prepare(connection)
    connection.execute(update(tables.meta).values(value=b"2"))
    tables.items.drop(connection)
    with pytest.raises(StoreRefused, match="The store has version 2, and this diglot knows versions up to 1"):
        tables.prepare(connection)
    assert "diglot_items" not in inspect(connection).get_table_names()


def test_an_earlier_version_is_brought_up_to_date(connection: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    """By one step for each version between."""
    tables.prepare(connection)
    steps: list[int] = []
    monkeypatch.setattr(tables, "VERSION", 3)
    monkeypatch.setattr(tables, "STEPS", {2: lambda c: steps.append(2), 3: lambda c: steps.append(3)})
    tables.prepare(connection)
    assert (steps, version(connection)) == ([2, 3], b"3")
