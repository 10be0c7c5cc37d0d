"""What does one chunk of a stream cost, bytes in, bytes out; of which kind, and read in which pieces?"""

from __future__ import annotations

from typing import Any

from benchmarks import equivalence, measure, results, settings
from benchmarks.directions import DIRECTIONS, TITLES, Api, other
from benchmarks.inputs import streams
from benchmarks.peers import floors, ours
from benchmarks.peers.registry import PEERS

UNIT = "microseconds of process CPU time for one chunk; the request and the end of the stream are in it"

PAUSES = {"in a loop": 0.0, "alone": 0.002}
"""Seconds before each chunk."""


def contestants(kind: str, events: list[bytes], api: Api) -> dict[str, measure.Run]:
    """One event per read: as it comes from a server that writes token by token."""
    asked = streams.asked(kind, api)
    runs: dict[str, measure.Run] = {
        measure.FLOOR: lambda: floors.floor_stream(events),
        measure.OURS: lambda: ours.stream(asked, events, api),
    }
    for peer in PEERS[api]:
        runs[peer.name] = lambda peer=peer: peer.stream(asked, events)
    return runs


def in_pieces(events: list[bytes], api: Api) -> dict[str, measure.Run]:
    """The same stream, read in other pieces: ours and the floor only, the peers are spared their decoders."""
    asked = streams.asked("text", api)
    runs: dict[str, measure.Run] = {}
    for how, cut in streams.READS.items():
        reads = cut(events)
        runs[f"{measure.FLOOR}, {how}"] = lambda reads=reads: floors.floor_reads(reads)
        runs[f"{measure.OURS}, {how}"] = lambda reads=reads: ours.stream(asked, reads, api)
    return runs


def check(runs: dict[str, Any], api: Api) -> None:
    """Everybody must end well, with the same text and the same calls."""
    expected = equivalence.by_stream(runs[measure.OURS](), api)
    assert expected.text or expected.calls
    for peer in PEERS[api]:
        assert equivalence.by_stream(runs[peer.name](), api) == expected, f"{peer.name} does not say the same"


def check_pieces(runs: dict[str, Any], api: Api) -> None:
    """However a stream is cut, it says the same."""
    everything = [equivalence.by_stream(run(), api) for name, run in runs.items() if name.startswith(measure.OURS)]
    assert all(what == everything[0] for what in everything), "a stream that is cut says something else"


def compare(kind: str, count: int, api: Api, given: settings.Settings) -> dict[str, Any]:
    check(contestants(kind, streams.events(kind, 50, other(api)), api), api)
    runs = contestants(kind, streams.events(kind, count, other(api)), api)
    rows = measure.add_ratios(measure.compare(runs, given, dict.fromkeys(runs, count)))
    measure.show(f"{TITLES[api]}: {kind}, {count:,} chunks; per chunk", rows)
    return {"chunks": count, "rows": rows}


def pieces(count: int, api: Api, given: settings.Settings) -> dict[str, Any]:
    check_pieces(in_pieces(streams.events("text", 50, other(api)), api), api)
    runs = in_pieces(streams.events("text", count, other(api)), api)
    rows = measure.compare(runs, given, dict.fromkeys(runs, count))
    for name, row in rows.items():
        row["x floor"] = measure.ratio(rows, name, name.replace(measure.OURS, measure.FLOOR))
    measure.show(f"{TITLES[api]}: text in pieces, {count:,} chunks; per chunk", rows)
    return {"chunks": count, "rows": rows}


def free_form(count: int, given: settings.Settings) -> dict[str, Any]:
    """The input of a free-form tool, which comes wrapped in the arguments of a function: ours and the floor only."""
    asked, events = streams.free_form(count)
    runs: dict[str, measure.Run] = {
        measure.FLOOR: lambda: floors.floor_stream(events),
        measure.OURS: lambda: ours.stream(asked, events, "responses"),
    }
    assert equivalence.inputs(ours.stream(asked, events, "responses")) == [streams.free_form_input(count)]
    rows = measure.add_ratios(measure.compare(runs, given, dict.fromkeys(runs, count)))
    measure.show(f"{TITLES['responses']}: input of a free-form tool, {count:,} chunks; per chunk", rows)
    return {"chunks": count, "rows": rows}


def alone(count: int, api: Api, given: settings.Settings) -> dict[str, Any]:
    """A chunk that comes alone: between two the process sleeps, as a server does whose model writes token by token."""
    asked = streams.asked("text", api)
    feeders: dict[str, measure.Feeder] = {
        measure.FLOOR: lambda: floors.floor_event,
        measure.OURS: lambda: ours.exchange(asked, api).stream().feed,
    }
    events = [event for event in streams.events("text", count, other(api)) if event != streams.DONE]
    found: dict[str, Any] = {}
    for how, pause in PAUSES.items():
        rows = measure.add_ratios(measure.paused(feeders, events, pause, given.rounds))
        measure.show(f"{TITLES[api]}: text, {how}; per chunk", rows)
        found[how] = {"chunks": count, "pause, s": pause, "rows": rows}
    return found


def main() -> None:
    given = settings.from_command_line()
    count = 500 if given.short else 5_000
    kinds: dict[Api, Any] = {}
    reads: dict[Api, Any] = {}
    for api in DIRECTIONS:
        kinds[api] = {kind: compare(kind, count, api, given) for kind in streams.KINDS}
        reads[api] = pieces(count, api, given)
    wrapped = free_form(count, given)
    pauses = {api: alone(50 if given.short else 250, api, given) for api in DIRECTIONS}
    results.save("streams", UNIT, given, {"directions": kinds, "reads": reads, "free form": wrapped, "alone": pauses})


if __name__ == "__main__":
    main()
