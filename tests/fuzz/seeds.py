"""Where cases begin: the situations of the golden files, and what real servers and clients sent."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from .damage import split_events
from golden_files import load, sse

TESTS = Path(__file__).parent.parent
GOLDEN, DATA = TESTS / "golden", TESTS / "data"
DIRECTIONS = ("serve_responses", "serve_chat")
FINISHED = {"serve_responses": "completion", "serve_chat": "response"}
"""Where the upstream's whole answer is in what a golden file gives."""

TOOL = {"name": "get_weather", "parameters": {"type": "object", "properties": {}}}
ASKED: dict[str, dict[str, Any]] = {
    "serve_responses": {"model": "m", "input": "Go", "tools": [{"type": "function", **TOOL}]},
    "serve_chat": {
        "model": "m",
        "messages": [{"role": "user", "content": "Go"}],
        "tools": [{"type": "function", "function": TOOL}],
        "stream_options": {"include_usage": True},
    },
}
"""What recorded answers are told to be answers to."""


class Stream(NamedTuple):
    asked: dict[str, Any]
    events: list[bytes]


class Answer(NamedTuple):
    asked: dict[str, Any]
    finished: Any


@cache
def _golden(direction: str, kind: str) -> list[dict[str, Any]]:
    return [load(path)["given"] for path in sorted(GOLDEN.glob(f"{direction}/{kind}/**/*.json"))]


@cache
def requests(direction: str) -> list[Any]:
    """Client requests; those that come with answers are requests, too."""
    asked = [given["asked"] for kind in ("stream", "answer") for given in _golden(direction, kind)]
    is_chat = direction == "serve_chat"
    recorded = [json.loads(path.read_bytes()) for path in sorted((DATA / "clients").rglob("*.json"))
                if (path.parent.name == "chat") == is_chat]  # fmt: skip
    return [*_golden(direction, "request"), *asked, *recorded]


def _recorded(direction: str, kind: str) -> list[Path]:
    found = sorted((DATA / "servers").rglob(kind))
    return [path for path in found if (path.parent.name == "responses") == (direction == "serve_chat")]


@cache
def streams(direction: str) -> list[Stream]:
    """Streams of upstreams, whole."""
    golden = [Stream(given["asked"], split_events(sse(given))) for given in _golden(direction, "stream")]
    recorded = [Stream(ASKED[direction], split_events(path.read_bytes())) for path in _recorded(direction, "*.sse")]
    return [seed for seed in (*golden, *recorded) if seed.events]


@cache
def answers(direction: str) -> list[Answer]:
    """Finished answers of upstreams."""
    golden = [Answer(given["asked"], given[FINISHED[direction]]) for given in _golden(direction, "answer")]
    recorded = [Answer(ASKED[direction], json.loads(path.read_bytes())) for path in _recorded(direction, "*.json")]
    return [*golden, *recorded]


@cache
def errors(direction: str) -> list[Any]:
    """Bodies of upstreams' refusals."""
    return [given["body"] for given in _golden(direction, "error")]


@cache
def events_of(direction: str) -> list[list[bytes]]:
    """The events of all streams."""
    return [seed.events for seed in streams(direction)]


@cache
def pool() -> list[tuple[str, Any]]:
    """Members of all the seeds, of both directions: names, and values that stand under them somewhere."""
    found: dict[str, tuple[str, Any]] = {}
    todo: list[Any] = []
    for direction in DIRECTIONS:
        todo += [*requests(direction), *[seed.finished for seed in answers(direction)], *errors(direction)]
        todo += [json.loads(data) for events in events_of(direction) for event in events if (data := _data(event))]
    while todo:
        one = todo.pop()
        if isinstance(one, dict):
            for name, value in one.items():
                text = json.dumps(value)
                if len(text) < 2000:
                    found.setdefault(f"{name} {text}", (name, value))
            todo += one.values()
        elif isinstance(one, list):
            todo += one
    return list(found.values())


def _data(event: bytes) -> bytes:
    """What can be read of an event's data."""
    _, _, data = event.partition(b"data: ")
    try:
        json.loads(data)
    except ValueError:
        return b""
    return data
