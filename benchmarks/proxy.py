"""What does a whole proxy cost, end to end over loopback? Each server has one core to itself.

Paced streams, one event per read: CPU time per chunk. Streams of one token, one after the other: CPU time of each, and
how much later the token comes. Finished answers: CPU time of each, and how many there are in a second. The last two are
also asked for with a Codex request. Everybody logs at the level that he has by default; the floors log nothing.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from benchmarks import equivalence, measure, results, settings
from benchmarks.directions import DIRECTIONS, TITLES, Api
from benchmarks.servers import contestants, process, traffic
from benchmarks.servers.client import Connection, Failed, read_answer
from benchmarks.servers.contestants import Contestant
from benchmarks.servers.upstream import FINISHED, Plan, Upstream

UNIT = "microseconds of the server's CPU time, milliseconds of latency"
STREAMS = 16
CONNECTIONS = 16
ROUNDS = 5  # a turn takes seconds
CODEX = "Codex"
_TO_CODEX = (contestants.DIRECT, *contestants.FLOORS, contestants.OURS, contestants.SDK, contestants.LITELLM)
"""Who is asked with a Codex request; codex-relay too."""
STREAM, ANSWER = "stream of one token", "finished answer"


class Amount(NamedTuple):
    """What one turn of one contestant is."""

    plan: Plan | None  # of paced streams
    firsts: int
    seconds: float  # of finished answers


class Found:
    """What one contestant has shown so far."""

    def __init__(self) -> None:
        self.chunk: list[float] = []  # microseconds of CPU time
        self.running: list[float] = []  # the same without beginnings and ends of streams
        self.short: list[float] = []  # the same of a whole stream of one token
        self.request: list[float] = []  # and of a finished answer
        self.rate: list[float] = []  # answers in a second
        self.first: list[float] = []  # seconds until the first token

    def row(self, direct: dict[str, float]) -> dict[str, Any]:
        """The medians, and the first token against nobody between."""
        first = traffic.percentiles(self.first)
        found: dict[str, Any] = {"requests/s": measure.summary(self.rate)["median"], "first token, ms": first}
        if direct:
            found["added to first token, ms"] = traffic.added(first, direct)
        if self.chunk:
            found |= measure.summary(self.chunk)
            found["CPU us per chunk, running"] = measure.summary(self.running)["median"]
        if self.request:
            found[STREAM], found[ANSWER] = measure.summary(self.short), measure.summary(self.request)
        return found


async def turn(upstream: Upstream, contestant: Contestant, amount: Amount, found: Found) -> None:
    """Streams at once; first tokens, one after the other; finished answers."""
    server, target = contestant.server, contestant.target
    if amount.plan:
        streamed = await traffic.streaming(upstream, contestant, STREAMS, amount.plan)
        if server:
            found.chunk.append(streamed.cost * 1e6)
            found.running.append(streamed.steady.cost * 1e6)
    begin = server.cpu() if server else 0.0
    found.first += await traffic.first_tokens(upstream, target, amount.firsts)
    between = server.cpu() if server else 0.0
    count, took = await traffic.asking(upstream, target, CONNECTIONS, amount.seconds)
    found.rate.append(count / took)
    if server:
        found.short.append((between - begin) / amount.firsts * 1e6)
        found.request.append((server.cpu() - between) / count * 1e6)


async def warm_up(upstream: Upstream, entrants: list[Contestant]) -> None:
    """Nobody's first request counts. All must tell the same answer; their streams are checked token by token."""
    texts: set[str] = set()
    for contestant in entrants:
        upstream.plan = FINISHED
        answers = await finished(contestant, 3)
        texts.update(equivalence.by_answer(answer, contestant.target.api).text for answer in answers)
        await traffic.streaming(upstream, contestant, 2, Plan(5, 0.01))
        assert len(texts) == 1, f"{contestant.name} does not say the same"


async def finished(contestant: Contestant, count: int) -> list[bytes]:
    """Some finished answers, one after the other."""
    connection = await Connection.to(contestant.target.port)
    try:
        return [await read_answer(connection, contestant.target) for _ in range(count)]
    except Failed as error:
        raise Failed(f"{contestant.name}: {error}") from None
    finally:
        connection.close()


async def compare(
    upstream: Upstream, entrants: list[Contestant], amount: Amount, given: settings.Settings
) -> measure.Rows:
    await warm_up(upstream, entrants)
    found = {contestant.name: Found() for contestant in entrants}
    by_name = {contestant.name: contestant for contestant in entrants}
    for name in measure.in_turns(list(found), given.rounds):
        await turn(upstream, by_name[name], amount, found[name])
    direct = traffic.percentiles(found[contestants.DIRECT].first)
    return {name: one.row({} if name == contestants.DIRECT else direct) for name, one in found.items()}


def with_ratios(rows: measure.Rows) -> measure.Rows:
    """Every cost, and the first token, against the pass-through with our client; the costs against us too."""
    chunks = {name: row for name, row in rows.items() if "rounds" in row}
    if chunks:
        measure.add_ratios(chunks, contestants.OURS, contestants.FLOOR)
    for kind in (STREAM, ANSWER):
        paid = {name: row[kind] for name, row in rows.items() if kind in row}
        measure.add_ratios(paid, contestants.OURS, contestants.FLOOR)
    floor = rows[contestants.FLOOR]["first token, ms"]["p50"]
    for row in rows.values():
        row["first token, x floor"] = round(row["first token, ms"]["p50"] / floor, 3)
    return rows


def show(title: str, rows: measure.Rows) -> None:
    columns = ("us/chunk", "x floor", "running", "first p50", "p99", "us/stream", "us/answer", "x floor", "1/s")
    print(f"\n{title}\n{'':34}" + "".join(f"{column:>12}" for column in columns))
    for name, row in rows.items():
        first, answer = row["first token, ms"], row.get(ANSWER, {})
        values = [
            row.get("median"),
            row.get("x floor"),
            row.get("CPU us per chunk, running"),
            first["p50"],
            first["p99"],
        ]
        values += [row.get(STREAM, {}).get("median"), answer.get("median"), answer.get("x floor"), row["requests/s"]]
        print(f"{name:34}" + "".join(f"{'' if value is None else f'{value:,.2f}':>12}" for value in values), flush=True)


async def everything(given: settings.Settings) -> dict[str, Any]:
    upstream = Upstream()
    small: dict[Api, Any] = {}
    large: dict[Api, Any] = {}
    amount = Amount(Plan(10, 0.02), 5, 0.1) if given.short else Amount(Plan(100, 0.02), 20, 0.5)
    with contestants.running(await upstream.listen(), given) as running:
        for api in DIRECTIONS:
            upstream.answers("small")
            rows = with_ratios(await compare(upstream, running[api], amount, given))
            show(f"{TITLES[api]}: {STREAMS} streams at once", rows)
            small[api] = {"rows": rows}
            upstream.answers(CODEX)
            asking = [to_codex(one) for one in running[api] if one.name.startswith((*_TO_CODEX, contestants.RELAY))]
            rows = with_ratios(await compare(upstream, asking, amount._replace(plan=None), given))
            show(f"{TITLES[api]}: a Codex request", rows)
            large[api] = {"rows": rows}
    about = {"streams": STREAMS, "pinned": process.PINNED, "client": contestants.OUR_CLIENT}
    return {"directions": small, CODEX: large, **about}


def to_codex(contestant: Contestant) -> Contestant:
    return contestant._replace(target=contestant.target._replace(name=CODEX))


def main() -> None:
    given = settings.from_command_line()
    given = given.few(1 if given.short else ROUNDS)
    results.save("proxy", UNIT, given, traffic.run(lambda: everything(given)))


if __name__ == "__main__":
    main()
