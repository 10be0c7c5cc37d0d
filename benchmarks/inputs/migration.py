"""Files for a migration: lines of a batch, and lines of all shapes."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from benchmarks.directions import PATHS, Api

from . import answers, requests
from .answers import CREATED, Answer
from .requests import MODEL, Talk, TextMessage, ToolTurn
from .texts import encode, prose

Body = dict[str, Any]
KINDS = 64
"""So many different bodies there are."""
_BLOCK = 1_000


def talk(n: int) -> Talk:
    """One request of a batch, 3 to 8 KB: the same instructions, a document, and now and then a tool that was called."""
    steps: list[TextMessage | ToolTurn] = [TextMessage("user", prose(600 + 30 * n, n))]
    if n % 4 == 0:
        arguments = encode({"field_0": prose(60, n)}).decode()
        steps.append(ToolTurn("", f"call_{n:024}", "tool_1", arguments, prose(600, n)))
    if n % 2 == 0:
        steps += [TextMessage("assistant", prose(300, n)), TextMessage("user", prose(200, n + 1))]
    return Talk(steps, prose(1_000, 1), tools=requests.tools(2 + n % 3), stream=False)


def batch(count: int, api: Api) -> Iterator[bytes]:
    """Lines of a batch file."""
    bodies = [encode(requests.body(talk(n), api)) for n in range(KINDS)]
    for n in range(count):
        yield b'{"custom_id":"request-%d","method":"POST","url":"%b","body":%b}\n' % (
            n,
            PATHS[api].encode(),
            bodies[n % KINDS],
        )


def mixed(count: int, api: Api) -> Iterator[bytes]:
    """Lines of all shapes, in turn."""
    shaped = [list(_shapes(requests.body(talk(n), api), api, n).values()) for n in range(KINDS)]
    lines = [encode(line) + b"\n" for of_kind in shaped for line in of_kind]
    return itertools.islice(itertools.cycle(lines), count)


def _shapes(asked: Body, api: Api, n: int) -> dict[str, Body]:
    """One exchange, as each tool would write it down; the requests' places are those of `diglot migrate --shapes`."""
    answer = answers.body(Answer(prose(500, n)), api, asked)
    place = "messages" if api == "chat" else "input"
    conversation = asked[place]
    settings = {name: value for name, value in asked.items() if name not in (place, "model")}
    one_id = f"line-{n}"
    turns = [{"from": "human", "value": prose(2_000, n)}, {"from": "gpt", "value": prose(2_000, n + 1)}]
    example = {place: conversation, "tools": asked["tools"]}
    return {
        "request": asked,
        "answer": answer,
        "batch": {"custom_id": one_id, "method": "POST", "url": PATHS[api], "body": asked},
        "batch-output": {"id": one_id, "custom_id": one_id, "response": {"status_code": 200, "body": answer}},
        "pair": {"id": one_id, "request": asked, "response": answer},
        "fine-tuning": example if api == "chat" else {**example, "output": answer["output"]},
        "conversations": {"id": one_id, "conversations": turns},
        "litellm": {
            "id": one_id,
            "call_type": "acompletion" if api == "chat" else "aresponses",
            "model": MODEL,
            "messages": conversation,
            "model_parameters": settings,
            "response": answer,
            "startTime": CREATED,
        },
        "langfuse": {
            "id": one_id,
            "type": "GENERATION",
            "model": MODEL,
            "startTime": "2024-01-01T00:00:00Z",
            "input": asked,
            "output": answer,
        },
        "langsmith": {
            "id": one_id,
            "run_type": "llm",
            "start_time": "2024-01-01T00:00:00",
            "inputs": {place: conversation},
            "outputs": answer,
            "extra": {"invocation_params": {"model": MODEL, **settings}},
        },
        "helicone": {
            "request_id": one_id,
            "request_created_at": "2024-01-01T00:00:00Z",
            "request_path": PATHS[api],
            "request_body": asked,
            "response_body": answer,
        },
    }


def write(path: Path, lines: Iterable[bytes]) -> None:
    """Write a file, some lines at a time."""
    rest = iter(lines)
    with path.open("wb") as file:
        while block := list(itertools.islice(rest, _BLOCK)):
            file.writelines(block)
