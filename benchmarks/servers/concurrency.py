"""Many streams at once on one server: how late, at what cost, in how much memory; no token is lost or out of place."""

from __future__ import annotations

import asyncio
import time
from typing import Any, NamedTuple

from . import traffic
from .client import Reading, Target, read_stream
from .contestants import Contestant
from .process import Server, many_files
from .upstream import Plan, Upstream

_BEGINNINGS = 200  # streams that begin in a second
_PATIENCE = 5.0  # seconds without another stream that begins


def possible(wanted: int) -> int:
    """As many streams as this system has open files for: the server needs two for each, and so do we."""
    return min(wanted, (many_files(2 * wanted + 300) - 300) // 2)


async def paced(upstream: Upstream, contestant: Contestant, count: int, rate: int, seconds: float) -> dict[str, Any]:
    """*count* streams that make *rate* tokens a second together; so many seconds after the last has begun."""
    gap, spread = count / rate, count / _BEGINNINGS
    plan = Plan(round((spread + seconds) / gap) + 2, gap)
    streamed = await traffic.streaming(upstream, contestant, count, plan, spread)
    steady = streamed.steady
    assert steady.late, f"{contestant.name} was so slow that the first of {count} streams ended before the last began"
    found: dict[str, Any] = {"streams": count, "chunks": count * plan.tokens}
    found |= {"lost": 0, "disordered": 0}  # else it had failed
    found["late, ms"] = traffic.percentiles(steady.late)
    if contestant.server:
        found |= {"CPU us per chunk": round(steady.cost * 1e6, 2), "busy": round(steady.busy, 2)}
    return found


class Held(NamedTuple):
    """Streams that have begun and wait."""

    streams: int
    memory: int  # of the server, resident bytes
    afterwards: int  # the same when they are over


async def held(upstream: Upstream, server: Server, target: Target, count: int) -> Held:
    """Open *count* streams and keep them waiting. Not every server takes so many: then those that it takes."""
    upstream.plan = Plan(2, 3_600)
    connections = await traffic.connect(target.port, count)
    readings = [Reading(target.api, 2) for _ in connections]

    async def one(n: int) -> None:
        await asyncio.sleep(n / _BEGINNINGS)
        await read_stream(connections[n], target, readings[n])

    tasks = [asyncio.create_task(one(n)) for n in range(count)]
    try:
        begun = await _begun(readings)
        memory = server.memory()
    finally:
        for connection in connections:
            connection.close()
        upstream.connection_close()
        await asyncio.gather(*tasks, return_exceptions=True)
    await asyncio.sleep(1)
    return Held(begun, memory, server.memory())


async def _begun(readings: list[Reading]) -> int:
    """How many have begun, once all have or no more do."""
    count, since = 0, time.monotonic()
    while count < len(readings) and time.monotonic() - since < _PATIENCE:
        await asyncio.sleep(0.1)
        before, count = count, sum(bool(one.delays) for one in readings)
        since = time.monotonic() if count > before else since
    await asyncio.sleep(0.5)
    return count
