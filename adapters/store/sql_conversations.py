"""Conversations in SQL: each function does its part of one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection

from . import statements
from .errors import ConversationGone, ConversationLocked, DuplicateItem, HistoryTooLarge, LockLost, NoSuchItem
from .values import Addition, Conversation, NewItem, StoredItem

_ALL = 2**31 - 1
_PORTION = 10_000
"""Databases take some 32,000 values with one statement."""


def create(connection: Connection, tenant: str, conversation: Conversation, items: Sequence[NewItem]) -> None:
    values = {"tenant": tenant, **conversation._asdict(), "count": len(items)}
    if find(connection, tenant, conversation.key) is None:
        statements.CREATE(connection, values)
        _insert(connection, tenant, conversation.key, items, 0)


def find(connection: Connection, tenant: str, key: str) -> Conversation | None:
    row = statements.CONVERSATION(connection, {"tenant": tenant, "key": key}).first()
    return Conversation(row.key, row.created, row.metadata) if row else None


def keys(connection: Connection, tenant: str, after: str, limit: int) -> list[str]:
    values = {"tenant": tenant, "after": after, "limit": limit}
    return list(statements.CONVERSATION_KEYS(connection, values).scalars())


def set_metadata(connection: Connection, tenant: str, key: str, metadata: bytes) -> bool:
    values = {"tenant": tenant, "key": key, "metadata": metadata}
    return statements.SET_METADATA(connection, values).first() is not None


def delete(connection: Connection, tenant: str, key: str) -> bool:
    values = {"tenant": tenant, "key": key}
    was_there = statements.DELETE_CONVERSATION(connection, values).first() is not None
    statements.DELETE_ITEMS(connection, values)
    return was_there


def add_items(connection: Connection, tenant: str, key: str, items: Sequence[NewItem]) -> None:
    row = statements.RESERVE(connection, {"tenant": tenant, "key": key, "count": len(items)}).first()
    if row is None:
        raise ConversationGone(key)
    _insert(connection, tenant, key, items, row.next - len(items))


def append(connection: Connection, tenant: str, addition: Addition) -> int:
    """Add what a response adds, release its lock, and return the position of its first item."""
    key, count = addition.conversation, len(addition.items)
    values = {"tenant": tenant, "key": key, "count": count, "fence": addition.fence}
    row = statements.RESERVE_LOCKED(connection, values).first()
    if row is None:
        raise ConversationGone(key) if find(connection, tenant, key) is None else LockLost(key)
    _insert(connection, tenant, key, addition.items, row.next - count)
    return row.next - count


def _insert(connection: Connection, tenant: str, key: str, items: Sequence[NewItem], first: int) -> None:
    if not items:
        return
    seen: set[str] = set()
    for start in range(0, len(items), _PORTION):
        ids = [item.id for item in items[start : start + _PORTION]]
        seen.update(statements.THERE(connection, {"tenant": tenant, "key": key, "ids": ids}).scalars())
    rows: list[dict[str, Any]] = []
    for position, item in enumerate(items, first):
        if item.id in seen:
            raise DuplicateItem(item.id)
        seen.add(item.id)
        rows.append({"tenant": tenant, "conversation": key, "position": position, **item._asdict()})
    connection.execute(statements.ADD_ITEM, rows)


def page(
    connection: Connection, tenant: str, key: str, after: str | None, limit: int, descending: bool
) -> list[StoredItem]:
    values: dict[str, Any] = {"tenant": tenant, "key": key, "limit": limit}
    values["position"] = _ALL if descending else -1
    if after is not None:
        values["position"] = statements.POSITION(connection, values | {"id": after}).scalar()
    rows = []
    if values["position"] is not None:
        rows = (statements.PAGE_DOWN if descending else statements.PAGE_UP)(connection, values).all()
    if not rows and find(connection, tenant, key) is None:
        raise ConversationGone(key)
    if values["position"] is None:
        raise NoSuchItem(after)
    return [StoredItem(row.id, row.body) for row in rows]


def context(connection: Connection, tenant: str, key: str, limit: int, until: int | None) -> list[StoredItem]:
    if find(connection, tenant, key) is None:
        raise ConversationGone(key)
    values = {"tenant": tenant, "key": key, "until": _ALL if until is None else until}
    size = statements.CONTEXT_SIZE(connection, values).scalar() or 0
    if size > limit:
        raise HistoryTooLarge(size)
    return [StoredItem(row.id, row.body) for row in statements.CONTEXT(connection, values)]


def item(connection: Connection, tenant: str, key: str, item_id: str) -> bytes | None:
    return statements.ITEM(connection, {"tenant": tenant, "key": key, "id": item_id}).scalar()


def delete_item(connection: Connection, tenant: str, key: str, item_id: str) -> bool:
    values = {"tenant": tenant, "key": key, "id": item_id}
    return statements.DELETE_ITEM(connection, values).first() is not None


def lock(connection: Connection, tenant: str, key: str, process: str, now: float) -> int:
    values = {"tenant": tenant, "key": key, "process": process, "now": int(now)}
    fence = statements.LOCK(connection, values).scalar()
    if fence is not None:
        return fence
    raise ConversationGone(key) if find(connection, tenant, key) is None else ConversationLocked(key)


def unlock(connection: Connection, tenant: str, key: str, fence: int) -> None:
    statements.UNLOCK(connection, {"tenant": tenant, "key": key, "fence": fence})
