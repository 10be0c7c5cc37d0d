"""What a store in Redis lists and counts, for those who keep house."""

from __future__ import annotations

from collections.abc import AsyncIterator

from .redis_completions import EVER
from .redis_connections import RedisConnections, guarded, name_of
from .values import DAY, Activity, Counts, Stored, counts_of

_LEASE = "diglot:l:"


async def listed(
    connections: RedisConnections, what: str, until: int, of: str | None = None
) -> AsyncIterator[tuple[str, str]]:
    """The tenants and keys of all chains, conversations or completions up to a time, of one tenant or of all."""
    with guarded():
        members: list[bytes] = await connections.client.zrangebyscore(f"diglot:{what}", 0, until)
    for member in members:
        tenant, _, key = member.decode().partition(" ")
        if of in (None, tenant):
            yield tenant, key


async def count_expired(connections: RedisConnections, now: int) -> int:
    """Chains and completions that a sweep takes."""
    with guarded():
        chains = await connections.client.zcount("diglot:chains", 0, now - DAY)
        return chains + await connections.client.zcount("diglot:completions", 0, now)


async def count_older(connections: RedisConnections, tenant: str | None, before: int) -> int:
    """Chains, conversations and completions that a purge takes."""
    count = 0
    async for owner, chain in listed(connections, "chains", EVER, tenant):
        count += before == EVER or await _newest(connections, owner, chain) < before
    async for _ in listed(connections, "conversations", before - 1, tenant):
        count += 1
    async for owner, ident in listed(connections, "completions", EVER, tenant):
        with guarded():
            place: bytes | None = await connections.client.hget(name_of("m", owner, ident), "place")
        count += int((place or b"0")[:20]) < before
    return count


async def _newest(connections: RedisConnections, tenant: str, chain: str) -> int:
    """When the last turn of a chain was created."""
    with guarded():
        fields: dict[bytes, bytes] = await connections.client.hgetall(name_of("c", tenant, chain))
        keys = [key.decode() for field, key in fields.items() if field[:1] == b"d"]
        times = [await connections.client.hget(name_of("r", tenant, key), "created") for key in keys]
    return max((int(created or 0) for created in times), default=0)


async def counts(connections: RedisConnections, records: AsyncIterator[tuple[str, Stored]]) -> list[Counts]:
    """What there is of each tenant; *records* are all responses, each with its tenant."""
    found: dict[str, Counts] = {}
    async for tenant, stored in records:
        so_far = found.get(tenant, counts_of(tenant))
        found[tenant] = so_far._replace(
            records=so_far.records + 1,
            record_bytes=so_far.record_bytes + len(stored.body or b""),
            oldest=min(so_far.oldest or stored.created, stored.created),
        )
    async for tenant, key in listed(connections, "conversations", EVER):
        so_far = found.get(tenant, counts_of(tenant))
        with guarded():
            bodies: list[bytes] = await connections.client.hvals(name_of("i", tenant, key))
        found[tenant] = so_far._replace(
            conversations=so_far.conversations + 1,
            items=so_far.items + len(bodies),
            item_bytes=so_far.item_bytes + sum(map(len, bodies)),
        )
    async for tenant, ident in listed(connections, "completions", EVER):
        so_far = found.get(tenant, counts_of(tenant))
        with guarded():
            size: int = await connections.client.hstrlen(name_of("m", tenant, ident), "body")
        found[tenant] = so_far._replace(
            completions=so_far.completions + 1, completion_bytes=so_far.completion_bytes + size
        )
    return sorted(found.values())


async def activity(connections: RedisConnections, now: int) -> Activity:
    """Living processes, and their locks. It looks at all keys of the database."""
    alive: set[str] = set()
    runs = 0
    with guarded():
        async for key in connections.client.scan_iter(match=f"{_LEASE}*", count=1_000):
            if int(await connections.client.get(key) or 0) > now:
                alive.add(key.decode().removeprefix(_LEASE))
        async for tenant, key in listed(connections, "conversations", EVER):
            holder: bytes | None = await connections.client.hget(name_of("v", tenant, key), "holder")
            runs += holder is not None and holder.decode() in alive
    return Activity(len(alive), runs)
