"""The run of an agent: in each turn the model thinks and calls a tool, and the client sends what that returned."""

from __future__ import annotations

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
    return [{"type": "function_call_output", "call_id": _call_id(turn - 1), "output": prose(4_040, turn)}]


def request(items: list[Body], **more: Any) -> bytes:
    """A request with long instructions and many tools, as agents repeat them in each turn."""
    asked = requests.body(requests.Talk([], prose(17_000, 1), requests.tools(14), stream=False), "responses")
    return encode({**asked, "input": items, **more})


def _call_id(turn: int) -> str:
    return f"call_{turn:024}"
