"""Judges of what diglot emits: the official SDK's types and accumulators, and the ordering rules of the stream.

    judge_answer(body)                   the SDK's Response type takes a finished answer
    judge_stream(frames, request)        the SDK's stream helper takes a stream; returns its events
    judge_chat(chat)                     strict servers would take a chat request

All raise AssertionError, or what the SDK raises.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any, get_args

import httpx2
import pytest
from openai import APIError, OpenAI
from openai.types.responses import Response, ResponseStreamEvent
from pydantic import TypeAdapter

# What every Response object must have, null or not (Open Responses' compliance suite and OpenAI's own answers).
RESPONSE_FIELDS = frozenset(
    """id object created_at completed_at status incomplete_details model previous_response_id instructions output error
    tools tool_choice truncation parallel_tool_calls text top_p presence_penalty frequency_penalty top_logprobs
    temperature reasoning usage max_output_tokens max_tool_calls store background service_tier metadata
    safety_identifier prompt_cache_key""".split()
)
TERMINAL = {"response.completed": "completed", "response.incomplete": "incomplete", "response.failed": "failed"}
OPEN_RESPONSES_NAMES = {"response.reasoning.delta", "response.reasoning.done"}
DONE = "[DONE]"

# OpenAI sends this code too, and clients act on it; the SDK's list lacks it.
UNLISTED_CODES = {
    *("context_length_exceeded", "insufficient_quota", "invalid_api_key", "model_not_found"),
    *("usage_not_included", "usage_limit_reached", "server_is_overloaded", "slow_down"),
}

_ANSWER = TypeAdapter(Response)
_EVENTS = {
    get_args(model.model_fields["type"].annotation)[0]: model for model in get_args(get_args(ResponseStreamEvent)[0])
}


def judge_answer(body: dict[str, Any]) -> Response:
    """A finished Response object: all fields there, the SDK's types take it, the accessors work."""
    assert body.keys() >= RESPONSE_FIELDS, f"missing: {sorted(RESPONSE_FIELDS - body.keys())}"
    assert isinstance(body["output"], list)
    for item in body["output"]:
        assert item.get("arguments") != "", "clients parse arguments as JSON"
    answer = _ANSWER.validate_python(_listed({"response": body})["response"])
    assert isinstance(answer.output_text, str)
    ids = [item["id"] for item in body["output"] if "id" in item]
    assert len(ids) == len(set(ids)), f"ids repeat: {ids}"
    return answer


def _listed(event: dict[str, Any]) -> dict[str, Any]:
    """*event* with an error code from the SDK's list."""
    error = (event.get("response") or {}).get("error") or {}
    if error.get("code") not in UNLISTED_CODES:
        return event
    return {**event, "response": {**event["response"], "error": {**error, "code": "server_error"}}}


def events_of(frames: Iterable[bytes]) -> list[Any]:
    """The events of SSE frames, each of which must be whole; the end marker becomes the string [DONE]."""
    return [_event_of(frame) for frame in frames]


def _event_of(frame: bytes) -> Any:
    if frame == b"data: [DONE]\n\n":
        return DONE
    found = re.fullmatch(r"event: (\S+)\ndata: (\{.*\})\n\n", frame.decode())
    assert found, f"not one whole frame: {frame!r}"
    event = json.loads(found[2])
    assert event["type"] == found[1]
    return event


def judge_stream(frames: list[bytes], request: dict[str, Any] | None = None) -> list[dict[str, Any]]:
    """A whole Responses stream: order, types, and the SDK's accumulator. Returns the events without [DONE]."""
    events = events_of(frames)
    marked = bool(events) and events[-1] == DONE
    events = events[: len(events) - marked]
    assert DONE not in events
    judge_order(events)
    nested_error = False
    for event in events:
        if event["type"] in OPEN_RESPONSES_NAMES or (event["type"] == "error" and "error" in event):
            assert marked, "a name of Open Responses in OpenAI's flavour"
            nested_error = nested_error or event["type"] == "error"
        else:
            _EVENTS[event["type"]].model_validate(_listed(event))
    judge_answer(events[-1]["response"])
    if nested_error:
        with pytest.raises(APIError):
            _consumed(frames, request)
    else:
        last = _consumed(frames, request)
        assert _comparable(last.model_dump(mode="json", by_alias=True)) == _comparable(events[-1]["response"])
    return events


def _consumed(frames: list[bytes], request: dict[str, Any] | None) -> Any:
    """The final object of the SDK's stream helper, fed with *frames*."""
    content = b"".join(frames)
    transport = httpx2.MockTransport(
        lambda asked: httpx2.Response(200, headers={"content-type": "text/event-stream"}, content=content)
    )
    declared: Any = [t for t in (request or {}).get("tools") or [] if isinstance(t, dict)]
    functions: Any = [t for t in declared if t.get("type") == "function"]
    with (
        OpenAI(api_key="none", base_url="http://judge", http_client=httpx2.Client(transport=transport)) as client,
        client.responses.stream(model="judge", input="judge", tools=functions) as stream,
    ):
        last = None
        for event in stream:
            last = getattr(event, "response", last)
        completed = stream._state._completed_response
    assert last is not None
    if completed is not None:
        assert completed.status == "completed"
        assert completed.id == last.id
    return completed or last


def _comparable(value: Any) -> Any:
    """Without what the SDK adds (parsed values) and without the difference between null and absent."""
    if isinstance(value, dict):
        added = ("parsed", "parsed_arguments")
        return {k: _comparable(v) for k, v in value.items() if v is not None and k not in added}
    if isinstance(value, list):
        return [_comparable(v) for v in value]
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value


# --- the order of events (protocol 5.2) ------------------------------------------------------------------------------


def judge_order(events: list[dict[str, Any]]) -> None:
    """The ordering rules that servers keep and clients rely on."""
    assert [e["sequence_number"] for e in events] == list(range(len(events)))
    assert events[0]["type"] == "response.created"
    assert [e["type"] for e in events if e["type"] in TERMINAL] == [events[-1]["type"]], "exactly one end, at the end"
    snapshots = [e["response"] for e in events if "response" in e]
    assert len({s["id"] for s in snapshots}) == 1
    for snapshot in snapshots[:-1]:
        assert (snapshot["status"], snapshot["usage"]) == ("in_progress", None)
        assert snapshot["error"] is None
    final = snapshots[-1]
    assert final["status"] == TERMINAL[events[-1]["type"]]
    assert (final["error"] is not None) == (final["status"] == "failed")
    assert (final["incomplete_details"] is not None) == (final["status"] == "incomplete")
    done = _Items().run(events)
    assert final["output"] == done, "the terminal output repeats the finished items"
    cut = [i for i, item in enumerate(done) if item.get("status") == "incomplete"]
    assert not cut or final["status"] != "completed", "an item is incomplete, the answer is not"
    if final["status"] == "incomplete":
        assert cut in ([], [len(done) - 1]), "only the last item is incomplete"
    for event in events:
        if event["type"] == "error":
            assert final["status"] == "failed", "after an error event comes response.failed"


_GROWING = {
    "message": ("content",),
    "reasoning": ("content", "summary"),
    "function_call": ("arguments",),
    "custom_tool_call": ("input",),
}


class _Items:
    """Follows every item from added to done."""

    def __init__(self) -> None:
        self.added: list[dict[str, Any]] = []
        self.done: dict[int, dict[str, Any]] = {}
        self.parts: dict[tuple[int, str, int], str] = {}  # (output_index, kind, index) -> text so far
        self.closed: set[tuple[int, str, int]] = set()
        self.arguments: dict[int, str] = {}
        self.annotations: dict[tuple[int, int], int] = {}

    def run(self, events: list[dict[str, Any]]) -> list[dict[str, Any]]:
        for event in events:
            name = event["type"].removeprefix("response.")
            if "output_index" in event:
                self.one(name, event, event["output_index"])
        assert sorted(self.done) == list(range(len(self.added))), "every added item is done"
        return [self.done[i] for i in sorted(self.done)]

    def one(self, name: str, event: dict[str, Any], at: int) -> None:
        if name == "output_item.added":
            assert at == len(self.added), "indexes are dense and ascending"
            assert event["item"].get("status") in ("in_progress", None)
            if event["item"]["type"] in _GROWING:
                full = [f for f in _GROWING[event["item"]["type"]] if event["item"].get(f)]
                assert not full, f"{full} not empty in added"
            self.added.append(event["item"])
            return
        item = self.added[at]
        assert at not in self.done, f"{name} after the item was done"
        assert event.get("item_id", item.get("id")) == item.get("id")
        kind, _, verb = name.rpartition(".")
        if name == "output_item.done":
            self.finish(at, item, event["item"])
        elif "content_index" in event:
            self.part(kind, verb, event, (at, "content", event["content_index"]))
        elif "summary_index" in event:
            self.part(kind, verb, event, (at, "summary", event["summary_index"]))
        elif verb == "delta":
            assert event["delta"] != "" or name.startswith("custom_tool_call"), "an empty delta"
            self.arguments[at] = self.arguments.get(at, "") + event["delta"]
        elif verb == "done":
            whole = event["arguments"] if "arguments" in event else event["input"]
            assert whole == self.arguments.get(at, "")
            assert kind == "custom_tool_call_input" or whole != ""

    def part(self, kind: str, verb: str, event: dict[str, Any], key: tuple[int, str, int]) -> None:
        if kind in ("content_part", "reasoning_summary_part") and verb == "added":
            assert key not in self.parts
            assert key[2] == 0 or (*key[:2], key[2] - 1) in self.closed, "one part at a time"
            self.parts[key] = ""
        elif kind in ("content_part", "reasoning_summary_part"):
            part = event["part"]
            assert part.get("text", part.get("refusal")) == self.parts[key]
            self.closed.add(key)
        elif kind == "output_text.annotation":
            assert key not in self.closed
            expected = self.annotations.get((key[0], key[2]), 0)
            assert event["annotation_index"] == expected
            self.annotations[(key[0], key[2])] = expected + 1
        elif verb == "delta":
            assert key in self.parts, "a delta before its part"
            assert key not in self.closed, "a delta after its part"
            assert event["delta"] != ""
            self.parts[key] += event["delta"]
        else:
            assert event.get("text", event.get("refusal")) == self.parts[key]

    def finish(self, at: int, added: dict[str, Any], item: dict[str, Any]) -> None:
        for same in ("id", "type", "call_id", "name", "namespace"):
            assert item.get(same) == added.get(same), f"{same} changed between added and done"
        assert item.get("status") != "in_progress"
        for field in ("content", "summary"):
            texts = [p.get("text", p.get("refusal")) for p in item.get(field) or []]
            assert texts == [t for k, t in self.parts.items() if k[:2] == (at, field)]
        assert all(k in self.closed for k in self.parts if k[0] == at), "a part is still open"
        for field in ("arguments", "input"):
            if isinstance(item.get(field), str) and item["type"] in ("function_call", "custom_tool_call"):
                assert item[field] == self.arguments.get(at, "")
        self.done[at] = item


# --- chat requests

_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_ROLES = {"system", "developer", "user", "assistant", "tool"}


def judge_chat(chat: dict[str, Any]) -> None:
    """What strict Chat Completions servers insist on."""
    assert isinstance(chat["model"], str)
    assert chat["messages"], "no messages"
    _judge_messages(chat["messages"])
    if "tools" in chat:
        assert chat["tools"], "an empty list of tools"
        names = [tool[tool["type"]]["name"] for tool in chat["tools"]]
        assert len(names) == len(set(names)), "two tools of one name"
        assert all(_NAME.fullmatch(name) for name in names), names
        choice = chat.get("tool_choice")
        if isinstance(choice, dict) and choice["type"] in ("function", "custom"):
            assert choice[choice["type"]]["name"] in names
    else:
        assert "tool_choice" not in chat
        assert "parallel_tool_calls" not in chat
    assert "top_logprobs" not in chat or chat.get("logprobs") is True
    assert "stream_options" not in chat or chat.get("stream") is True
    json.dumps(chat, allow_nan=False)


def _judge_messages(messages: list[dict[str, Any]]) -> None:
    pending: list[str] = []
    for message in messages:
        role = message["role"]
        assert role in _ROLES
        if role == "tool":
            assert message["tool_call_id"] in pending, "a tool message that is not right behind its call"
            pending.remove(message["tool_call_id"])
            continue
        assert not pending, f"calls without a result: {pending}"
        calls = message.get("tool_calls")
        assert calls is None or (role == "assistant" and calls)
        pending = [call["id"] for call in calls or []]
        for call in calls or []:
            if call["type"] == "function":
                json.loads(call["function"]["arguments"])
        assert message.get("content") is not None or calls or message.get("refusal"), f"an empty message: {message}"
        if isinstance(message.get("content"), list):
            assert message["content"], "an empty list of parts"
            assert all(isinstance(part["type"], str) for part in message["content"])
    assert not pending, f"calls without a result: {pending}"
