"""What does it cost to keep what was said, and what do those pay who do not keep it? And does it stay so (`--soak`)?"""

from __future__ import annotations

import asyncio
import secrets
import time
import zlib
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from benchmarks import measure, results, settings, soak
from benchmarks.chains import Chain
from benchmarks.inputs import agent_run, streams
from benchmarks.middleware import Client, loop
from benchmarks.peers.bare_drivers import Driver
from benchmarks.round_trips import RoundTrips
from benchmarks.servers import stores
from diglot.adapters import Limits, TranslationMiddleware
from diglot.adapters.stateful.keeper import Keeper
from diglot.adapters.stateful.turns import turn_of
from diglot.adapters.store import NewRecord, Place
from diglot.translator import state

_KEEP = 30 * 86_400
UNIT = "microseconds of process CPU time, but where milliseconds of wall time or bytes are named"
BARE, PIECE, FULL = "the driver alone", "decoding in one piece", "its history in the body"
MORE = "all that a request costs more when it is stored"
WITHOUT, NOT_STORED, STORED = "without a store", "store: false", "stored"
Found = dict[str, Any]
Run = Callable[[], object]


def several(make: Callable[[], Awaitable[object]], times: int) -> Run:
    """Do it so often in one run of the event loop, whose beginning and end nobody is to pay for."""

    async def run() -> None:
        for _ in range(times):
            await make()

    return lambda: loop.run_until_complete(run())


def requests(chain: Chain, times: int, given: settings.Settings, *, waits: bool) -> Found:
    """One request with a finished answer; without an upstream that waits, small differences can be seen."""
    chain.upstream.waits = waits
    chain.upstream.answer = agent_run.answer(0)
    small = {"model": "m", "input": "Hi"}
    bodies = {name: msgspec.json.encode({**small, "store": name == STORED}) for name in (WITHOUT, NOT_STORED, STORED)}
    bare = TranslationMiddleware(chain.upstream)
    runs = {
        name: Client(bare if name == WITHOUT else chain.app, "responses", body, times).run
        for name, body in bodies.items()
    }
    rows = measure.add_ratios(measure.compare(runs, given, dict.fromkeys(runs, times)), NOT_STORED, WITHOUT)
    chain.upstream.waits = True
    measure.show("one request", rows)
    return rows


def chunks(chain: Chain, count: int, given: settings.Settings) -> Found:
    """One chunk of a stream that is under way: what its beginning and its end cost is not in it."""
    upstream = chain.upstream
    upstream.events = streams.events("text", count, "chat")
    asked = streams.asked("text", "responses")
    bare = TranslationMiddleware(upstream)
    seconds: dict[str, list[float]] = {WITHOUT: [], NOT_STORED: [], STORED: []}
    clients = {
        name: Client(
            bare if name == WITHOUT else chain.app, "responses", msgspec.json.encode({**asked, "store": name == STORED})
        )
        for name in seconds
    }
    for name in measure.in_turns(list(clients), given.rounds * 5):
        clients[name].run()
        seconds[name].append(upstream.seconds / upstream.counted)
    upstream.events = []
    rows = {name: measure.summary([value * 1e6 for value in values]) for name, values in seconds.items()}
    measure.show("one chunk", measure.add_ratios(rows, NOT_STORED, WITHOUT))
    return rows


class Writing:
    """The responses of an agent, behind each other; each contestant has a chain of its own."""

    def __init__(self, chain: Chain) -> None:
        self._own = msgspec.json.encode(chain.history[-3:-2])
        self._answer = {**chain.answer, "output": chain.history[-2:]}
        self._chain = secrets.token_hex(16)
        self._depth = 0
        self.first = self._record(self._chain, None)
        self._row = self._record("", None)

    def _record(self, key: str, parent: Place | None) -> NewRecord:
        made = state.records.encode_answer(self._answer, self._own, compacts=False)
        return NewRecord(
            key, int(time.time()), made.body, made.size, made.settings, made.settings_hash, made.compacts, parent
        )

    def next(self) -> NewRecord:
        """The next response, encoded."""
        place = Place(self._chain, self._depth, 0, 5_000 * (self._depth + 1), int(time.time()) + _KEEP)
        self._depth += 1
        return self._record(secrets.token_hex(16), place)

    def row(self) -> Found:
        """The same row as it is written at last."""
        self._depth += 1
        place = {"chain": self._chain, "depth": self._depth, "base": 0, "size": 5_000 * self._depth}
        about = {"tenant": "t", "key": secrets.token_hex(16), "created": self._row.created}
        return {
            **place,
            **about,
            "settings": self._row.settings_hash,
            "body": self._row.body,
            "conversation": None,
            "position": 0,
        }


def writing(chain: Chain, driver: Driver, asked: measure.Rows, given: settings.Settings) -> Found:
    """One response is encoded and put behind another; the driver alone writes the row that there is then."""
    store, times = chain.store, 5 if given.short else 20
    ours, bare = Writing(chain), Writing(chain)
    for one in (ours, bare):
        loop.run_until_complete(store.put("t", one.first))
    writes: dict[str, Callable[[], Awaitable[object]]] = {
        BARE: lambda: driver.write(bare.row()),
        measure.OURS: lambda: store.put("t", ours.next()),
    }
    runs = {name: several(write, times) for name, write in writes.items()}
    rows = measure.compare(runs, given, dict.fromkeys(runs, times))
    pairs = zip(asked[STORED]["rounds"], asked[NOT_STORED]["rounds"], strict=True)
    rows[MORE] = measure.summary([stored - other for stored, other in pairs])
    measure.show("one response is stored", measure.add_ratios(rows, floor=BARE))
    walls: dict[str, list[float]] = {name: [] for name in writes}
    for name in measure.in_turns(list(writes), 20 * given.rounds):
        began = time.perf_counter()
        loop.run_until_complete(writes[name]())
        walls[name].append((time.perf_counter() - began) * 1e3)
    for name, values in walls.items():
        rows[name]["ms"] = measure.summary(values)
        print(f"{name}: {rows[name]['ms']['median']:.3f} ms of wall time")
    return rows


def loading(chain: Chain, given: settings.Settings) -> Found:
    """The history of a request is fetched, decoded, and put before its input."""
    keeper = Keeper(chain.store, tenant="none", limits=Limits())
    body = msgspec.json.decode(chain.request(store=False))
    scope = {"type": "http", "headers": []}
    items = msgspec.json.encode(chain.history)

    async def load() -> Any:
        turn = await turn_of(keeper, scope, "/responses", body)
        await turn.load()
        continuation = turn.options["continuation"]
        return continuation.expand(body, continuation.item_ids())

    loop.run_until_complete(keeper.begin())
    loop.run_until_complete(asyncio.sleep(0.2))  # it looks after its store first
    expanded = loop.run_until_complete(load())
    assert len(expanded.inherited) == len(chain.history)
    with RoundTrips() as trips:
        loop.run_until_complete(load())
    compressed = zlib.compress(items, 1)
    runs = {
        PIECE: lambda: msgspec.json.decode(zlib.decompress(compressed)),
        f"{PIECE}, not compressed": lambda: msgspec.json.decode(items),
        measure.OURS: several(load, 1),
    }
    rows = measure.compare(runs, given)
    measure.show(f"{chain.turns} turns are loaded, in {trips.count} round trips", measure.add_ratios(rows, floor=PIECE))
    return {"rows": rows, "round trips": trips.count}


def deep_turn(chain: Chain, given: settings.Settings) -> Found:
    """A whole turn behind many others, and the same with its history in the body."""
    chain.upstream.answer = agent_run.answer(chain.turns)
    in_full = agent_run.request([*chain.history, *agent_run.own_input(chain.turns)])
    runs = {
        FULL: Client(TranslationMiddleware(chain.upstream), "responses", in_full).run,
        measure.OURS: Client(chain.app, "responses", chain.request(store=False)).run,
        STORED: Client(chain.app, "responses", chain.request(store=True)).run,
    }
    rows = measure.add_ratios(measure.compare(runs, given), floor=FULL)
    measure.show(f"a turn at depth {chain.turns}", rows)
    return rows


def measured(name: str, url: str, given: settings.Settings) -> Found:
    """All figures of one store."""
    print(f"\n# {name}")
    chain = Chain(name, url)
    chain.open()
    found: Found = {"size": chain.grow(20 if given.short else 200)}
    print(found["size"])
    times = 5 if given.short else 50
    found["request"] = requests(chain, times, given, waits=False)
    found["request that waits"] = requests(chain, times, given, waits=True)
    found["chunk"] = chunks(chain, 200 if given.short else 3_000, given)
    if chain.driver is not None:
        found["writing"] = writing(chain, chain.driver, found["request that waits"], given)
    found["loading"] = loading(chain, given)
    found["deep turn"] = deep_turn(chain, given)
    chain.close()
    return found


def main() -> None:
    options = settings.parser()
    options.add_argument("--soak", type=int, metavar="COUNT", help="store so many responses instead: 10000")
    options.add_argument("--depth", type=int, default=20, help="how many responses a chain has then")
    options.add_argument("--store", action="append", help="this one only; may be repeated")
    read = options.parse_args()
    given = settings.settled(read)
    if read.soak:
        found = results.load("state") or {"stores": {}}
        results.save("state", UNIT, given, {"stores": found["stores"], "soak": soak.soak(read.soak, read.depth)})
        return
    with stores.urls() as urls:
        found = {name: measured(name, url, given) for name, url in urls.items() if name in (read.store or urls)}
    kept = {name: value for name, value in (results.load("state") or {}).items() if name == "soak"}
    results.save("state", UNIT, given, {"stores": found, **kept})


if __name__ == "__main__":
    main()
