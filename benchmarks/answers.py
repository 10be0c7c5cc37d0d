"""What does it cost to turn a finished chat completion into a Response, bytes in, bytes out?"""

from __future__ import annotations

from typing import Any

from benchmarks import inputs, measure, peers


def contestants(data: bytes, request: dict[str, Any]) -> dict[str, measure.Run]:
    body = peers.decode_json(data)
    ours, ours_full = peers.diglot_answerer(request)
    theirs, theirs_full = peers.litellm_answerer(request)
    others, others_full = peers.agents_answerer(request)
    return {
        measure.FLOOR: lambda: peers.floor(data),
        "stdlib json loads + dumps": lambda: peers.floor_stdlib(data),
        measure.OURS: lambda: ours_full(data),
        "diglot, mapping alone": lambda: ours(body),
        "litellm": lambda: theirs_full(data),
        "litellm, mapping alone": lambda: theirs(body),
        "openai-agents": lambda: others_full(data),
        "openai-agents, mapping alone": lambda: others(body),
    }


def check(runs: dict[str, measure.Run]) -> None:
    """Everybody must have the text, and every call."""
    expected = _said(runs[measure.OURS]())
    for name in ("litellm", "openai-agents"):
        assert _said(runs[name]()) == expected, name


def _said(data: Any) -> tuple[list[str], list[str]]:
    items = peers.decode_json(data)["output"]
    texts = [part["text"] for item in items if item["type"] == "message" for part in item["content"]]
    return texts, sorted(item["arguments"] for item in items if item["type"] == "function_call")


def main() -> None:
    given = measure.settings()
    cases: dict[str, Any] = {}
    for name, (make, asked) in inputs.ANSWERS.items():
        data = make()
        runs = contestants(data, peers.decode_json(inputs.REQUESTS[asked]()))
        check(runs)
        rows = measure.add_ratios(measure.compare(runs, given))
        cases[name] = {"bytes": len(data), "rows": rows}
        measure.show(f"{name}, {len(data):,} bytes", rows)
    measure.save("answers", given, cases)


if __name__ == "__main__":
    main()
