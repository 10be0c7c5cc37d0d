"""What does a whole proxy cost, end to end over loopback? Each server has one core to itself.

Paced streams, one event per read: CPU time per chunk, and how much later the first token comes. Finished answers: CPU
time per request, and how many there are in a second.
"""

from __future__ import annotations

from typing import Any

from benchmarks import measure, results, settings
from benchmarks.directions import DIRECTIONS, TITLES, Api
from benchmarks.servers import contestants, process, traffic
from benchmarks.servers.client import Connection, Reading, read_answer
from benchmarks.servers.contestants import Contestant
from benchmarks.servers.upstream import Plan, Upstream

UNIT = "microseconds of the server's CPU time, milliseconds of latency"
STREAMS = 16
CONNECTIONS = 16
PEERS_TAKE = 3  # rounds: they are slow, and steady enough


class Found:
    """What one contestant has shown so far."""

    def __init__(self) -> None:
        self.chunk: list[float] = []  # microseconds of CPU time
        self.request: list[float] = []
        self.rate: list[float] = []  # answers in a second
        self.readings: list[Reading] = []

    def row(self, direct: dict[str, float]) -> dict[str, Any]:
        """The medians, and the first token against nobody between."""
        first = traffic.percentiles([one.first for one in self.readings])
        found: dict[str, Any] = {"requests/s": measure.summary(self.rate)["median"], "first token, ms": first}
        if direct:
            found["added to first token, ms"] = traffic.added(first, direct)
        if self.chunk:
            found |= measure.summary(self.chunk)
            found["CPU us per request"] = measure.summary(self.request)["median"]
        return found


async def turn(upstream: Upstream, contestant: Contestant, plan: Plan, seconds: float, found: Found) -> None:
    """Streams, then finished answers."""
    server, target = contestant.server, contestant.target
    before = server.cpu() if server else 0.0
    found.readings += await traffic.streaming(upstream, target, STREAMS, plan)
    between = server.cpu() if server else 0.0
    count, took = await traffic.asking(upstream, target, CONNECTIONS, seconds)
    found.rate.append(count / took)
    if server:
        found.chunk.append((between - before) / (STREAMS * plan.tokens) * 1e6)
        found.request.append((server.cpu() - between) / count * 1e6)


async def warm_up(upstream: Upstream, everybody: list[Contestant]) -> None:
    """Nobody's first request counts; and a contestant that cannot answer stops everything."""
    for contestant in everybody:
        connection = await Connection.to(contestant.target.port)
        for _ in range(3):
            assert await read_answer(connection, contestant.target), contestant.name
        connection.close()
        await traffic.streaming(upstream, contestant.target, 2, Plan(3, 0.01))


async def compare(upstream: Upstream, everybody: list[Contestant], given: settings.Settings) -> measure.Rows:
    plan, seconds = (Plan(10, 0.02), 0.1) if given.short else (Plan(150, 0.04), 1.5)
    await warm_up(upstream, everybody)
    found = {contestant.name: Found() for contestant in everybody}
    by_name = {contestant.name: contestant for contestant in everybody}
    for name in measure.in_turns(list(found), min(given.rounds, PEERS_TAKE)):
        await turn(upstream, by_name[name], plan, seconds, found[name])
    direct = traffic.percentiles([one.first for one in found[contestants.DIRECT].readings])
    return {name: one.row({} if name == contestants.DIRECT else direct) for name, one in found.items()}


def with_ratios(rows: measure.Rows) -> measure.Rows:
    """The cost of a chunk against the pass-through proxy with our client, and against us."""
    paid = {name: row for name, row in rows.items() if "rounds" in row}
    measure.add_ratios(paid, contestants.OURS, contestants.FLOOR)
    return rows


def show(title: str, rows: measure.Rows) -> None:
    print(f"\n{title}\n{'':40}{'us/chunk':>10}{'x floor':>9}{'first p50':>11}{'p99':>9}{'us/request':>12}{'1/s':>9}")
    for name, row in rows.items():
        first = row["first token, ms"]
        ratio = f"{row['x floor']:>9.2f}" if "x floor" in row else f"{'':9}"
        cost, asked = row.get("median", 0.0), row.get("CPU us per request", 0.0)
        print(
            f"{name:40}{cost:>10.1f}{ratio}{first['p50']:>11.2f}{first['p99']:>9.2f}"
            f"{asked:>12.0f}{row['requests/s']:>9.0f}",
            flush=True,
        )


async def everything(given: settings.Settings) -> dict[str, Any]:
    upstream = Upstream()
    found: dict[Api, Any] = {}
    with contestants.running(await upstream.listen(), given) as everybody:
        for api in DIRECTIONS:
            rows = with_ratios(await compare(upstream, everybody[api], given))
            show(f"{TITLES[api]}: {STREAMS} streams at once", rows)
            found[api] = {"rows": rows}
    return {"directions": found, "streams": STREAMS, "pinned": process.PINNED, "client": contestants.OUR_CLIENT}


def main() -> None:
    given = settings.from_command_line()
    results.save("proxy", UNIT, given, traffic.run(lambda: everything(given)))


if __name__ == "__main__":
    main()
