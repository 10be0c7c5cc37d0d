"""How much memory does it take: to translate a request, to follow a stream, to keep a thousand streams open?"""

from __future__ import annotations

import asyncio
import gc
import json
import tracemalloc
from collections.abc import Callable
from typing import Any

from benchmarks import measure, results, settings
from benchmarks.directions import DIRECTIONS, TITLES, Api, other
from benchmarks.inputs import requests, streams
from benchmarks.inputs.texts import pieces
from benchmarks.peers import floors, ours
from benchmarks.peers.peer import stdlib_json
from benchmarks.peers.registry import PEERS
from benchmarks.servers import concurrency, contestants, traffic
from benchmarks.servers.client import Connection, read_answer
from benchmarks.servers.contestants import Contestant
from benchmarks.servers.upstream import Upstream

UNIT = "bytes; of requests and streams what Python allocated, of servers their resident memory"


def peak(run: Callable[[], object]) -> int:
    """The most that *run* needs at once; what was there before is not counted."""
    run()  # what is made once and stays is not counted either
    gc.collect()
    tracemalloc.start()
    run()
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return most


def of_request(name: str, api: Api) -> dict[str, Any]:
    """The peaks, also as shares of the body."""
    data = requests.data(name, api)
    runs: dict[str, measure.Run] = {
        measure.FLOOR: lambda: floors.floor(data),
        measure.OURS: lambda: ours.request(data, api),
    }
    for peer in PEERS[api]:
        mapping = peer.requester(floors.decode(data))
        runs[f"{peer.name}, stdlib json"] = lambda mapping=mapping: stdlib_json(mapping(json.loads(data)))
    peaks = {who: peak(run) for who, run in runs.items()}
    bodies = {who: {"peak": most, "x body": round(most / len(data), 2)} for who, most in peaks.items()}
    return {"bytes": len(data), "rows": bodies}


def of_stream(count: int, api: Api) -> dict[str, int]:
    """What our stream holds just before its end, its frames being gone, and the most that it needs until after it."""
    events, asked = streams.events("text", count, other(api)), streams.asked("text", api)
    ending = len(streams.events("text", 1, other(api))) - 1  # not quite: some of these are its beginning
    text = sum(len(piece.encode()) for piece in pieces(count))
    gc.collect()
    tracemalloc.start()
    stream = ours.exchange(asked, api).stream()
    for event in events[:-ending]:
        stream.feed(event)
    now = tracemalloc.get_traced_memory()[0]
    for event in events[-ending:]:
        stream.feed(event)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    print(f"{TITLES[api]}: a text of {text:,} bytes in {count:,} chunks: {now:,} held, {most:,} at the end", flush=True)
    return {"chunks": count, "text": text, "held": now, "peak": most}


async def of_server(upstream: Upstream, contestant: Contestant, count: int) -> dict[str, Any]:
    """Resident: when nothing was asked yet, with open streams, and after them."""
    server, target = contestant.server, contestant.target
    assert server is not None
    fresh = server.memory()
    connection = await Connection.to(target.port)
    await read_answer(connection, target)
    connection.close()
    await asyncio.sleep(0.2)
    idle = server.memory()
    held = await concurrency.held(upstream, server, target, count)
    if contestant.name.startswith((contestants.FLOOR, contestants.OURS)):
        assert held.streams == count, f"{contestant.name} does not take {count} streams at once"
    sizes = {"fresh": fresh, "idle": idle, "open": held.memory, "after": held.afterwards}
    found = {**sizes, "streams": held.streams}
    return {**found, "per stream": round((held.memory - idle) / held.streams)} if held.streams else found


async def of_servers(asked: str, count: int, given: settings.Settings) -> dict[str, Any]:
    """Streams that answer one of the requests."""
    upstream, found = Upstream(), {}
    upstream.answers(asked)
    port = await upstream.listen()
    for api in DIRECTIONS:
        wanted = (*contestants.FLOORS, contestants.diglot(api), contestants.RELAY)
        wanted += () if given.short else (contestants.SDK, contestants.LITELLM)
        with contestants.running(port, given, wanted) as running:
            chosen = [c for c in running[api] if c.server and c.name != contestants.PASSING]
            asking = [c._replace(target=c.target._replace(name=asked)) for c in chosen]
            found[api] = {c.name: await of_server(upstream, c, count) for c in asking}
        columns = f"{'idle':>9}{'streams':>9}{'open':>9}{'KB per stream':>16}"
        print(f"\n{TITLES[api]}: servers, resident MB; {asked} request\n{'':40}{columns}")
        for name, row in found[api].items():
            sizes = f"{row['idle'] / 1e6:>9.1f}{row['streams']:>9,}{row['open'] / 1e6:>9.1f}"
            print(f"{name:40}{sizes}{row.get('per stream', 0) / 1e3:>16.1f}", flush=True)
    return {"streams": count, "directions": found}


def main() -> None:
    given = settings.from_command_line()
    asked: dict[Api, Any] = {}
    grown: dict[Api, Any] = {}
    for api in DIRECTIONS:
        asked[api] = {name: of_request(name, api) for name in requests.REQUESTS}
        for name, case in asked[api].items():
            shares = ", ".join(f"{who} {row['x body']}" for who, row in case["rows"].items())
            print(f"{TITLES[api]}: {name}; peak, x body: {shares}", flush=True)
        grown[api] = [of_stream(count, api) for count in ((1_000,) if given.short else (1_000, 10_000, 100_000))]
    many, some = (20, 20) if given.short else (concurrency.possible(1_000), 200)
    servers = traffic.run(lambda: of_servers("small", many, given))
    to_codex = traffic.run(lambda: of_servers("Codex", some, given))
    found = {"requests": asked, "streams": grown, "servers": servers, "servers, Codex": to_codex}
    results.save("memory", UNIT, given, found)


if __name__ == "__main__":
    main()
