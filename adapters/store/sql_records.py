"""Responses in SQL: each function does its part of one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection

from . import sql_conversations, statements
from .errors import ChainGone, HistoryTooLarge
from .statements import Writes
from .values import DAY, Addition, NewRecord, Place, Stored, place_of


def put(
    connection: Connection,
    writes: Writes,
    tenant: str,
    record: NewRecord,
    addition: Addition | None,
    expires: int,
    with_settings: bool,
) -> None:
    """Keep a response, behind its parent or in a chain of its own. A key that is there stays as it is."""
    position = 0
    if addition is not None:
        if is_there(connection, tenant, record.key):
            return
        position = sql_conversations.append(connection, tenant, addition)
    values: dict[str, Any] = {
        "tenant": tenant,
        "key": record.key,
        "created": record.created,
        "body": record.body,
        "hash": record.settings_hash,
        "settings": record.settings,
        "conversation": addition.conversation if addition else None,
        "position": position,
        "expires": expires,
    }
    parent = record.parent
    if parent is not None:
        values |= place_of(record, parent.chain, parent.depth + 1)._asdict() | {"expires": expires}
        if _execute(connection, writes.go_on[with_settings], values):
            if parent.expires < expires - DAY:
                statements.RENEW_CHAIN(connection, values)
            return
        if is_there(connection, tenant, record.key):
            return
    values |= place_of(record, record.key, parent.depth + 1 if parent else 0)._asdict() | {"expires": expires}
    values["fork_chain"] = parent.chain if parent else None
    values["fork_depth"] = parent.depth if parent else None
    _execute(connection, writes.begin_chain[with_settings], values)


def is_there(connection: Connection, tenant: str, key: str) -> bool:
    """Whether a response was ever kept under this key."""
    return statements.EXISTS(connection, {"tenant": tenant, "key": key}).first() is not None


def needs_one_statement(record: NewRecord, addition: Addition | None, expires: int) -> bool:
    """Whether a response is usually put with one statement, where the database can do that in one."""
    return addition is None and (record.parent is None or record.parent.expires >= expires - DAY)


def _execute(connection: Connection, parts: list[statements.Statement], values: dict[str, Any]) -> bool:
    """Execute statements; whether the last one returned anything."""
    for part in parts[:-1]:
        part(connection, values)
    return parts[-1](connection, values).first() is not None


def explained(connection: Connection, tenant: str, record: NewRecord) -> None:
    """Say why a response could not be put: raises ChainGone, or returns if it is there."""
    if not is_there(connection, tenant, record.key):
        raise ChainGone(record.parent.chain if record.parent else record.key)


def read(connection: Connection, tenant: str, keys: Sequence[str], now: float) -> list[Stored]:
    """Return the responses of these keys."""
    rows = statements.READ(connection, {"tenant": tenant, "keys": list(keys), "now": int(now)})
    return [_stored(row, row.settings) for row in rows]


def chain(connection: Connection, tenant: str, key: str, limit: int, now: float) -> list[Stored]:
    """Return the history of a response; [] if not all of it is there."""
    values: dict[str, Any] = {"tenant": tenant, "key": key, "limit": limit, "now": int(now)}
    rows = statements.HEAD(connection, values).all()
    if not rows:
        size = statements.SIZE(connection, values).scalar()
        if size is not None and size > limit:
            raise HistoryTooLarge(size)
        return []
    base = rows[0].start
    segments = [rows]
    while rows and rows[0].depth > base:
        values |= {"chain": rows[0].fork_chain, "depth": rows[0].fork_depth, "base": base}
        rows = statements.SEGMENT(connection, values).all()
        segments.append(rows)
    found = [_stored(row) for segment in reversed(segments) for row in segment]
    return found if len(found) == found[-1].place.depth - base + 1 else []


def delete(connection: Connection, tenant: str, key: str, now: float) -> bool:
    """Empty a record, and take its settings away if no other one has them."""
    values: dict[str, Any] = {"tenant": tenant, "key": key, "now": int(now)}
    found = statements.TO_DELETE(connection, values).first()
    if found is None:
        return False
    statements.EMPTY(connection, values)
    statements.UNSHARE(connection, values | {"hash": found.settings})
    return True


def _stored(row: Any, settings: bytes = b"") -> Stored:
    key, chain, depth, base, size, created, body, conversation, position, expires = row[:10]
    return Stored(key, Place(chain, depth, base, size, expires), created, body, settings, conversation, position)
