"""The judge of Responses requests: what strict servers insist on, and the official SDK's types of what goes in.

    judge_responses(request, asked)      strict servers would take a Responses request

Raises AssertionError, or what pydantic raises.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any

from openai.types.responses import ResponseCreateParams, ToolParam
from openai.types.responses.response_function_tool_call_param import ResponseFunctionToolCallParam
from openai.types.responses.response_input_param import FunctionCallOutput, Message
from pydantic import TypeAdapter

DIALECT = "input_video"  # Open Responses has it, the SDK's types do not
_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_CALL_ID = re.compile(r"\S{1,64}")
_FIELDS = {name for kind in ResponseCreateParams.__args__ for name in kind.__annotations__}
_PREFIXES = {"message": "msg", "reasoning": "rs", "function_call": "fc", "custom_tool_call": "ctc"}
_OUTPUTS = {"function_call": "function_call_output", "custom_tool_call": "custom_tool_call_output"}
_PARTS = {
    **dict.fromkeys(("user", "system", "developer"), frozenset({"input_text", "input_image", "input_file", DIALECT})),
    "assistant": frozenset({"output_text", "refusal"}),
}
_ITEM_FIELDS = {
    "message": {"type", "role", "content", "id", "status", "phase"},
    "reasoning": {"type", "id", "summary", "content", "encrypted_content", "status"},
    "function_call": {"type", "call_id", "name", "arguments", "id", "status", "namespace"},
    "custom_tool_call": {"type", "call_id", "name", "input", "id", "status", "namespace"},
    "function_call_output": {"type", "call_id", "output", "id", "status", "name"},
    "custom_tool_call_output": {"type", "call_id", "output", "id"},
}
_ITEM_TYPES: dict[str, TypeAdapter[Any]] = {
    "function_call": TypeAdapter(ResponseFunctionToolCallParam),
    "function_call_output": TypeAdapter(FunctionCallOutput),
}
_MESSAGE: TypeAdapter[Any] = TypeAdapter(Message)
_TOOL: TypeAdapter[Any] = TypeAdapter(ToolParam)
_OWN = ("function", "custom")  # the others are run by the server, and handed on as they are


def judge_responses(
    request: dict[str, Any],
    asked: dict[str, Any] | None = None,
    *,
    least_tokens: int = 16,
    extras: Iterable[str] = (),
) -> None:
    """What strict Responses servers insist on; *extras*: fields that this upstream takes beside the specified ones.

    Where the messages that were *asked* do not pair calls and results, the items need not either.
    """
    assert request.keys() <= _FIELDS | set(extras), f"no such fields: {request.keys() - _FIELDS - set(extras)}"
    assert isinstance(request["model"], str)
    assert request["input"], "no input"
    _judge_items(request["input"], paired=asked is None or _pairs(asked.get("messages", ())))
    _judge_tools(request)
    assert request.get("max_output_tokens", least_tokens) >= least_tokens
    assert "top_logprobs" not in request or "message.output_text.logprobs" in request["include"]
    assert isinstance(request.get("stream", False), bool)
    form = (request.get("text") or {}).get("format")
    assert form is None or "json_schema" not in form
    assert form is None or form["type"] != "json_schema" or {"name", "schema"} <= form.keys()
    json.dumps(request, allow_nan=False)


def _judge_items(items: list[dict[str, Any]], paired: bool) -> None:
    waiting: dict[str, str] = {}
    used: set[str] = set()
    for at, item in enumerate(items):
        kind = item["type"]
        assert item.keys() <= _ITEM_FIELDS[kind], f"{kind}: {item.keys() - _ITEM_FIELDS[kind]}"
        assert item.get("id", "x") is not None
        assert str(item.get("id", _PREFIXES.get(kind))).startswith(_PREFIXES.get(kind, "")), f"id of {kind}"
        if kind in _ITEM_TYPES:
            _ITEM_TYPES[kind].validate_python(item, strict=True)
        if kind == "message":
            _judge_input(item)
        elif kind == "reasoning":
            assert isinstance(item["summary"], list)
            following = items[at + 1 :]
            assert following, "reasoning without what it led to"
            assert following[0]["type"] in _PREFIXES, "reasoning without what it led to"
            assert following[0].get("role", "assistant") == "assistant"
        elif kind in _OUTPUTS:
            assert _CALL_ID.fullmatch(item["call_id"])
            assert item["call_id"] not in used, "two calls of one id"
            assert isinstance(item["arguments" if kind == "function_call" else "input"], str)
            assert item.get("arguments") != ""
            used.add(item["call_id"])
            waiting[item["call_id"]] = _OUTPUTS[kind]
        else:
            expected = waiting.pop(item["call_id"], None)
            assert expected == kind or not paired, "an output without its call"
            _judge_output(item["output"])
    assert not waiting or not paired, f"calls without outputs: {sorted(waiting)}"


def _judge_input(item: dict[str, Any]) -> None:
    given, role = item["content"], item["role"]
    if isinstance(given, str):
        assert role in _PARTS
        return
    assert given, "an empty list of parts"
    for part in given:
        assert part["type"] in _PARTS[role], f"{part['type']} from {role}"
        assert isinstance(part.get("text", part.get("refusal", "")), str)
        assert part["type"] != "output_text" or isinstance(part["annotations"], list)
        assert part["type"] != "input_image" or "detail" in part, "the SDK's type requires it"
    if role != "assistant" and not any(part["type"] == DIALECT for part in given):
        _MESSAGE.validate_python(item, strict=True)


def _judge_output(output: Any) -> None:
    for part in [] if isinstance(output, str) else output:
        assert part["type"] in _PARTS["user"]


def _pairs(messages: list[dict[str, Any]]) -> bool:
    """Whether a conversation pairs calls and results itself."""
    waiting: list[Any] = []
    for message in messages:
        waiting += [call["id"] for call in message.get("tool_calls") or []]
        waiting += [message["function_call"]["name"]] if message.get("function_call") else []
        if message["role"] in ("tool", "function"):
            result = message.get("tool_call_id", message.get("name"))
            if result not in waiting:
                return False
            waiting.remove(result)
    return not waiting


def _judge_tools(request: dict[str, Any]) -> None:
    tools = request.get("tools")
    if tools is None:
        assert "tool_choice" not in request
        assert "parallel_tool_calls" not in request
        return
    assert tools, "an empty list of tools"
    for tool in tools:
        _TOOL.validate_python(tool)
        assert tool["type"] not in tool, "tools are flat"
        if tool["type"] == "function":
            assert tool.keys() <= {"type", "name", "description", "parameters", "strict"}
            assert isinstance(tool["parameters"], dict)
            assert isinstance(tool["strict"], bool), "`strict` is true where it is not said"
    names = [tool["name"] for tool in tools if tool["type"] in _OWN]
    assert len(names) == len(set(names)), "two tools of one name"
    assert all(_NAME.fullmatch(name) for name in names), names
    _judge_choice(request.get("tool_choice", "auto"), tools)


def _judge_choice(choice: Any, tools: list[dict[str, Any]]) -> None:
    if isinstance(choice, str):
        assert choice in ("auto", "none", "required")
        return
    chosen = choice["tools"] if choice["type"] == "allowed_tools" else [choice]
    assert chosen
    assert choice["type"] != "allowed_tools" or choice["mode"] in ("auto", "required")
    for one in chosen:
        if one["type"] in _OWN:
            assert one.keys() == {"type", "name"}, "choices are flat"
            assert any(one == {k: tool.get(k) for k in one} for tool in tools), f"{one} is not declared"
