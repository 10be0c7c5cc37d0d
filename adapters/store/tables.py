"""The tables of the SQL stores, and their versions."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    UniqueConstraint,
    insert,
    select,
    update,
)

from .errors import StoreRefused

VERSION = 1

metadata: MetaData = MetaData()

meta: Table = Table(
    "diglot_meta",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("value", LargeBinary, nullable=False),
)
settings: Table = Table(
    "diglot_settings",
    metadata,
    Column("tenant", String(64), nullable=False),
    Column("hash", String(32), nullable=False),
    Column("body", LargeBinary, nullable=False),
    PrimaryKeyConstraint("tenant", "hash"),
)
chains: Table = Table(
    "diglot_chains",
    metadata,
    Column("tenant", String(64), nullable=False),
    Column("chain", String(32), nullable=False),
    Column("fork_chain", String(32)),
    Column("fork_depth", Integer),
    Column("expires", BigInteger, nullable=False),
    PrimaryKeyConstraint("tenant", "chain"),
    Index("diglot_chains_expires", "expires"),
    Index("diglot_chains_forks", "tenant", "fork_chain"),
)
records: Table = Table(
    "diglot_records",
    metadata,
    Column("tenant", String(64), nullable=False),
    Column("key", String(32), nullable=False),
    Column("chain", String(32), nullable=False),
    Column("depth", Integer, nullable=False),
    Column("base", Integer, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("created", BigInteger, nullable=False),
    Column("settings", String(32)),
    Column("body", LargeBinary),
    Column("conversation", String(32)),
    Column("position", Integer, nullable=False),
    PrimaryKeyConstraint("tenant", "key"),
    UniqueConstraint("tenant", "chain", "depth"),
    ForeignKeyConstraint(["tenant", "chain"], [chains.c.tenant, chains.c.chain]),
    ForeignKeyConstraint(["tenant", "settings"], [settings.c.tenant, settings.c.hash]),
    Index("diglot_records_settings", "tenant", "settings"),
)
conversations: Table = Table(
    "diglot_conversations",
    metadata,
    Column("tenant", String(64), nullable=False),
    Column("key", String(32), nullable=False),
    Column("created", BigInteger, nullable=False),
    Column("metadata", LargeBinary, nullable=False),
    Column("next", Integer, nullable=False),
    Column("holder", String(64)),
    Column("fence", Integer, nullable=False),
    PrimaryKeyConstraint("tenant", "key"),
)
items: Table = Table(
    "diglot_items",
    metadata,
    Column("tenant", String(64), nullable=False),
    Column("conversation", String(32), nullable=False),
    Column("position", Integer, nullable=False),
    Column("id", String(64), nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("compacts", Boolean, nullable=False),
    PrimaryKeyConstraint("tenant", "conversation", "position"),
    UniqueConstraint("tenant", "conversation", "id"),
)
completions: Table = Table(
    "diglot_completions",
    metadata,
    Column("tenant", String(64), nullable=False),
    Column("id", String(128), nullable=False),
    Column("created", BigInteger, nullable=False),
    Column("model", String, nullable=False),
    Column("labels", String, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("expires", BigInteger, nullable=False),
    PrimaryKeyConstraint("tenant", "id"),
    Index("diglot_completions_created", "tenant", "created", "id"),
    Index("diglot_completions_expires", "expires"),
)
processes: Table = Table(
    "diglot_processes",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("expires", BigInteger, nullable=False),
)

STEPS: dict[int, Callable[[Connection], None]] = {}
"""What makes a database of the version before one of this version."""


def prepare(connection: Connection) -> None:
    """Make the tables, or bring them up to date; raises StoreRefused for those of a later version.

    It must run in a transaction that no other process's runs beside.
    """
    meta.create(connection, checkfirst=True)
    found = connection.execute(select(meta.c.value).where(meta.c.name == "version")).scalar()
    version = VERSION if found is None else int(found)
    if version > VERSION:
        raise StoreRefused(
            f"The store has version {version}, and this diglot knows versions up to {VERSION}: use a newer one."
        )
    metadata.create_all(connection)
    for number in range(version + 1, VERSION + 1):
        STEPS[number](connection)
    value = b"%d" % VERSION
    if found is None:
        connection.execute(insert(meta).values(name="version", value=value))
    elif version < VERSION:
        connection.execute(update(meta).where(meta.c.name == "version").values(value=value))
