"""The SQL of the stores: each statement is made once. All name the tenant, but for what belongs to no tenant."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import (
    Connection,
    and_,
    bindparam,
    delete,
    exists,
    func,
    null,
    or_,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql import Executable

from .tables import chains, completions, conversations, items, meta, processes, records, settings

Values = Mapping[str, Any]


_DIALECTS = {"postgresql": postgresql.dialect(), "sqlite": sqlite.dialect()}


class Statement:
    """SQL and the names of the values that it takes."""

    def __init__(self, sql: Any, dialect: str = "postgresql") -> None:
        self.sql: Executable = sql
        compiled = sql.compile(dialect=_DIALECTS[dialect])
        self.names: list[str] = [name for name in compiled.params if name.startswith("v_")]

    def __call__(self, connection: Connection, values: Values) -> Any:
        """Execute it with those of the *values* that it takes."""
        return connection.execute(self.sql, {name: values[name[2:]] for name in self.names})


def value(name: str) -> Any:
    return bindparam(f"v_{name}")


def _values(*names: str, **more: str) -> dict[str, Any]:
    """For each column the value of its name, or of another one."""
    return {**{name: value(name) for name in names}, **{column: value(name) for column, name in more.items()}}


_RECORD = _values(
    *("tenant", "key", "chain", "depth", "base", "size", "created", "body", "conversation", "position"),
    settings="hash",
)
_SHOWN = (
    *(records.c[name] for name in ("key", "chain", "depth", "base", "size", "created", "body")),
    *(records.c[name] for name in ("conversation", "position")),
)
IN_CHAIN = and_(chains.c.tenant == records.c.tenant, chains.c.chain == records.c.chain)
_IS_THERE = and_(records.c.body.is_not(None), chains.c.expires > value("now"))


_Pair = tuple[list[Statement], list[Statement]]


class Writes:
    """Statements that put a response, which differ in what a database can do in one of them."""

    def __init__(self, dialect: str) -> None:
        self._dialect = dialect
        insert = postgresql.insert if dialect == "postgresql" else sqlite.insert
        share = insert(settings).values(_values("tenant", "hash", body="settings")).on_conflict_do_nothing()
        start = insert(chains).values(_values("tenant", "fork_chain", "fork_depth", "expires", chain="key"))
        row = insert(records).values(_RECORD)
        record = row.returning(records.c.depth)
        behind = row.on_conflict_do_nothing(index_elements=["tenant", "chain", "depth"]).returning(records.c.depth)
        self.begin_chain: _Pair = self._combined(start, record), self._combined(share, start, record)
        """For a response that begins a chain, or a fork: without its settings, and with them."""
        self.go_on: _Pair = self._combined(behind), self._combined(share, behind)
        """For one behind its parent; the last statement returns nothing if another is there."""
        self.renew: Statement = Statement(
            insert(processes)
            .values(_values("expires", id="process"))
            .on_conflict_do_update(index_elements=["id"], set_={"expires": value("expires")}),
            dialect,
        )
        self.secret: Statement = Statement(
            insert(meta).values(_values("name", value="proposed")).on_conflict_do_nothing(), dialect
        )
        completion = insert(completions).values(
            _values("tenant", "id", "created", "model", "labels", "body", "expires")
        )
        self.completion: Statement = Statement(completion.on_conflict_do_nothing(), dialect)

    def _combined(self, *parts: Any) -> list[Statement]:
        """Return one statement for all *parts* where the database can do that, else one for each."""
        if self._dialect == "sqlite":
            return [Statement(part, "sqlite") for part in parts]
        *first, last = parts
        for number, part in enumerate(first):
            last = last.add_cte(part.cte(f"part_{number}"))
        return [Statement(last)]


def _shown_with(*more: Any) -> Any:
    return select(*_SHOWN, chains.c.expires, *more).join(chains, IN_CHAIN)


_mine = records.alias()
_head = and_(_mine.c.tenant == records.c.tenant, _mine.c.chain == records.c.chain)
_reach = records.c.depth.between(_mine.c.base, _mine.c.depth)

READ = Statement(
    _shown_with(settings.c.body.label("settings"))
    .join(settings, and_(settings.c.tenant == records.c.tenant, settings.c.hash == records.c.settings))
    .where(records.c.tenant == value("tenant"), records.c.key.in_(bindparam("v_keys", expanding=True)), _IS_THERE)
)
HEAD = Statement(
    _shown_with(chains.c.fork_chain, chains.c.fork_depth, _mine.c.base.label("start"))
    .join(_mine, and_(_head, _reach))
    .where(
        *(_mine.c.tenant == value("tenant"), _mine.c.key == value("key"), _mine.c.body.is_not(None)),
        *(_mine.c.size <= value("limit"), chains.c.expires > value("now")),
    )
    .order_by(records.c.depth)
)
"""The part of a history that is in the chain of its newest response."""
SEGMENT = Statement(
    _shown_with(chains.c.fork_chain, chains.c.fork_depth)
    .where(
        *(records.c.tenant == value("tenant"), records.c.chain == value("chain")),
        records.c.depth.between(value("base"), value("depth")),
    )
    .order_by(records.c.depth)
)
"""The part that is in a chain that it was forked from."""
SIZE = Statement(
    select(records.c.size)
    .join(chains, IN_CHAIN)
    .where(records.c.tenant == value("tenant"), records.c.key == value("key"), _IS_THERE)
)
EXISTS = Statement(select(records.c.depth).where(records.c.tenant == value("tenant"), records.c.key == value("key")))
RENEW_CHAIN = Statement(
    update(chains)
    .where(chains.c.tenant == value("tenant"), chains.c.chain == value("chain"))
    .values(expires=value("expires"))
)
TO_DELETE = Statement(
    select(records.c.settings)
    .join(chains, IN_CHAIN)
    .where(records.c.tenant == value("tenant"), records.c.key == value("key"), _IS_THERE)
    .with_for_update(of=records)
)
EMPTY = Statement(
    update(records)
    .where(records.c.tenant == value("tenant"), records.c.key == value("key"))
    .values(body=null(), settings=null())
)
UNSHARE = Statement(
    delete(settings).where(
        *(settings.c.tenant == value("tenant"), settings.c.hash == value("hash")),
        ~exists().where(records.c.tenant == settings.c.tenant, records.c.settings == settings.c.hash),
    )
)

_conversation = and_(conversations.c.tenant == value("tenant"), conversations.c.key == value("key"))
_items = and_(items.c.tenant == value("tenant"), items.c.conversation == value("key"))

CREATE = Statement(
    conversations.insert().values(
        **_values("tenant", "key", "created", "metadata", next="count"), holder=null(), fence=0
    )
)
CONVERSATION = Statement(
    select(*(conversations.c[name] for name in ("key", "created", "metadata"))).where(_conversation)
)
CONVERSATION_KEYS = Statement(
    select(conversations.c.key)
    .where(conversations.c.tenant == value("tenant"), conversations.c.key > value("after"))
    .order_by(conversations.c.key)
    .limit(value("limit"))
)
SET_METADATA = Statement(
    update(conversations).where(_conversation).values(metadata=value("metadata")).returning(conversations.c.next)
)
DELETE_CONVERSATION = Statement(delete(conversations).where(_conversation).returning(conversations.c.next))
DELETE_ITEMS = Statement(delete(items).where(_items))
RESERVE = Statement(
    update(conversations)
    .where(_conversation)
    .values(next=conversations.c.next + value("count"))
    .returning(conversations.c.next)
)
"""Makes room for items, and lets no other transaction add any before this one ends."""
RESERVE_LOCKED = Statement(
    update(conversations)
    .where(_conversation, conversations.c.fence == value("fence"), conversations.c.holder.is_not(None))
    .values(next=conversations.c.next + value("count"), holder=null())
    .returning(conversations.c.next)
)
THERE = Statement(select(items.c.id).where(_items, items.c.id.in_(bindparam("v_ids", expanding=True))))
ADD_ITEM = items.insert()
POSITION = Statement(select(items.c.position).where(_items, items.c.id == value("id")))
ITEM = Statement(select(items.c.body).where(_items, items.c.id == value("id")))
DELETE_ITEM = Statement(delete(items).where(_items, items.c.id == value("id")).returning(items.c.position))
PAGE_UP = Statement(
    select(items.c.id, items.c.body)
    .where(_items, items.c.position > value("position"))
    .order_by(items.c.position)
    .limit(value("limit"))
)
PAGE_DOWN = Statement(
    select(items.c.id, items.c.body)
    .where(_items, items.c.position < value("position"))
    .order_by(items.c.position.desc())
    .limit(value("limit"))
)
_before = and_(_items, items.c.position < value("until"))
_base = select(func.coalesce(func.max(items.c.position), 0)).where(_before, items.c.compacts).scalar_subquery()
CONTEXT_SIZE = Statement(select(func.sum(func.length(items.c.body))).where(_before, items.c.position >= _base))
CONTEXT = Statement(
    select(items.c.id, items.c.body).where(_before, items.c.position >= _base).order_by(items.c.position)
)
LOCK = Statement(
    update(conversations)
    .where(
        _conversation,
        or_(
            conversations.c.holder.is_(None),
            conversations.c.holder.not_in(select(processes.c.id).where(processes.c.expires > value("now"))),
        ),
    )
    .values(holder=value("process"), fence=conversations.c.fence + 1)
    .returning(conversations.c.fence)
)
UNLOCK = Statement(
    update(conversations).where(_conversation, conversations.c.fence == value("fence")).values(holder=null())
)

IS_COMPLETION = and_(completions.c.tenant == value("tenant"), completions.c.id == value("id"))
_kept = and_(IS_COMPLETION, completions.c.expires > value("now"))

COMPLETIONS = select(*(completions.c[name] for name in ("id", "created", "model", "labels", "body"))).where(
    completions.c.tenant == value("tenant"), completions.c.expires > value("now")
)
COMPLETION = Statement(COMPLETIONS.where(IS_COMPLETION))
LABEL = Statement(update(completions).where(_kept).values(labels=value("labels")).returning(completions.c.id))
DELETE_COMPLETION = Statement(delete(completions).where(_kept).returning(completions.c.id))
