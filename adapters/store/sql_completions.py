"""Chat completions in SQL: each function does its part of one transaction."""

from __future__ import annotations

from typing import Any

import msgspec
from sqlalchemy import Connection, func, tuple_

from . import statements
from .errors import DamagedEntry, NoSuchItem
from .statements import Writes
from .tables import completions
from .values import Completion, Filter

_pairs = msgspec.json.Decoder(tuple[str, str])


def put(connection: Connection, writes: Writes, tenant: str, completion: Completion, expires: float) -> None:
    values = {**completion._asdict(), "tenant": tenant, "expires": int(expires)}
    writes.completion(connection, {**values, "labels": _labels(completion.metadata)})


def find(connection: Connection, tenant: str, completion_id: str, now: float) -> Completion | None:
    row = statements.COMPLETION(connection, {"tenant": tenant, "id": completion_id, "now": int(now)}).first()
    return _completion(row) if row else None


def page(connection: Connection, tenant: str, asked: Filter, now: float) -> list[Completion]:
    """Each name and value of the metadata is looked for as it is written."""
    place = (completions.c.created, completions.c.id)
    query = statements.COMPLETIONS.limit(asked.limit)
    query = query.order_by(*(column.desc() if asked.descending else column for column in place))
    if asked.model is not None:
        query = query.where(completions.c.model == asked.model)
    find_text = func.strpos if connection.dialect.name == "postgresql" else func.instr
    for name, value in asked.metadata.items():
        query = query.where(find_text(completions.c.labels, _label(name, value)) > 0)
    if asked.after is not None:
        last = find(connection, tenant, asked.after, now)
        if last is None:
            raise NoSuchItem(asked.after)
        there = tuple_(*place)
        behind = tuple_(last.created, last.id)
        query = query.where(there < behind if asked.descending else there > behind)
    return [_completion(row) for row in connection.execute(query, {"v_tenant": tenant, "v_now": int(now)})]


def label(connection: Connection, tenant: str, completion_id: str, metadata: dict[str, str], now: float) -> bool:
    values = {"tenant": tenant, "id": completion_id, "labels": _labels(metadata), "now": int(now)}
    return statements.LABEL(connection, values).first() is not None


def delete(connection: Connection, tenant: str, completion_id: str, now: float) -> bool:
    values = {"tenant": tenant, "id": completion_id, "now": int(now)}
    return statements.DELETE_COMPLETION(connection, values).first() is not None


def _labels(metadata: dict[str, str]) -> str:
    """Metadata as lines of JSON: a whole line is a name with its value, and no line is in another one."""
    return "".join(["\n", *(_label(name, value)[1:] for name, value in metadata.items())])


def _label(name: str, value: str) -> str:
    return f"\n{msgspec.json.encode([name, value]).decode()}\n"


def _completion(row: Any) -> Completion:
    try:
        pairs = [_pairs.decode(line) for line in row.labels.split("\n") if line]
    except (UnicodeError, msgspec.MsgspecError):
        raise DamagedEntry(row.id) from None
    return Completion(row.id, row.created, row.model, dict(pairs), row.body)
