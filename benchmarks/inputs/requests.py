"""Requests: one conversation each, written down in either dialect."""

from __future__ import annotations

import base64
import random
from collections.abc import Callable
from typing import Any, NamedTuple

from benchmarks.directions import Api

from .texts import encode, prose

Body = dict[str, Any]
MODEL = "my-local-model"


class TextMessage(NamedTuple):
    """A message."""

    role: str
    text: str
    image: str | None = None  # a data URL


class ToolTurn(NamedTuple):
    """A turn of the model: it thinks, calls a tool and gets what that returns."""

    thoughts: str
    call_id: str
    name: str
    arguments: str
    output: str


class Tool(NamedTuple):
    name: str
    description: str
    parameters: Body


class Talk(NamedTuple):
    """What a request says, in no dialect."""

    steps: list[TextMessage | ToolTurn]
    instructions: str | None = None
    tools: tuple[Tool, ...] = ()
    stream: bool = True
    effort: str | None = None
    logprobs: bool = False
    responses_only: Body = {}  # what only a Responses client would send


def body(talk: Talk, api: Api) -> Body:
    """The request in one dialect."""
    return _responses(talk) if api == "responses" else _chat(talk)


def data(name: str, api: Api) -> bytes:
    """One of REQUESTS, as bytes."""
    return encode(body(REQUESTS[name](), api))


# the conversations


def small() -> Talk:
    """One question."""
    asked = TextMessage("user", "What is the difference between a diglot, a polyglot and a translator?")
    return Talk([asked], "You are a helpful assistant. Answer in one short sentence.")


def codex() -> Talk:
    """A request with the shape and size of the Codex CLI's: long instructions, many tools, 40 turns; 240 KB."""
    steps: list[TextMessage | ToolTurn] = [
        TextMessage("developer", prose(17_000, 1)),
        TextMessage("developer", prose(2_460, 2)),
        TextMessage("user", prose(390, 3)),
    ]
    for turn in range(40):
        arguments = encode({"cmd": f"sed -n {turn},80p README.md", "yield_time_ms": 1000}).decode()
        steps.append(ToolTurn(prose(60, turn), f"call_{turn:024}", "tool_1", arguments, prose(4_040, turn)))
    only = {
        "include": ["reasoning.encrypted_content"],
        "prompt_cache_key": f"{6:032}",
        "client_metadata": {"turn": encode({f"field_{n}": f"{n:036}" for n in range(30)}).decode()},
    }
    return Talk(steps, tools=tools(14), effort="high", responses_only=only)


def messages(count: int = 1_000) -> Talk:
    """A conversation of *count* messages and a last question; 1,000 are 1 MB."""
    steps: list[TextMessage | ToolTurn] = [
        TextMessage(("user", "assistant")[n % 2], prose(870, n)) for n in range(count)
    ]
    return Talk([*steps, TextMessage("user", "And now?")])


def image() -> Talk:
    """One message with a picture of 5 MB as a data URL."""
    picture = base64.b64encode(random.Random(5).randbytes(3_930_000)).decode()
    return Talk([TextMessage("user", "What is on this picture?", f"data:image/png;base64,{picture}")])


def declaring(count: int) -> Talk:
    """A short request with *count* tools."""
    return small()._replace(tools=tools(count))


def tools(count: int) -> tuple[Tool, ...]:
    """Functions of 0 to 9 parameters, some of them nested."""
    return tuple(Tool(f"tool_{n}", prose(90 + 120 * (n % 7), n), _parameters(n % 10, n)) for n in range(count))


REQUESTS: dict[str, Callable[[], Talk]] = {
    "small": small,
    "Codex": codex,
    "1,000 messages": messages,
    "5 MB image": image,
}


def _parameters(count: int, seed: int) -> Body:
    fields: Body = {f"field_{n}": {"type": "string", "description": prose(70, seed + n)} for n in range(count)}
    if count > 6:
        items = {"type": "object", "properties": dict(fields), "required": list(fields), "additionalProperties": False}
        fields["several"] = {"type": "array", "items": items}
    return {"type": "object", "properties": fields, "required": list(fields)[:3], "additionalProperties": False}


# the dialects


def _responses(talk: Talk) -> Body:
    asked: Body = {"model": MODEL, "stream": talk.stream, "store": False, "parallel_tool_calls": True}
    asked["input"] = [item for n, step in enumerate(talk.steps) for item in _items(step, n)]
    if talk.instructions:
        asked |= {"instructions": talk.instructions, "temperature": 0.2, "max_output_tokens": 400}
    if talk.tools:
        declared = [{"type": "function", **tool._asdict(), "strict": False} for tool in talk.tools]
        asked |= {"tools": declared, "tool_choice": "auto"}
    if talk.effort:
        asked["reasoning"] = {"effort": talk.effort, "summary": "detailed"}
    if talk.logprobs:
        asked |= {"include": ["message.output_text.logprobs"], "top_logprobs": 2}
    return {**asked, **talk.responses_only}


def _items(step: TextMessage | ToolTurn, n: int) -> list[Body]:
    if isinstance(step, ToolTurn):
        call_id = step.call_id
        thought = {"type": "summary_text", "text": step.thoughts}
        call = {"name": step.name, "arguments": step.arguments, "call_id": call_id}
        return [
            {"type": "reasoning", "id": f"rs_{n:048}", "summary": [thought], "encrypted_content": "0" * 100},
            {"type": "function_call", "status": "completed", "id": f"fc_{n:048}", **call},
            {"type": "function_call_output", "call_id": call_id, "output": step.output},
        ]
    if step.role == "assistant":
        told = {"type": "output_text", "text": step.text, "annotations": [], "logprobs": []}
        done = {"id": f"msg_{n:048}", "status": "completed"}
        return [{"type": "message", "role": "assistant", "content": [told], **done}]
    parts: list[Body] = [{"type": "input_text", "text": step.text}]
    if step.image:
        parts.append({"type": "input_image", "detail": "auto", "image_url": step.image})
    return [{"type": "message", "role": step.role, "content": parts}]


def _chat(talk: Talk) -> Body:
    asked: Body = {"model": MODEL, "stream": talk.stream, "parallel_tool_calls": True}
    if talk.stream:
        asked["stream_options"] = {"include_usage": True}
    asked["messages"] = [message for step in talk.steps for message in _messages(step)]
    if talk.instructions:
        asked["messages"].insert(0, {"role": "system", "content": talk.instructions})
        asked |= {"temperature": 0.2, "max_completion_tokens": 400}
    if talk.tools:
        declared = [{"type": "function", "function": {**tool._asdict(), "strict": False}} for tool in talk.tools]
        asked |= {"tools": declared, "tool_choice": "auto"}
    if talk.effort:
        asked["reasoning_effort"] = talk.effort
    if talk.logprobs:
        asked |= {"logprobs": True, "top_logprobs": 2}
    return asked


def _messages(step: TextMessage | ToolTurn) -> list[Body]:
    if isinstance(step, ToolTurn):
        function = {"name": step.name, "arguments": step.arguments}
        call = {"id": step.call_id, "type": "function", "function": function}
        turn = {"role": "assistant", "content": None, "reasoning_content": step.thoughts, "tool_calls": [call]}
        return [turn, {"role": "tool", "tool_call_id": step.call_id, "content": step.output}]
    if step.image is None:
        return [{"role": step.role, "content": step.text}]
    picture = {"type": "image_url", "image_url": {"url": step.image, "detail": "auto"}}
    return [{"role": step.role, "content": [{"type": "text", "text": step.text}, picture]}]
