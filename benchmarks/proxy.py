"""What does a whole proxy cost, end to end over loopback? Each server has one core to itself.

Paced streams, one event per read: CPU time per chunk, and how much later the first token comes. Finished answers: CPU
time per request, and how many there are in a second.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from benchmarks import equivalence, measure, results, settings
from benchmarks.directions import DIRECTIONS, TITLES, Api
from benchmarks.servers import contestants, process, traffic
from benchmarks.servers.client import Connection, read_answer
from benchmarks.servers.contestants import Contestant
from benchmarks.servers.upstream import FINISHED, Plan, Upstream

UNIT = "microseconds of the server's CPU time, milliseconds of latency"
STREAMS = 16
CONNECTIONS = 16
ROUNDS = 5  # a turn takes seconds


class Amount(NamedTuple):
    """What one turn of one contestant is."""

    plan: Plan
    firsts: int
    seconds: float  # of finished answers


class Found:
    """What one contestant has shown so far."""

    def __init__(self) -> None:
        self.chunk: list[float] = []  # microseconds of CPU time
        self.running: list[float] = []  # the same without beginnings and ends of streams
        self.request: list[float] = []
        self.rate: list[float] = []  # answers in a second
        self.first: list[float] = []  # seconds until the first token

    def row(self, direct: dict[str, float]) -> dict[str, Any]:
        """The medians, and the first token against nobody between."""
        first = traffic.percentiles(self.first)
        found: dict[str, Any] = {"requests/s": measure.summary(self.rate)["median"], "first token, ms": first}
        if direct:
            found["added to first token, ms"] = traffic.added(first, direct)
        if self.request:
            found |= measure.summary(self.chunk)
            found["CPU us per chunk, running"] = measure.summary(self.running)["median"]
            found["CPU us per request"] = measure.summary(self.request)["median"]
        return found


async def turn(upstream: Upstream, contestant: Contestant, amount: Amount, found: Found) -> None:
    """Streams at once; first tokens, one after the other; finished answers."""
    server, target = contestant.server, contestant.target
    streamed = await traffic.streaming(upstream, contestant, STREAMS, amount.plan)
    found.first += await traffic.first_tokens(upstream, target, amount.firsts)
    before = server.cpu() if server else 0.0
    count, took = await traffic.asking(upstream, target, CONNECTIONS, amount.seconds)
    found.rate.append(count / took)
    if server:
        found.chunk.append(streamed.cost * 1e6)
        found.running.append(streamed.steady.cost * 1e6)
        found.request.append((server.cpu() - before) / count * 1e6)


async def warm_up(upstream: Upstream, entrants: list[Contestant]) -> None:
    """Nobody's first request counts. All must tell the same answer; their streams are checked token by token."""
    texts: set[str] = set()
    for contestant in entrants:
        upstream.plan = FINISHED
        connection = await Connection.to(contestant.target.port)
        answers = [await read_answer(connection, contestant.target) for _ in range(3)]
        texts.update(equivalence.by_answer(answer, contestant.target.api).text for answer in answers)
        connection.close()
        await traffic.streaming(upstream, contestant, 2, Plan(5, 0.01))
        assert len(texts) == 1, f"{contestant.name} does not say the same"


async def compare(upstream: Upstream, entrants: list[Contestant], given: settings.Settings) -> measure.Rows:
    amount = Amount(Plan(10, 0.02), 5, 0.1) if given.short else Amount(Plan(100, 0.02), 20, 0.5)
    await warm_up(upstream, entrants)
    found = {contestant.name: Found() for contestant in entrants}
    by_name = {contestant.name: contestant for contestant in entrants}
    for name in measure.in_turns(list(found), given.rounds):
        await turn(upstream, by_name[name], amount, found[name])
    direct = traffic.percentiles(found[contestants.DIRECT].first)
    return {name: one.row({} if name == contestants.DIRECT else direct) for name, one in found.items()}


def with_ratios(rows: measure.Rows) -> measure.Rows:
    """The cost of a chunk against the pass-through proxy with our client, and against us."""
    paid = {name: row for name, row in rows.items() if "rounds" in row}
    measure.add_ratios(paid, contestants.OURS, contestants.FLOOR)
    return rows


def show(title: str, rows: measure.Rows) -> None:
    columns = ("us/chunk", "x floor", "running", "first p50", "p99", "us/request", "1/s")
    print(f"\n{title}\n{'':34}" + "".join(f"{column:>12}" for column in columns))
    for name, row in rows.items():
        first, running = row["first token, ms"], row.get("CPU us per chunk, running", 0.0)
        values = [row.get("median", 0.0), row.get("x floor", 0.0), running, first["p50"], first["p99"]]
        values += [row.get("CPU us per request", 0.0), row["requests/s"]]
        print(f"{name:34}" + "".join(f"{value:>12,.2f}" for value in values), flush=True)


async def everything(given: settings.Settings) -> dict[str, Any]:
    upstream = Upstream()
    found: dict[Api, Any] = {}
    with contestants.running(await upstream.listen(), given) as running:
        for api in DIRECTIONS:
            rows = with_ratios(await compare(upstream, running[api], given))
            show(f"{TITLES[api]}: {STREAMS} streams at once", rows)
            found[api] = {"rows": rows}
    return {"directions": found, "streams": STREAMS, "pinned": process.PINNED, "client": contestants.OUR_CLIENT}


def main() -> None:
    given = settings.from_command_line().few(ROUNDS)
    results.save("proxy", UNIT, given, traffic.run(lambda: everything(given)))


if __name__ == "__main__":
    main()
