"""Does the cost of a piece stay the same as the whole grows? Streams, conversations, tools, and streams at once."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from benchmarks import measure, results, settings
from benchmarks.directions import DIRECTIONS, TITLES, Api, other
from benchmarks.inputs import requests, streams
from benchmarks.inputs.requests import Talk
from benchmarks.inputs.texts import encode
from benchmarks.peers import floors, ours
from benchmarks.peers.peer import stdlib_json
from benchmarks.peers.registry import PEERS
from benchmarks.servers import concurrency, contestants, process, traffic
from benchmarks.servers.upstream import Upstream

UNIT = "microseconds of process CPU time for one chunk, message or tool"
PEERS_UP_TO = 10_000  # chunks; they are slow
RATE = 4_000  # tokens a second, of all streams together
Runs = dict[str, measure.Run]


def of_stream(count: int, api: Api) -> Runs:
    """Text, one event per read, sent on as it is made."""
    events, asked = streams.long("text", count, other(api)), streams.asked("text", api)
    runs: Runs = {
        measure.FLOOR: lambda: floors.drain(events),
        measure.OURS: lambda: ours.drain(asked, events, api),
    }
    if count <= PEERS_UP_TO:
        runs |= {peer.name: lambda peer=peer: peer.stream(asked, events) for peer in PEERS[api]}
    return runs


def of_request(talk: Talk, api: Api) -> Runs:
    data = encode(requests.body(talk, api))
    runs: Runs = {measure.FLOOR: lambda: floors.floor(data), measure.OURS: lambda: ours.request(data, api)}
    for peer in PEERS[api]:
        mapping = peer.requester(floors.decode(data))
        runs[peer.name] = lambda mapping=mapping: stdlib_json(mapping(json.loads(data)))
    return runs


def compare(title: str, sizes: list[int], make: Callable[[int], Runs], given: settings.Settings) -> dict[str, Any]:
    """All sizes in one contest, so that they can be compared with one another too."""
    runs: Runs = {}
    sized: dict[str, tuple[str, int]] = {}
    for size in sizes:
        for name, run in make(size).items():
            runs[f"{name}, {size}"], sized[f"{name}, {size}"] = run, (name, size)
    rows = measure.compare(runs, given, {key: size for key, (_, size) in sized.items()})
    found: dict[str, dict[str, Any]] = {}
    for key, (name, size) in sized.items():
        more = measure.ratio(rows, key, f"{name}, {sizes[0]}")
        found.setdefault(name, {})[str(size)] = {**rows[key], "x smallest": more}
    show(title, sizes, found)
    return {"sizes": sizes, "rows": found}


def show(title: str, sizes: list[int], found: dict[str, dict[str, Any]]) -> None:
    print(f"\n{title}; us each (x the first)\n{'':32}" + "".join(f"{size:>18,}" for size in sizes))
    for name, row in found.items():
        cells = [row.get(str(size)) for size in sizes]
        shown = (f"{cell['median']:.2f} ({cell['x smallest']:.2f})" if cell else "" for cell in cells)
        print(f"{name:32}" + "".join(f"{cell:>18}" for cell in shown), flush=True)


async def at_once(given: settings.Settings) -> dict[str, Any]:
    """Streams at once through a whole server on one core: ours, and a proxy that translates nothing."""
    counts, seconds = ([10, 100], 0.5) if given.short else ([10, 100, concurrency.possible(1_000)], 4.0)
    upstream, found = Upstream(), {}
    wanted = (contestants.FLOOR, contestants.OURS)
    with contestants.running(await upstream.listen(), given, wanted) as running:
        for api in DIRECTIONS:
            chosen = [c for c in running[api] if c.name in (contestants.DIRECT, *wanted)]
            found[api] = {
                c.name: [await concurrency.paced(upstream, c, n, RATE, seconds) for n in counts] for c in chosen
            }
            show_concurrency(
                f"{TITLES[api]}: streams at once, {RATE:,} chunks a second together", with_added(found[api])
            )
    return {"rate": RATE, "pinned": process.PINNED, "directions": found}


def with_added(rows: dict[str, list[dict[str, Any]]]) -> dict[str, list[dict[str, Any]]]:
    """How much later a chunk comes than without a proxy."""
    for name, row in rows.items():
        for cell, direct in zip(row, rows[contestants.DIRECT], strict=True):
            if name != contestants.DIRECT:
                cell["added, ms"] = traffic.added(cell["late, ms"], direct["late, ms"])
    return rows


def show_concurrency(title: str, rows: dict[str, list[dict[str, Any]]]) -> None:
    print(f"\n{title}\n{'':32}{'streams':>9}{'chunks':>9}{'late p50':>10}{'p99, ms':>9}{'us/chunk':>10}{'busy':>7}")
    for name, row in rows.items():
        for cell in row:
            late = cell["late, ms"]
            cost = f"{cell['CPU us per chunk']:>10.1f}{cell['busy']:>7.0%}" if "busy" in cell else ""
            print(f"{name:32}{cell['streams']:>9,}{cell['chunks']:>9,}{late['p50']:>10.2f}{late['p99']:>9.2f}{cost}")


def main() -> None:
    given = settings.from_command_line()
    few = given.few(3)
    short = given.short
    lengths = [1_000, 5_000] if short else [1_000, 10_000, 100_000, 1_000_000]
    conversations = [10, 100] if short else [10, 100, 1_000, 10_000]
    tools = [1, 10] if short else [1, 10, 100, 1_000]
    found: dict[str, Any] = {"stream": {}, "conversation": {}, "tools": {}}
    for api in DIRECTIONS:
        title = TITLES[api]
        one = api
        found["stream"][api] = compare(f"{title}: a chunk", lengths, lambda n, api=one: of_stream(n, api), few)
        talks = compare(
            f"{title}: a message", conversations, lambda n, api=one: of_request(requests.messages(n), api), few
        )
        found["conversation"][api] = talks
        found["tools"][api] = compare(
            f"{title}: a tool", tools, lambda n, api=one: of_request(requests.declaring(n), api), few
        )
    found["at once"] = traffic.run(lambda: at_once(given))
    results.save("scaling", UNIT, few, found)


if __name__ == "__main__":
    main()
