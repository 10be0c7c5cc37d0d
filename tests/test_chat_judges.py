"""The judges of chunks and of Responses requests see what they are there for: each of these breaks one rule."""

import json
from typing import Any

import pytest

from chat_judges import judge_chunks
from responses_judges import judge_responses

HEAD = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "m"}
ROLE: dict[str, Any] = {"role": "assistant", "content": None}
FIRST = {"index": 0, "id": "call_1", "type": "function", "function": {"name": "f", "arguments": ""}}
NEXT = {"index": 0, "function": {"arguments": "{}"}}


def said(delta: dict[str, Any], reason: str | None = None, index: int = 0, **more: Any) -> dict[str, Any]:
    choice = {"index": index, "delta": delta, "logprobs": None, "finish_reason": reason}
    return {**HEAD, "choices": [choice], **more}


def called(*fragments: dict[str, Any]) -> dict[str, Any]:
    return said({"tool_calls": list(fragments)})


TEXT = [said(ROLE), said({"content": "Hi"})]
END, CALLS = said({}, "stop"), said({}, "tool_calls")
USAGE = {**HEAD, "choices": [], "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}}
ERROR = {"error": {"message": "Bad.", "type": "server_error", "param": None, "code": None}}


def frames(chunks: list[dict[str, Any]]) -> list[bytes]:
    return [b"data: %s\n\n" % json.dumps(chunk).encode() for chunk in chunks] + [b"data: [DONE]\n\n"]


@pytest.mark.parametrize(
    "chunks",
    [
        [*TEXT, END],
        [said(ROLE), called(FIRST, {**FIRST, "index": 1, "id": "call_2"}), called({**NEXT, "index": 1}, NEXT), CALLS],
        [said(ROLE), said(ROLE, index=1), said({"content": "Hi"}, index=1), TEXT[1], said({}, "stop", index=1), END],
        [*[{**chunk, "usage": None} for chunk in [*TEXT, END]], USAGE],
        [*TEXT, ERROR],
    ],
    ids=["text", "calls", "two choices", "usage", "error"],
)
def test_good_streams_pass(chunks: list[dict[str, Any]]) -> None:
    """What the grammar allows is taken."""
    assert judge_chunks(frames(chunks)) == chunks


@pytest.mark.parametrize(
    "chunks",
    [
        [*TEXT, {**END, "id": "chatcmpl-2"}],
        [*TEXT, {**END, "object": "chunk"}],
        [said({"content": "Hi"}), END],
        [*TEXT, said({"role": "assistant"}), END],
        [said(ROLE), called(FIRST), called({**NEXT, "id": "call_1"}), CALLS],
        [said(ROLE), called(FIRST), called({**NEXT, "type": None}), CALLS],
        [said(ROLE), called({**FIRST, "index": 1}), CALLS],
        [said(ROLE, index=1), said(ROLE), END, said({}, "stop", index=1)],
        [*[{**chunk, "usage": None} for chunk in TEXT], USAGE, {**END, "usage": None}],
        [*TEXT, END, USAGE],
        [*TEXT, END, said({"content": "more"})],
        [*TEXT, END, END],
        TEXT,
        [*TEXT, said({"content": ""}), END],
        [said(ROLE), called(FIRST), CALLS],
        [said(ROLE), called(FIRST), called(NEXT), END],
        [*TEXT, CALLS],
        [*TEXT, said({"annotations": [{}]}), said({"annotations": [{}]}), END],
        [*TEXT, said({}, "error")],
        [*TEXT, {"error": {"message": "Bad."}}],
        [*TEXT, ERROR, END],
    ],
    ids=[
        *("G1 id", "G1 object", "G2 no role", "G2 role twice", "G3 id again", "G4 null type", "G5 index", "G6 order"),
        *("G7 usage early", "G8 usage alone", "G9 behind the end", "G9 two ends", "no end", "empty delta"),
        *("no arguments", "calls and stop", "no calls", "list twice", "unknown reason", "poor error", "error inside"),
    ],
)
def test_broken_streams_do_not_pass(chunks: list[dict[str, Any]]) -> None:
    """Each rule of the grammar is looked at."""
    with pytest.raises((AssertionError, KeyError)):
        judge_chunks(frames(chunks))


CALL = {"type": "function_call", "call_id": "call_1", "name": "f", "arguments": "{}"}
OUTPUT = {"type": "function_call_output", "call_id": "call_1", "output": "1"}
TOOL = {"type": "function", "name": "f", "parameters": {"type": "object"}, "strict": False}


def asked(*items: dict[str, Any], **settings: Any) -> dict[str, Any]:
    return {"model": "m", "input": [*items] or [{"type": "message", "role": "user", "content": "Hi"}], **settings}


def message(role: str, *parts: dict[str, Any]) -> dict[str, Any]:
    return {"type": "message", "role": role, "content": list(parts)}


def test_good_requests_pass() -> None:
    """What strict servers take is taken."""
    said_before = message("assistant", {"type": "output_text", "text": "Hi", "annotations": []})
    items = [message("user", {"type": "input_text", "text": "Hi"}), said_before, CALL, OUTPUT]
    judge_responses(asked(*items, tools=[TOOL], tool_choice={"type": "function", "name": "f"}, max_output_tokens=16))


@pytest.mark.parametrize(
    "request_",
    [
        asked(messages=[]),
        asked(max_output_tokens=15),
        asked(CALL),
        asked(OUTPUT),
        asked(OUTPUT, CALL),
        asked({**CALL, "id": "call_1"}, OUTPUT),
        asked({**CALL, "arguments": ""}, OUTPUT),
        asked(message("user", {"type": "text", "text": "Hi"})),
        asked(message("user", {"type": "output_text", "text": "Hi", "annotations": []})),
        asked(message("assistant", {"type": "input_text", "text": "Hi"})),
        asked({"type": "reasoning", "summary": []}),
        asked(tool_choice="auto"),
        asked(tools=[]),
        asked(tools=[{"type": "function", "function": {"name": "f"}}]),
        asked(tools=[{**TOOL, "strict": None}]),
        asked(tools=[TOOL, TOOL]),
        asked(tools=[{**TOOL, "name": "f f"}]),
        asked(tools=[TOOL], tool_choice={"type": "function", "name": "g"}),
        asked(tools=[TOOL], tool_choice={"type": "function", "function": {"name": "f"}}),
        asked(top_logprobs=1, include=[]),
        asked(text={"format": {"type": "json_schema", "json_schema": {}}}),
    ],
)
def test_broken_requests_do_not_pass(request_: dict[str, Any]) -> None:
    """Each rule of strict servers is looked at."""
    with pytest.raises((AssertionError, KeyError, ValueError)):
        judge_responses(request_)
