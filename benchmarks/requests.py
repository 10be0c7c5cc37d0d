"""What does it cost to turn a request into one of the other API, bytes in, bytes out?"""

from __future__ import annotations

import json
from typing import Any

from benchmarks import equivalence, measure, results, settings
from benchmarks.directions import DIRECTIONS, TITLES, Api, other
from benchmarks.inputs import requests
from benchmarks.peers import floors, ours
from benchmarks.peers.peer import Peer, stdlib_json
from benchmarks.peers.registry import PEERS

UNIT = "microseconds of process CPU time for one request"


def contestants(data: bytes, api: Api) -> dict[str, measure.Run]:
    """Everybody, with the JSON library that he has and with the one that we have."""
    runs: dict[str, measure.Run] = {
        measure.FLOOR: lambda: floors.floor(data),
        "stdlib json loads + dumps": lambda: floors.floor_stdlib(data),
        measure.OURS: lambda: ours.request(data, api),
    }
    for peer in PEERS[api]:
        runs |= _of_peer(peer, data)
    return runs


def _of_peer(peer: Peer, data: bytes) -> dict[str, measure.Run]:
    mapping = peer.requester(floors.decode(data))
    return {
        f"{peer.name}, stdlib json": lambda: stdlib_json(mapping(json.loads(data))),
        f"{peer.name}, msgspec": lambda: floors.encode(mapping(floors.decode(data))),
    }


def check(runs: dict[str, measure.Run], api: Api) -> None:
    """Everybody must say what the user and the tools said, with the same ids of calls."""
    made: dict[str, Any] = {name: run() for name, run in runs.items() if not name.startswith(("floor", "stdlib"))}
    contents = {name: equivalence.by_request(data, other(api)) for name, data in made.items()}
    for name, what in contents.items():
        assert what == contents[measure.OURS], f"{name} does not say the same"


def main() -> None:
    given = settings.from_command_line()
    found: dict[Api, Any] = {}
    for api in DIRECTIONS:
        found[api] = {}
        for name in requests.REQUESTS:
            data = requests.data(name, api)
            runs = contestants(data, api)
            check(runs, api)
            rows = measure.add_ratios(measure.compare(runs, given))
            found[api][name] = {"bytes": len(data), "rows": rows}
            measure.show(f"{TITLES[api]}: {name}, {len(data):,} bytes", rows)
    results.save("requests", UNIT, given, {"directions": found})


if __name__ == "__main__":
    main()
