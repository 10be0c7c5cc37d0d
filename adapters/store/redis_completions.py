"""Chat completions in Redis."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from . import redis_scripts
from .errors import DamagedEntry, NoSuchItem
from .redis_connections import RedisConnections, guarded, name_of
from .shelf import fits
from .values import Completion, Filter

EVER = 2**52
_PORTION = 100
_abouts = msgspec.json.Decoder(tuple[int, str, dict[str, str]])


async def put(connections: RedisConnections, tenant: str, completion: Completion, expires: float) -> None:
    about = msgspec.json.encode([completion.created, completion.model, completion.metadata])
    place = _place(completion)
    await connections.call(
        redis_scripts.PUT_COMPLETION, tenant, completion.id, place, about, completion.body, int(expires)
    )


async def find(connections: RedisConnections, tenant: str, completion_id: str, now: float) -> Completion | None:
    return next(iter(await _read(connections, tenant, [completion_id], now)), None)


async def page(connections: RedisConnections, tenant: str, asked: Filter, now: float) -> list[Completion]:
    """They are listed in portions, and looked through here."""
    start = ""
    if asked.after is not None:
        last = await find(connections, tenant, asked.after, now)
        if last is None:
            raise NoSuchItem(asked.after)
        start = f"({_place(last)}"
    found: list[Completion] = []
    while len(found) < asked.limit and (places := await _places(connections, tenant, start, asked.descending)):
        some = await _read(connections, tenant, [place.partition(" ")[2] for place in places], now)
        found += [completion for completion in some if fits(completion, asked)]
        start = f"({places[-1]}"
    return found[: asked.limit]


async def _places(connections: RedisConnections, tenant: str, start: str, descending: bool) -> list[str]:
    """Return the next places, from one on."""
    listing, portion = f"diglot:o:{tenant}", {"start": 0, "num": _PORTION}
    with guarded():
        if descending:
            members = await connections.client.zrevrangebylex(listing, start or "+", "-", **portion)
        else:
            members = await connections.client.zrangebylex(listing, start or "-", "+", **portion)
    return [member.decode() for member in members]


async def _read(connections: RedisConnections, tenant: str, idents: Sequence[str], now: float) -> list[Completion]:
    found: list[Completion] = []
    with guarded():
        async with connections.client.pipeline(transaction=False) as pipe:
            for ident in idents:
                pipe.hmget(name_of("m", tenant, ident), ["about", "body", "expires"])
            rows = await pipe.execute()
    for ident, (about, body, expires) in zip(idents, rows, strict=True):
        if body is None:
            continue
        try:
            is_kept = int(expires) > now
            created, model, metadata = _abouts.decode(about)
        except (TypeError, ValueError, msgspec.MsgspecError):
            raise DamagedEntry(ident) from None
        if is_kept:
            found.append(Completion(ident, created, model, metadata, body))
    return found


async def label(
    connections: RedisConnections, tenant: str, completion_id: str, metadata: dict[str, str], now: float
) -> bool:
    found = await find(connections, tenant, completion_id, now)
    if found is None:
        return False
    about = msgspec.json.encode([found.created, found.model, metadata])
    return bool(await connections.call(redis_scripts.LABEL_COMPLETION, tenant, completion_id, about))


async def drop(
    connections: RedisConnections,
    tenant: str,
    completion_id: str,
    *,
    after: float = -1,
    until: float = EVER,
    before: float = EVER,
) -> bool:
    """Take a completion away if it expires in this time and was created *before* one; return whether that was so."""
    times = (int(after), int(until), int(before))
    return bool(await connections.call(redis_scripts.DROP_COMPLETION, tenant, completion_id, *times))


def _place(completion: Completion) -> str:
    """What completions are ordered by."""
    return f"{completion.created:020} {completion.id}"
