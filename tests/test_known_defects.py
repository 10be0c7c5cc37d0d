"""What other bridges from Chat Completions to Responses upstreams were measured to get wrong, and this one does not."""

from __future__ import annotations

import itertools
import json
from typing import Any

import pytest

from diglot.translator import RequestError, ServeChat, UpstreamError

from chat_judges import added_up, judge_chunks
from event_streams import events_of

ASKED = {"model": "m", "messages": [{"role": "user", "content": "Hi"}]}
TEXT = {
    "type": "message",
    "id": "msg_1",
    "role": "assistant",
    "status": "completed",
    "content": [{"type": "output_text", "text": "Let me look.", "annotations": []}],
}
THOUGHT = {"type": "reasoning", "id": "rs_1", "summary": []}
REFUSAL = {**TEXT, "content": [{"type": "refusal", "refusal": "I will not."}]}


def call(number: int) -> dict[str, Any]:
    """A call, whose arguments tell it from others."""
    kept = {"id": f"fc_{number}", "call_id": f"call_{number}", "status": "completed"}
    return {"type": "function_call", "name": "f", "arguments": f'{{"a":{number}}}', **kept}


def response(*output: Any, status: str = "completed", **rest: Any) -> dict[str, Any]:
    return {"id": "resp_1", "object": "response", "model": "m", "status": status, "output": list(output), **rest}


def exchange(**asked: Any) -> ServeChat:
    ids = itertools.count()
    return ServeChat({**ASKED, **asked}, new_id=lambda prefix: f"{prefix}-{next(ids)}", clock=lambda: 1.0)


def unstreamed(answer: dict[str, Any]) -> dict[str, Any]:
    return exchange().answer(answer)


def chunks(answer: dict[str, Any]) -> list[dict[str, Any]]:
    """What the client gets, one read for each event."""
    stream = exchange(stream=True).stream()
    events = [b"data: %b\n\n" % json.dumps(event).encode() for event in events_of(answer)]
    frames = [frame for event in events for frame in stream.feed(event)]
    return judge_chunks(frames + stream.finish(), {**ASKED, "stream": True})


def streamed(answer: dict[str, Any]) -> dict[str, Any]:
    return added_up(chunks(answer))


ways = pytest.mark.parametrize("way", [unstreamed, streamed])


@ways
def test_text_and_calls_are_one_choice(way: Any) -> None:
    """The text beside calls is kept, and both are one message of one choice."""
    answer = way(response(TEXT, call(1), call(2)))
    (choice,) = answer["choices"]
    assert choice["message"]["content"] == "Let me look."
    assert [made["id"] for made in choice["message"]["tool_calls"]] == ["call_1", "call_2"]
    assert choice["finish_reason"] == "tool_calls"


def test_indexes_of_calls_are_dense() -> None:
    """They count calls: the reasoning and the text before them have none, whatever their `output_index`."""
    said = chunks(response(THOUGHT, TEXT, call(1), call(2)))
    deltas = [choice["delta"] for chunk in said for choice in chunk["choices"]]
    assert {made["index"] for delta in deltas for made in delta.get("tool_calls", ())} == {0, 1}


def test_text_beside_calls_goes_up() -> None:
    """What the assistant said when it called is part of the conversation."""
    made = {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    said = {"role": "assistant", "content": "Let me look.", "tool_calls": [made]}
    result = {"role": "tool", "tool_call_id": "call_1", "content": "5"}
    sent = exchange(messages=[*ASKED["messages"], said, result]).responses["input"]
    assert [item["type"] for item in sent] == ["message", "message", "function_call", "function_call_output"]
    assert "Let me look." in json.dumps(sent[1])


def test_audio_is_not_sent_as_text() -> None:
    """Responses have no audio: it is refused with its place, and not handed over as a text full of base64."""
    part = {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}}
    with pytest.raises(RequestError) as refused:
        exchange(messages=[{"role": "user", "content": [part]}])
    assert refused.value.param == "messages[0].content[0]"


def test_a_failure_is_no_stop() -> None:
    """A failed Response is an error, also when the server says so with a success."""
    failed = response(TEXT, status="failed", error={"code": "server_error", "message": "Broken."})
    with pytest.raises(UpstreamError, match="Broken"):
        unstreamed(failed)
    *said, last = chunks(failed)
    assert last["error"]["message"] == "Broken."
    assert not any(choice["finish_reason"] for chunk in said for choice in chunk["choices"])


@ways
def test_a_refusal_is_one(way: Any) -> None:
    """It is in the place where clients look for it, and no text."""
    (choice,) = way(response(REFUSAL))["choices"]
    assert choice["message"]["refusal"] == "I will not."
    assert not choice["message"].get("content")
