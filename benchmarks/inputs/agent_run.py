"""The run of an agent that reads files: in each turn the model thinks and calls a tool, and the client sends a piece.

The files are those of Python's own library: made texts have so few words that they would compress too well.
"""

from __future__ import annotations

import email
from functools import cache
from pathlib import Path
from typing import Any

from . import answers, requests
from .answers import Answer
from .texts import encode, prose

Body = dict[str, Any]


def answer(turn: int) -> bytes:
    """What a chat upstream answers in a turn."""
    arguments = encode({"cmd": f"sed -n {turn},80p README.md", "yield_time_ms": 1000}).decode()
    call = (_call_id(turn), "tool_1", arguments)
    return encode(answers.body(Answer("", prose(200, turn), (call,)), "chat", {}))


def own_input(turn: int) -> list[Body]:
    """What the client adds in a turn."""
    if turn == 0:
        return [{"type": "message", "role": "user", "content": prose(390, 3)}]
    return [{"type": "function_call_output", "call_id": _call_id(turn - 1), "output": _file(turn)}]


def request(items: list[Body], **more: Any) -> bytes:
    """A request with long instructions and many tools, as agents repeat them in each turn."""
    asked = requests.body(requests.Talk([], prose(17_000, 1), requests.tools(14), stream=False), "responses")
    return encode({**asked, "input": items, **more})


def _file(turn: int) -> str:
    """4,000 characters, other ones in each turn."""
    return _library()[(turn * 4_000) % 1_000_000 :][:4_000]


@cache
def _library() -> str:
    files = sorted(Path(email.__file__).parent.parent.glob("[a-z]*.py"))
    return "".join(file.read_text("utf-8") for file in files)[:1_004_000]


def _call_id(turn: int) -> str:
    return f"call_{turn:024}"
