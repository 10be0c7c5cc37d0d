"""What a SQL store does beside its work: leases, expiry, purges, counts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection

from . import housekeeping_statements as statements
from . import sql_conversations
from .statements import UNSHARE, Writes
from .values import DAY, Activity, Counts, counts_of

_EVER = 2**62
_ENDED_AT_ONCE = 10_000


def renew(connection: Connection, writes: Writes, process: str, expires: float) -> None:
    writes.renew(connection, {"process": process, "expires": int(expires)})


def sweep(connection: Connection, now: float, limit: int) -> int:
    """A day later than they expire, so that what a run continues does not vanish under it."""
    statements.END_LEASES(connection, {"now": int(now)})
    chains = statements.EXPIRED(connection, {"now": int(now) - DAY, "limit": limit}).all()
    expired = statements.EXPIRED_COMPLETIONS(connection, {"now": int(now), "limit": limit - len(chains)}).all()
    return _drop(connection, chains) + _drop_completions(connection, expired)


def end(connection: Connection, tenant: str | None) -> None:
    """Let chains expire at once: what can still be continued grows forks faster than they can be deleted.

    In a transaction of its own: a response that is being put has locked its chain, and may wait to renew it.
    """
    statements.END(connection, {"any": tenant is None, "tenant": tenant or "", "limit": _ENDED_AT_ONCE})


def purge(connection: Connection, tenant: str | None, before: int | None, limit: int) -> int:
    values: dict[str, Any] = {"any": tenant is None, "tenant": tenant or "", "limit": limit}
    values["before"] = _EVER if before is None else before
    dropped = _drop(connection, statements.PURGED(connection, values).all())
    found = statements.PURGED_CONVERSATIONS(connection, values | {"limit": limit - dropped}).all()
    dropped += sum(sql_conversations.delete(connection, row.tenant, row.key) for row in found)
    found = statements.PURGED_COMPLETIONS(connection, values | {"limit": limit - dropped}).all()
    return dropped + _drop_completions(connection, found)


def purgeable(connection: Connection, tenant: str | None, before: int | None, expired: bool, now: float) -> int:
    values: dict[str, Any] = {"any": tenant is None, "tenant": tenant or "", "until": _EVER}
    values["before"] = _EVER if before is None else before
    if not expired:
        counted = (statements.COUNT_PURGED, statements.COUNT_PURGED_CONVERSATIONS, statements.COUNT_PURGED_COMPLETIONS)
        return sum(count(connection, values).scalar_one() for count in counted)
    chains = statements.COUNT_PURGED(connection, values | {"until": int(now) - DAY}).scalar_one()
    return chains + statements.COUNT_PURGED_COMPLETIONS(connection, values | {"until": int(now)}).scalar_one()


def activity(connection: Connection, now: float) -> Activity:
    values = {"now": int(now)}
    processes = statements.COUNT_PROCESSES(connection, values).scalar_one()
    return Activity(processes, statements.COUNT_RUNS(connection, values).scalar_one())


def _drop_completions(connection: Connection, found: Sequence[Any]) -> int:
    for row in found:
        statements.DROP_COMPLETION(connection, {"tenant": row.tenant, "id": row.id})
    return len(found)


def _drop(connection: Connection, chains: Sequence[Any]) -> int:
    for tenant, chain in chains:
        values: dict[str, Any] = {"tenant": tenant, "chain": chain}
        shared = statements.SHARED(connection, values).scalars().all()
        statements.DELETE_RECORDS(connection, values)
        statements.DELETE_CHAIN(connection, values)
        for settings in shared:
            UNSHARE(connection, values | {"hash": settings})
    return len(chains)


def secret(connection: Connection, writes: Writes, name: str, proposed: bytes) -> bytes:
    values = {"name": f"secret.{name}", "proposed": proposed}
    writes.secret(connection, values)
    return statements.SECRET(connection, values).scalar_one()


def counts(connection: Connection) -> list[Counts]:
    found: dict[str, Counts] = {}
    for tenant, count, size, oldest in statements.COUNT_RECORDS(connection, {}):
        found[tenant] = counts_of(tenant)._replace(records=count, record_bytes=int(size), oldest=oldest or 0)
    for tenant, count in statements.COUNT_CONVERSATIONS(connection, {}):
        found[tenant] = found.get(tenant, counts_of(tenant))._replace(conversations=count)
    for tenant, count, size in statements.COUNT_ITEMS(connection, {}):
        found[tenant] = found.get(tenant, counts_of(tenant))._replace(items=count, item_bytes=int(size))
    for tenant, count, size in statements.COUNT_COMPLETIONS(connection, {}):
        found[tenant] = found.get(tenant, counts_of(tenant))._replace(completions=count, completion_bytes=int(size))
    return sorted(found.values())


def keys(connection: Connection, tenant: str | None, last: tuple[str, str], limit: int) -> list[tuple[str, str]]:
    """Return the next tenants and keys behind the *last*."""
    values = {"any": tenant is None, "tenant": tenant or "", "limit": limit}
    rows = statements.KEYS(connection, values | {"last_tenant": last[0], "last_key": last[1]})
    return [(row.tenant, row.key) for row in rows]
