"""The SQL of what a store does beside its work: expiry, purges, counts, leases."""

from __future__ import annotations

from typing import Any

from sqlalchemy import and_, delete, exists, func, or_, select, tuple_, update

from .statements import IN_CHAIN, IS_COMPLETION, Statement, value
from .tables import chains, completions, conversations, items, meta, processes, records


def _of_tenant(table: Any) -> Any:
    """Of one tenant, or of any."""
    return or_(value("any"), table.c.tenant == value("tenant"))


_old = select(completions.c.tenant, completions.c.id).limit(value("limit"))
EXPIRED_COMPLETIONS = Statement(_old.where(completions.c.expires <= value("now")))
PURGED_COMPLETIONS = Statement(_old.where(_of_tenant(completions), completions.c.created < value("before")))
DROP_COMPLETION = Statement(delete(completions).where(IS_COMPLETION).returning(completions.c.id))

_forked = chains.alias()
_is_forked = exists().where(_forked.c.tenant == chains.c.tenant, _forked.c.fork_chain == chains.c.chain)
_some = select(chains.c.tenant, chains.c.chain).where(~_is_forked).limit(value("limit"))
_some = _some.with_for_update(of=chains, skip_locked=True)
EXPIRED = Statement(_some.where(chains.c.expires <= value("now")))
_newer = exists().where(IN_CHAIN, records.c.created >= value("before"))
_lasting = select(chains.c.tenant, chains.c.chain).where(_of_tenant(chains), chains.c.expires > 0).limit(value("limit"))
END = Statement(
    update(chains)
    .where(tuple_(chains.c.tenant, chains.c.chain).in_(_lasting.with_for_update(of=chains, skip_locked=True)))
    .values(expires=0)
)
PURGED = Statement(_some.where(_of_tenant(chains), ~_newer))
PURGED_CONVERSATIONS = Statement(
    select(conversations.c.tenant, conversations.c.key)
    .where(_of_tenant(conversations), conversations.c.created < value("before"))
    .limit(value("limit"))
)
_until = chains.c.expires <= value("until")
COUNT_PURGED = Statement(select(func.count()).select_from(chains).where(_of_tenant(chains), _until, ~_newer))
COUNT_PURGED_CONVERSATIONS = Statement(
    select(func.count())
    .select_from(conversations)
    .where(_of_tenant(conversations), conversations.c.created < value("before"))
)
COUNT_PURGED_COMPLETIONS = Statement(
    select(func.count())
    .select_from(completions)
    .where(_of_tenant(completions), completions.c.expires <= value("until"))
    .where(completions.c.created < value("before"))
)
COUNT_PROCESSES = Statement(select(func.count()).select_from(processes).where(processes.c.expires > value("now")))
COUNT_RUNS = Statement(
    select(func.count())
    .select_from(conversations.join(processes, conversations.c.holder == processes.c.id))
    .where(processes.c.expires > value("now"))
)
SHARED = Statement(
    select(records.c.settings)
    .distinct()
    .where(records.c.tenant == value("tenant"), records.c.chain == value("chain"), records.c.settings.is_not(None))
)
DELETE_RECORDS = Statement(
    delete(records).where(records.c.tenant == value("tenant"), records.c.chain == value("chain"))
)
DELETE_CHAIN = Statement(delete(chains).where(chains.c.tenant == value("tenant"), chains.c.chain == value("chain")))
END_LEASES = Statement(delete(processes).where(processes.c.expires <= value("now")))
SECRET = Statement(select(meta.c.value).where(meta.c.name == value("name")))
COUNT_RECORDS = Statement(
    select(
        records.c.tenant,
        func.count(records.c.body),
        func.coalesce(func.sum(func.length(records.c.body)), 0),
        func.min(records.c.created).filter(records.c.body.is_not(None)),
    ).group_by(records.c.tenant)
)
COUNT_CONVERSATIONS = Statement(select(conversations.c.tenant, func.count()).group_by(conversations.c.tenant))
COUNT_ITEMS = Statement(
    select(items.c.tenant, func.count(), func.sum(func.length(items.c.body))).group_by(items.c.tenant)
)
COUNT_COMPLETIONS = Statement(
    select(completions.c.tenant, func.count(), func.sum(func.length(completions.c.body))).group_by(completions.c.tenant)
)
_later = or_(
    records.c.tenant > value("last_tenant"),
    and_(records.c.tenant == value("last_tenant"), records.c.key > value("last_key")),
)
KEYS = Statement(
    select(records.c.tenant, records.c.key)
    .where(_of_tenant(records), _later, records.c.body.is_not(None))
    .order_by(records.c.tenant, records.c.key)
    .limit(value("limit"))
)
