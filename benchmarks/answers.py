"""What does it cost to turn a finished answer into one of the other API, bytes in, bytes out?"""

from __future__ import annotations

import json
from typing import Any

from benchmarks import equivalence, measure, results, settings
from benchmarks.directions import DIRECTIONS, TITLES, Api, other
from benchmarks.inputs import answers
from benchmarks.peers import floors, ours
from benchmarks.peers.peer import Peer
from benchmarks.peers.registry import PEERS

UNIT = "microseconds of process CPU time for one answer; the request was translated before"


def contestants(data: bytes, asked: dict[str, Any], api: Api) -> dict[str, measure.Run]:
    body = floors.decode(data)
    mine, mine_full = ours.answerer(asked, api)
    runs: dict[str, measure.Run] = {
        measure.FLOOR: lambda: floors.floor(data),
        "stdlib json loads + dumps": lambda: floors.floor_stdlib(data),
        measure.OURS: lambda: mine_full(data),
        "diglot, mapping alone": lambda: mine(body),
    }
    for peer in PEERS[api]:
        runs |= _of_peer(peer, data, body, asked)
    return runs


def _of_peer(peer: Peer, data: bytes, body: dict[str, Any], asked: dict[str, Any]) -> dict[str, measure.Run]:
    mapping, to_json = peer.answerer(asked), peer.to_json
    return {
        peer.name: lambda: to_json(mapping(json.loads(data))),
        f"{peer.name}, mapping alone": lambda: mapping(body),
    }


def check(runs: dict[str, Any], api: Api) -> None:
    """Everybody must have the whole text, and every call."""
    expected = equivalence.by_answer(runs[measure.OURS](), api)
    assert expected.text or expected.calls
    for peer in PEERS[api]:
        assert equivalence.by_answer(runs[peer.name](), api) == expected, f"{peer.name} does not say the same"


def main() -> None:
    given = settings.from_command_line()
    found: dict[Api, Any] = {}
    for api in DIRECTIONS:
        found[api] = {}
        for name in answers.ANSWERS:
            data = answers.data(name, other(api))
            runs = contestants(data, answers.asked(name, api), api)
            check(runs, api)
            rows = measure.add_ratios(measure.compare(runs, given))
            found[api][name] = {"bytes": len(data), "rows": rows}
            measure.show(f"{TITLES[api]}: {name}, {len(data):,} bytes", rows)
    results.save("answers", UNIT, given, {"directions": found})


if __name__ == "__main__":
    main()
