"""The form of golden files: how they are read, checked, rewritten, and printed so that people can read them."""

import json
from pathlib import Path
from typing import Any

import msgspec

from diglot.translator import Profile, preset

KEYS = ("about", "profile", "strict", "given", "expect", "losses", "back")
WIDTH = 120


def load(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text())


def profile_of(case: dict[str, Any]) -> Profile:
    settings = case.get("profile", "default")
    if isinstance(settings, str):
        return preset(settings)
    named = msgspec.to_builtins(preset(settings.get("preset", "default")))
    return msgspec.convert(named | {k: v for k, v in settings.items() if k != "preset"}, Profile)


def settle(path: Path, case: dict[str, Any], outcome: Any, losses: list[dict[str, Any]], update: bool) -> None:
    """Compare with what the file expects, or write it there."""
    if update:
        case = {**case, "expect": outcome, "losses": losses}
        path.write_text(pretty({k: case[k] for k in KEYS if k in case}))
        return
    assert "expect" in case, "no expectation yet: run pytest --update and review"
    assert (outcome, losses) == (case["expect"], case["losses"])


def sse(given: dict[str, Any]) -> bytes:
    """The bytes of a stream: `sse` as they are, or `chunks`, or `events`; members that are strings are sent as such."""
    if "sse" in given:
        return given["sse"].encode()
    pieces = [_data(chunk) for chunk in given.get("chunks", [])] + [_event(event) for event in given.get("events", [])]
    return "".join(pieces + ["data: [DONE]\n\n"] * given.get("done", "chunks" in given)).encode()


def _data(chunk: Any) -> str:
    return chunk if isinstance(chunk, str) else f"data: {json.dumps(chunk)}\n\n"


def _event(event: Any) -> str:
    return event if isinstance(event, str) else f"event: {event['type']}\n{_data(event)}"


def pretty(value: Any) -> str:
    """JSON that people can read: what fits on a line stays on one."""
    return _pretty(value, 0) + "\n"


def _pretty(value: Any, depth: int) -> str:
    flat = json.dumps(value, ensure_ascii=False)
    if (
        not value
        or not isinstance(value, (dict, list))
        or (depth and len(flat) + 2 * depth < WIDTH)
        or (isinstance(value, dict) and _is_event(value))
    ):
        return flat
    inner = "  " * (depth + 1)
    if isinstance(value, dict):
        lines = [f"{inner}{json.dumps(k, ensure_ascii=False)}: {_pretty(v, depth + 1)}" for k, v in value.items()]
    else:
        lines = [inner + _pretty(v, depth + 1) for v in value]
    start, end = "{}" if isinstance(value, dict) else "[]"
    return start + "\n" + ",\n".join(lines) + "\n" + "  " * depth + end


def _is_event(value: dict[str, Any]) -> bool:
    """Events stay on one line each, however long."""
    kind = value.get("type")
    return isinstance(kind, str) and ("sequence_number" in value or kind.startswith("response."))
