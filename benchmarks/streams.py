"""What does one chunk of a stream cost, bytes in, bytes out, and does it stay the same as the answer grows?"""

from __future__ import annotations

import argparse
import tracemalloc
from typing import Any

from benchmarks import inputs, measure, peers

SIZES = (1_000, 20_000, 100_000)
PEERS_UP_TO = 20_000  # they are slow
REQUEST = peers.decode_json(inputs.small())


def contestants(events: list[bytes]) -> dict[str, measure.Run]:
    return {
        measure.FLOOR: lambda: peers.floor_stream(events),
        measure.OURS: lambda: peers.diglot_stream(REQUEST, events),
        "litellm": lambda: peers.litellm_stream(REQUEST, events),
        "openai-agents": lambda: peers.agents_stream(REQUEST, events),
    }


def check(kind: str) -> None:
    """Everybody must end with the same text and the same arguments."""
    runs = contestants(inputs.STREAMS[kind](50))
    expected = _said(runs[measure.OURS]())
    for name in ("litellm", "openai-agents"):
        assert _said(runs[name]()) == expected, (name, kind)


def _said(frames: Any) -> list[str]:
    last = peers.decode_json(frames[-1].split(b"data: ", 1)[1])
    assert last["type"] == "response.completed"
    items = last["response"]["output"]
    texts = [part["text"] for item in items if item["type"] == "message" for part in item["content"]]
    calls = [item["arguments"] for item in items if item["type"] == "function_call"]
    return [text for text in texts + calls if text]


def compare(kind: str, sizes: tuple[int, ...], given: argparse.Namespace) -> dict[str, Any]:
    """Streams of several lengths in one contest, so that the lengths can be compared with one another too."""
    check(kind)
    runs: dict[str, measure.Run] = {}
    units: dict[str, int] = {}
    for size in sizes:
        for name, run in contestants(inputs.STREAMS[kind](size)).items():
            if size <= PEERS_UP_TO or name in (measure.FLOOR, measure.OURS):
                runs[f"{name}, {size}"], units[f"{name}, {size}"] = run, size
    rows = measure.compare(runs, given, units)
    cases: dict[str, Any] = {}
    for size in sizes:
        found = {name.rpartition(", ")[0]: row for name, row in rows.items() if units[name] == size}
        for name, row in found.items():
            row["x shortest"] = round(measure.ratio(rows, f"{name}, {size}", f"{name}, {sizes[0]}"), 3)
        cases[f"{kind}, {size:,} chunks"] = {"chunks": size, "rows": measure.add_ratios(found)}
        measure.show(f"{kind}, {size:,} chunks; per chunk", found)
        print("x a chunk of the shortest stream:", {name: row["x shortest"] for name, row in found.items()})
    return cases


def memory(count: int) -> dict[str, int]:
    """What a stream holds just before its end, beside the text itself; its frames were sent."""
    events = inputs.text(count)
    size = sum(len(peers.decode_json(event[6:])["choices"][0]["delta"]["content"]) for event in events[:-3])
    tracemalloc.start()
    stream = peers.exchange(REQUEST).stream()
    for event in events[:-3]:
        stream.feed(event)
    held = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    return {"chunks": count, "text": size, "held": held}


def main() -> None:
    given = measure.settings()
    short = (1_000, 3_000)
    cases = compare("text", short if given.quick else SIZES, given)
    for kind in ("tool arguments", "reasoning"):
        cases |= compare(kind, short[:1] if given.quick else SIZES[1:2], given)
    held = memory(short[0] if given.quick else SIZES[-1])
    print(f"\nmemory of diglot before the end of a stream, bytes: {held}")
    measure.save("streams", given, cases, memory=held)


if __name__ == "__main__":
    main()
