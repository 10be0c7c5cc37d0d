"""What the clients do: paced streams at once, and finished answers one after another on several connections."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Callable
from typing import Any, NamedTuple

from .client import Connection, Failed, Reading, Target, read_answer, read_stream
from .contestants import Contestant
from .process import Server
from .upstream import FINISHED, Plan, Upstream


class Streamed(NamedTuple):
    """What streams at once have shown."""

    readings: list[Reading]
    cost: float  # the server's CPU seconds for one token, with its share of the beginnings and ends
    steady: Steady


class Steady(NamedTuple):
    """The same while all streams ran: from the moment when the last has begun until the first ends."""

    late: list[float]  # of each token, seconds from the upstream's writing to our reading
    cost: float
    busy: float  # the share of its core that the server needed


async def streaming(upstream: Upstream, contestant: Contestant, count: int, plan: Plan, spread: float = 0) -> Streamed:
    """Read *count* streams at once; their beginnings are spread over so many seconds, or one gap of the plan."""
    upstream.plan = plan
    target = contestant.target
    connections = await connect(target.port, count)
    readings = [Reading(target.api, plan.tokens) for _ in connections]

    async def one(n: int) -> None:
        await asyncio.sleep((spread or plan.gap) * n / count)
        await read_stream(connections[n], target, readings[n])

    server = contestant.server
    before = server.cpu() if server else 0.0
    tasks = [asyncio.create_task(one(n)) for n in range(count)]
    try:
        steady = await _steady(contestant.server, readings, tasks, plan)
        await asyncio.gather(*tasks)
    except Failed as error:
        raise Failed(f"{contestant.name}: {error}") from None
    finally:
        for connection in connections:
            connection.close()
        await asyncio.gather(*tasks, return_exceptions=True)
    expect_whole(readings, contestant.name)
    spent = server.cpu() - before if server else 0.0
    return Streamed(readings, spent / (count * plan.tokens), steady)


async def _steady(
    server: Server | None, readings: list[Reading], tasks: list[asyncio.Task[None]], plan: Plan
) -> Steady:
    def now() -> tuple[float, float, list[int]]:
        return server.cpu() if server else 0.0, time.monotonic(), [len(one.delays) for one in readings]

    async def wait_until(reached: Callable[[], bool]) -> tuple[float, float, list[int]]:
        while not (reached() or any(task.done() for task in tasks)):  # noqa: ASYNC110
            await asyncio.sleep(plan.gap / 4)
        return now()

    cpu, clock, first = await wait_until(lambda: all(one.delays for one in readings))
    cpu_then, clock_then, last = await wait_until(lambda: max(len(one.delays) for one in readings) >= plan.tokens - 1)
    late = [delay for one, a, b in zip(readings, first, last, strict=True) for delay in one.delays[a:b]]
    spent = cpu_then - cpu
    return Steady(late, spent / max(1, len(late)), spent / max(1e-9, clock_then - clock))


async def first_tokens(upstream: Upstream, target: Target, count: int) -> list[float]:
    """Seconds until the first token of *count* short streams, one after the other."""
    upstream.plan = Plan(1, 0)
    connection = await Connection.to(target.port)
    found: list[float] = []
    for _ in range(count):
        reading = Reading(target.api, 1)
        await read_stream(connection, target, reading)
        found.append(reading.first)
    connection.close()
    return found


def expect_whole(readings: list[Reading], name: str) -> None:
    """No token may be missing or out of place, and every stream must end well."""
    lost, disordered = sum(one.lost for one in readings), sum(one.disordered for one in readings)
    cut = sum(not one.ended for one in readings)
    if lost or disordered or cut:
        missed = f"{lost} tokens are lost, {disordered} out of order, {cut} streams cut"
        raise Failed(f"{name}: of {len(readings)} streams, {missed}")


async def asking(upstream: Upstream, target: Target, connections: int, seconds: float) -> tuple[int, float]:
    """Ask for finished answers on all connections for so long; return how many came in how many seconds."""
    upstream.plan = FINISHED
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
