"""Many streams at once on one server: how late, at what cost, in how much memory; no token is lost or out of place."""

from __future__ import annotations

import asyncio
from typing import Any

from . import traffic
from .client import Reading, Target
from .contestants import Contestant
from .process import Server, many_files
from .upstream import Plan, Upstream

_PATIENCE = 60.0


def possible(wanted: int) -> int:
    """As many streams as this system has open files for: the server needs two for each, and so do we."""
    return min(wanted, (many_files(2 * wanted + 300) - 300) // 2)


async def paced(upstream: Upstream, contestant: Contestant, count: int, rate: int, seconds: float) -> dict[str, Any]:
    """*count* streams that make *rate* tokens a second together, for so many seconds."""
    gap = count / rate
    plan = Plan(max(2, round(seconds / gap)), gap)
    server = contestant.server
    before, began = server.cpu() if server else 0.0, asyncio.get_running_loop().time()
    readings = await traffic.streaming(upstream, contestant.target, count, plan)
    took = asyncio.get_running_loop().time() - began
    tokens = count * plan.tokens
    delays = [delay for one in readings for delay in one.delays]
    found: dict[str, Any] = {"streams": count, "chunks": tokens, "lost": 0, "disordered": 0}  # else it had failed
    found["late, ms"] = traffic.percentiles(delays)
    if server:
        cpu = server.cpu() - before
        found |= {"CPU us per chunk": round(cpu / tokens * 1e6, 2), "busy": round(cpu / took, 2)}
    return found


async def held(upstream: Upstream, server: Server, target: Target, count: int) -> tuple[int, int]:
    """Resident bytes of the server when *count* streams have begun and wait, and after they are over."""
    upstream.plan = Plan(2, 3_600)
    connections = await traffic.connect(target.port, count)
    readings = [Reading(target.api, 2) for _ in connections]
    raw = target.request(stream=True)
    tasks = [asyncio.create_task(c.ask(raw, r.take)) for c, r in zip(connections, readings, strict=True)]
    await _begun(readings)
    open_now = server.memory()
    for connection in connections:
        connection.close()
    upstream.hang_up()
    await asyncio.gather(*tasks, return_exceptions=True)
    await asyncio.sleep(1)
    return open_now, server.memory()


async def _begun(readings: list[Reading]) -> None:
    async with asyncio.timeout(_PATIENCE):
        while not all(one.delays for one in readings):  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    await asyncio.sleep(0.5)
