"""What does it cost to turn a Responses request into a Chat Completions request, bytes in, bytes out?"""

from __future__ import annotations

import tracemalloc
from typing import Any

from benchmarks import inputs, measure, peers


def contestants(data: bytes) -> dict[str, measure.Run]:
    body = peers.decode_json(data)
    tools = peers.agents_tools(body)
    return {
        measure.FLOOR: lambda: peers.floor(data),
        "stdlib json loads + dumps": lambda: peers.floor_stdlib(data),
        measure.OURS: lambda: peers.diglot_request(data),
        "diglot, mapping alone": lambda: peers.diglot_mapping(body),
        "litellm, stdlib json": lambda: peers.litellm_request(data),
        "litellm, msgspec": lambda: peers.litellm_request_msgspec(data),
        "litellm, mapping alone": lambda: peers.litellm_mapping(body),
        "openai-agents, stdlib json": lambda: peers.agents_request(data, tools),
        "openai-agents, mapping alone": lambda: peers.agents_mapping(body, tools),
    }


def check(runs: dict[str, measure.Run]) -> None:
    """Everybody must end with what was said last; no more than that is compared."""
    last = _last(peers.decode_json(runs[measure.OURS]()))
    for name in ("litellm, stdlib json", "litellm, msgspec", "openai-agents, stdlib json"):
        assert _last(peers.decode_json(runs[name]())) == last, name


def _last(chat: dict[str, Any]) -> str:
    content = chat["messages"][-1]["content"]
    return content if isinstance(content, str) else content[0]["text"]


def peak(data: bytes) -> float:
    """The memory that one translation needs beside the body, in bodies."""
    tracemalloc.start()
    peers.diglot_request(data)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return round(most / len(data), 2)


def main() -> None:
    given = measure.settings()
    cases: dict[str, Any] = {}
    for name, make in inputs.REQUESTS.items():
        data = make()
        runs = contestants(data)
        check(runs)
        rows = measure.add_ratios(measure.compare(runs, given))
        alone = round(measure.ratio(rows, "litellm, mapping alone", "diglot, mapping alone"), 2)
        about = {"bytes": len(data), "peak memory, bodies": peak(data), "mapping: litellm x diglot": alone}
        cases[name] = {**about, "rows": rows}
        measure.show(f"{name}, {len(data):,} bytes; litellm's mapping alone: {alone} x diglot's", rows)
    measure.save("requests", given, cases)


if __name__ == "__main__":
    main()
