"""Judges of what diglot emits for chat clients: the official SDK's types and accumulator, and the grammar of chunks.

    judge_completion(body)               the SDK's ChatCompletion type takes a finished answer
    judge_chunks(frames, request)        the SDK's stream helper takes a stream; returns its chunks
    judge_error(body)                    an error as both APIs send it
    added_up(chunks)                     the completion that chunks say, as far as it is comparable()

All raise AssertionError, or what the SDK raises.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any

import httpx2
import pytest
from openai import APIError, OpenAI
from openai.types.chat import ChatCompletion, ChatCompletionChunk
from pydantic import TypeAdapter

DONE = "[DONE]"
FINISH_REASONS = {"stop", "length", "tool_calls", "content_filter", "function_call"}
UNLISTED_TIERS = {"ultrafast"}  # Responses know it, and it means what it says
CUT = {"length", "content_filter"}
CHUNK_FIELDS = {"id", "object", "created", "model", "choices", "usage", "service_tier", "moderation", "obfuscation"}
_COMPLETION = TypeAdapter(ChatCompletion)
_CHUNK = TypeAdapter(ChatCompletionChunk)


# --- finished answers ------------------------------------------------------------------------------------------------


def judge_completion(body: dict[str, Any]) -> ChatCompletion:
    """A finished chat completion: the fields that clients read, in the shapes that they read them in."""
    completion = _COMPLETION.validate_python(_listed(body), strict=True)
    assert body["id"].startswith("chatcmpl-")
    assert body["created"] > 0
    assert [choice["index"] for choice in body["choices"]] == list(range(len(body["choices"])))
    assert body["choices"], "no choices"
    for choice in body["choices"]:
        assert choice["finish_reason"] in FINISH_REASONS
        _judge_message(choice["message"], choice["finish_reason"])
        assert choice["logprobs"] is None or choice["logprobs"]["content"], "log-probabilities of nothing"
    _judge_usage(body["usage"])
    json.dumps(body, allow_nan=False)
    return completion


def _listed(body: dict[str, Any]) -> dict[str, Any]:
    """*body* with a service tier from the SDK's list."""
    return {**body, "service_tier": "priority"} if body.get("service_tier") in UNLISTED_TIERS else body


def _judge_message(message: dict[str, Any], reason: str) -> None:
    assert message["role"] == "assistant"
    assert {"content", "refusal"} <= message.keys()
    calls, legacy = message.get("tool_calls"), message.get("function_call")
    assert calls is None or (calls and legacy is None)
    for call in [*(calls or []), *([{"type": "function", "id": "", "function": legacy}] if legacy else [])]:
        whole = call[call["type"]]
        assert whole["name"]
        assert call["type"] == "custom" or whole["arguments"] or reason in CUT, "clients parse arguments as JSON"
    ids = [call["id"] for call in calls or []]
    assert all(ids)
    assert len(ids) == len(set(ids)), f"ids repeat: {ids}"
    says = calls or legacy or message["refusal"]
    assert message["content"] is None if says and not message["content"] else isinstance(message["content"], str)
    assert message["refusal"] != ""
    kind = "function_call" if legacy else "tool_calls" if calls else None
    assert reason in CUT or reason == (kind or "stop"), f"{reason}, but {kind or 'no'} calls"


def _judge_usage(usage: dict[str, Any] | None) -> None:
    assert usage is None or all(type(usage[f"{side}_tokens"]) is int for side in ("prompt", "completion", "total"))


# --- streams ---------------------------------------------------------------------------------------------------------


def chunks_of(frames: Iterable[bytes]) -> list[Any]:
    """The chunks of SSE frames, each of which must be whole; the end marker becomes the string [DONE]."""
    found = [re.fullmatch(r"data: (\[DONE\]|\{.*\})\n\n", frame.decode()) for frame in frames]
    return [DONE if match and match[1] == DONE else json.loads(match[1] if match else "") for match in found]


def judge_chunks(frames: list[bytes], request: dict[str, Any] | None = None) -> list[dict[str, Any]]:
    """A whole chat stream; returns its chunks without [DONE]. One that failed ends with an error."""
    *chunks, last = chunks_of(frames)
    assert last == DONE
    assert DONE not in chunks
    failed = "error" in chunks[-1]
    said = chunks[: len(chunks) - failed]
    whole = _Chunks(said, request or {}, failed).run()
    for chunk in said:
        _CHUNK.validate_python(_typed(_listed(chunk)), strict=True)
    if failed:
        judge_error(chunks[-1])
        with pytest.raises(APIError):
            _consumed(frames)
        return chunks
    assert comparable(_consumed(frames).to_dict()) == comparable(whole)
    return chunks


def added_up(chunks: list[dict[str, Any]]) -> dict[str, Any]:
    """The chat completion that chunks add up to, whole or cut, comparable."""
    return comparable(_Chunks(chunks, {}, failed=True).run())


def judge_error(body: dict[str, Any]) -> None:
    """The envelope of protocol 7.1, the same over HTTP and in a stream."""
    assert list(body) == ["error"]
    assert body["error"].keys() == {"message", "type", "param", "code"}
    assert body["error"]["message"]
    assert body["error"]["type"]


def _typed(chunk: dict[str, Any]) -> dict[str, Any]:
    """*chunk* with free-form calls as functions: the SDK has no type for them in streams."""
    text = json.dumps(chunk)
    if '"custom"' not in text:
        return chunk
    return json.loads(text.replace('"custom"', '"function"').replace('"input"', '"arguments"'))


def _consumed(frames: list[bytes]) -> Any:
    """The final object of the SDK's stream helper, fed with *frames*."""
    content = b"".join(frames)
    transport = httpx2.MockTransport(
        lambda asked: httpx2.Response(200, headers={"content-type": "text/event-stream"}, content=content)
    )
    with (
        OpenAI(api_key="none", base_url="http://judge", http_client=httpx2.Client(transport=transport)) as client,
        client.chat.completions.stream(model="judge", messages=[]) as stream,
    ):
        return stream.until_done().current_completion_snapshot


def comparable(value: Any) -> Any:
    """Without what the SDK adds, keeps of deltas, or leaves out, and without the difference of "", null and absent."""
    if isinstance(value, dict):
        added = ("object", "parsed", "parsed_arguments", "index")
        return {k: comparable(v) for k, v in value.items() if v not in (None, "") and k not in added}
    return [comparable(v) for v in value] if isinstance(value, list) else value


class _Chunks:
    """Follows every choice from its role to its end, and adds up its message by hand."""

    def __init__(self, chunks: list[dict[str, Any]], request: dict[str, Any], failed: bool) -> None:
        self.chunks = chunks
        self.failed = failed
        self.wants_usage = (request.get("stream_options") or {}).get("include_usage") if request else None
        self.legacy = bool(request.get("functions")) and not request.get("tools")
        self.choices: list[dict[str, Any]] = []

    def run(self) -> dict[str, Any]:
        """The chat completion that the chunks add up to."""
        whole: dict[str, Any] = {"object": "chat.completion", "choices": self.choices}
        tail: list[str] = []
        for chunk in self.chunks:
            self.head(chunk)
            for choice in chunk["choices"]:
                assert not tail, "after what is said of the whole"
                self.choice(choice)
            if not chunk["choices"]:
                tail += self.of_the_whole(chunk)
        assert tail in ([], ["moderation"], ["usage"], ["moderation", "usage"]), tail  # G7, G12
        assert self.failed or self.choices
        for choice in self.choices:
            assert self.failed or choice["finish_reason"], "a choice without an end"
            if choice["finish_reason"]:
                self.message(choice)
        first, last = (self.chunks or [{}])[0], (self.chunks or [{}])[-1]
        rest = {name: chunk[name] for chunk in self.chunks for name in ("moderation",) if name in chunk}
        head = {name: first.get(name) for name in ("id", "created", "model", "service_tier")}
        return {**head, **whole, **rest, "usage": last.get("usage")}

    def head(self, chunk: dict[str, Any]) -> None:
        first = self.chunks[0]
        assert chunk.keys() <= CHUNK_FIELDS
        assert chunk["object"] == "chat.completion.chunk"
        assert chunk["id"].startswith("chatcmpl-")
        for name in ("id", "created", "model"):
            assert chunk[name] == first[name], f"{name} changed"  # G1
        assert ("usage" in chunk) == ("usage" in first), "G8"
        assert self.wants_usage is None or ("usage" in chunk) == self.wants_usage
        assert not chunk.get("usage") or not chunk["choices"]

    def of_the_whole(self, chunk: dict[str, Any]) -> list[str]:
        assert self.choices, "an empty chunk before all others"
        says = [name for name in ("moderation", "usage") if chunk.get(name)]
        assert len(says) == 1, "a chunk that says nothing"
        _judge_usage(chunk.get("usage"))
        return says

    def choice(self, choice: dict[str, Any]) -> None:
        index, delta = choice["index"], choice["delta"]  # G13
        if index == len(self.choices):  # G6
            assert delta.get("role") == "assistant", "the first delta has the role"
            assert len(self.choices) == index
            self.choices.append({"index": index, "message": {}, "logprobs": None, "finish_reason": None})
        else:
            assert "role" not in delta, "G2"
            assert len(delta) <= 1 or delta.keys() <= {"annotations", "reasoning_details", "images", "content"}
        whole = self.choices[index]
        assert whole["finish_reason"] is None, "G9: after the end of the choice"
        if choice["finish_reason"] is not None:
            assert choice["finish_reason"] in FINISH_REASONS
            assert delta == {}
            whole["finish_reason"] = choice["finish_reason"]
        for name, value in delta.items():
            self.add(whole["message"], name, value, first="role" in delta)
        if choice.get("logprobs"):
            assert choice["logprobs"]["content"]
            tokens = (whole["logprobs"] or {"content": []})["content"] + choice["logprobs"]["content"]  # G11
            whole["logprobs"] = {"content": tokens}

    def add(self, message: dict[str, Any], name: str, value: Any, first: bool) -> None:
        if name in ("role", "content", "refusal", "reasoning_content"):
            assert value != "" or first or message.get(name) is None, "an empty delta"
            assert isinstance(value, str) or first, "G4: a null"
            message[name] = value if message.get(name) is None else message[name] + (value or "")
        elif name == "tool_calls":
            assert value
            for fragment in value:
                self.call(message.setdefault("tool_calls", []), fragment)
        elif name == "function_call":
            self.function_call(message, value)
        else:
            assert value, "an empty list"
            known = message.setdefault(name, [])
            places = [member.get("index") for member in value] if known else []
            assert places == list(range(len(known), len(known) + len(places))), f"{name}: the SDK adds by index"
            message[name] = known + value

    def call(self, calls: list[dict[str, Any]], fragment: dict[str, Any]) -> None:
        assert not self.legacy
        index = fragment["index"]
        assert 0 <= index <= len(calls), "G5: indexes are dense"
        if index == len(calls):
            kind = fragment["type"]
            assert fragment.keys() == {"index", "id", "type", kind}
            payload = "input" if kind == "custom" else "arguments"
            assert fragment[kind].keys() == {"name", payload}
            assert fragment["id"] not in [call["id"] for call in calls]
            assert fragment["id"]
            assert fragment[kind]["name"]
            calls.append({"id": fragment["id"], "type": kind, kind: dict(fragment[kind])})
            return
        call = calls[index]
        kind = call["type"]
        assert fragment.keys() == {"index", kind}, "G3, G4"
        ((payload, piece),) = fragment[kind].items()
        assert payload == ("input" if kind == "custom" else "arguments")
        assert piece, "an empty delta"
        call[kind][payload] += piece

    def function_call(self, message: dict[str, Any], fragment: dict[str, Any]) -> None:
        if "function_call" not in message:  # G14
            assert fragment.keys() == {"name", "arguments"}
            message["function_call"] = dict(fragment)
        else:
            assert fragment.keys() == {"arguments"}
            assert fragment["arguments"]
            message["function_call"]["arguments"] += fragment["arguments"]

    def message(self, choice: dict[str, Any]) -> None:
        """What was added up is a message as it would be in a finished answer."""
        message = {"content": None, "refusal": None, **choice["message"]}
        if not message["content"] and (message["refusal"] or "tool_calls" in message or "function_call" in message):
            message["content"] = None  # its first delta may have come before anybody knew
        _judge_message(message, choice["finish_reason"])
