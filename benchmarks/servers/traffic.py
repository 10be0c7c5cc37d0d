"""What the clients do: paced streams at once, and finished answers one after another on several connections."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Callable
from typing import Any

from .client import Connection, Failed, Reading, Target, read_answer, read_stream
from .upstream import Plan, Upstream


async def streaming(upstream: Upstream, target: Target, count: int, plan: Plan) -> list[Reading]:
    """Read *count* streams at once; their beginnings are spread over one gap of the plan."""
    upstream.plan = plan
    connections = await connect(target.port, count)

    async def one(n: int) -> Reading:
        await asyncio.sleep(plan.gap * n / count)
        return await read_stream(connections[n], target, plan.tokens)

    try:
        readings = await asyncio.gather(*map(one, range(count)))
    finally:
        for connection in connections:
            connection.close()
    expect_whole(readings)
    return list(readings)


def expect_whole(readings: list[Reading]) -> None:
    """No token may be missing or out of place, and every stream must end well."""
    lost, disordered = sum(one.lost for one in readings), sum(one.disordered for one in readings)
    cut = sum(not one.ended for one in readings)
    if lost or disordered or cut:
        raise Failed(f"of {len(readings)} streams, {lost} tokens are lost, {disordered} in disorder, {cut} cut")


async def asking(upstream: Upstream, target: Target, connections: int, seconds: float) -> tuple[int, float]:
    """Ask for finished answers on all connections for so long; return how many came in how many seconds."""
    upstream.plan = Plan(1, 0)  # for those that ask for a stream themselves
    opened = await connect(target.port, connections)
    begin = time.monotonic()

    async def keep_asking(connection: Connection) -> int:
        count = 0
        while time.monotonic() - begin < seconds:
            await read_answer(connection, target)
            count += 1
        return count

    counts = await asyncio.gather(*map(keep_asking, opened))
    took = time.monotonic() - begin
    for connection in opened:
        connection.close()
    return sum(counts), took


async def connect(port: int, count: int) -> list[Connection]:
    """Open so many connections, not too many at once."""
    return [await Connection.to(port) for _ in range(count)]


def percentiles(seconds: list[float]) -> dict[str, float]:
    """In milliseconds."""
    ordered = sorted(seconds)

    def at(share: float) -> float:
        return round(ordered[min(len(ordered) - 1, int(share * len(ordered)))] * 1e3, 3)

    return {"p50": round(statistics.median(ordered) * 1e3, 3), "p99": at(0.99), "worst": at(1)}


def added(late: dict[str, float], direct: dict[str, float]) -> dict[str, float]:
    """How much later than without anybody between."""
    return {key: round(late[key] - direct[key], 3) for key in ("p50", "p99")}


def run(main: Callable[[], Any]) -> Any:
    """Run on uvloop where it is there: the clients must not be the slowest."""
    try:
        import uvloop
    except ImportError:
        return asyncio.run(main())
    return uvloop.run(main())
