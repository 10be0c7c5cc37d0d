"""What requests, answers and streams say, in either dialect: contestants that say different things are not compared."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, NamedTuple

from benchmarks.directions import Api

Body = dict[str, Any]


class AnswerContent(NamedTuple):
    """What an answer says."""

    text: str
    calls: list[tuple[str, str]]  # name and arguments


def by_answer(data: bytes, api: Api) -> AnswerContent:
    """What a finished answer says."""
    body = json.loads(data)
    return _response(body) if api == "responses" else _completion(body)


def by_stream(frames: Iterable[bytes], api: Api) -> AnswerContent:
    """What a stream says, put together from its deltas; and that it ended well."""
    events = [json.loads(data) for data in payloads(frames) if data != b"[DONE]"]
    return _events(events) if api == "responses" else _chunks(events)


def inputs(frames: Iterable[bytes]) -> list[str]:
    """The inputs of the free-form calls in a Responses stream that ended well."""
    last = json.loads(payloads(frames)[-1])
    assert last["type"] == "response.completed", last["type"]
    return [item["input"] for item in last["response"]["output"] if item["type"] == "custom_tool_call"]


def payloads(frames: Iterable[bytes]) -> list[bytes]:
    """The data of server-sent events that stand one, or several whole ones, in each frame."""
    lines = b"".join(frames).split(b"\n")
    return [line[6:] for line in lines if line.startswith(b"data: ")]


def by_request(data: bytes, api: Api) -> list[str]:
    """What the user and the tools say in a request, and the ids of the calls, in their order."""
    body = json.loads(data)
    if api == "responses":
        return [content for item in body["input"] for content in _of_item(item)]
    return [content for message in body["messages"] for content in _of_message(message)]


def _of_item(item: Body) -> list[str]:
    if item.get("type") == "function_call_output":
        return [item["call_id"], _text(item["output"])]
    return [_text(item["content"])] if item.get("role") == "user" else []


def _of_message(message: Body) -> list[str]:
    if message["role"] == "tool":
        return [message["tool_call_id"], _text(message["content"])]
    return [_text(message["content"])] if message["role"] == "user" else []


def _text(content: str | list[Body]) -> str:
    return content if isinstance(content, str) else "".join(part.get("text", "") for part in content)


def _response(body: Body) -> AnswerContent:
    items = body["output"]
    parts = [part for item in items if item["type"] == "message" for part in item["content"]]
    calls = [(item["name"], item["arguments"]) for item in items if item["type"] == "function_call"]
    return AnswerContent("".join(part["text"] or "" for part in parts), calls)


def _completion(body: Body) -> AnswerContent:
    """All choices are read as one: not everybody keeps an answer in one choice."""
    messages = [choice["message"] for choice in body["choices"]]
    functions = [call["function"] for message in messages for call in message.get("tool_calls") or ()]
    text = "".join(message.get("content") or "" for message in messages)
    return AnswerContent(text, [(function["name"], function["arguments"]) for function in functions])


def _events(events: list[Body]) -> AnswerContent:
    last = events[-1]
    assert last["type"] == "response.completed", last["type"]
    content = _response(last["response"])
    deltas = [event["delta"] or "" for event in events if event["type"] == "response.output_text.delta"]
    assert "".join(deltas) == content.text, "the deltas are not the text"
    return content


def _chunks(chunks: list[Body]) -> AnswerContent:
    choices = [choice for chunk in chunks for choice in chunk["choices"]]
    assert any(choice.get("finish_reason") in ("stop", "tool_calls") for choice in choices), "no good ending"
    text: list[str] = []
    calls: dict[int, list[str]] = {}
    for delta in (choice["delta"] for choice in choices):
        text.append(delta.get("content") or "")
        for call in delta.get("tool_calls") or ():
            name, arguments = calls.setdefault(call["index"], ["", ""])
            more = call["function"]
            calls[call["index"]] = [name or more.get("name") or "", arguments + (more.get("arguments") or "")]
    return AnswerContent("".join(text), [(name, arguments) for name, arguments in calls.values()])
