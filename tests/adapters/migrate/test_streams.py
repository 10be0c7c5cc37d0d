"""Recorded streams, as texts and as lists."""

import json
from typing import Any

import pytest

from diglot.adapters.migrate import LineError, Options, convert_line
from diglot.adapters.migrate.streams import events_of, finished_response, single_choices, stream_dialect, text_of

ASK = {"model": "m", "messages": [{"role": "user", "content": "Hi"}]}
USAGE = {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}


def chunk(index: int, delta: dict[str, Any], finish_reason: str | None = None) -> dict[str, Any]:
    choice = {"index": index, "delta": delta, "finish_reason": finish_reason}
    return {"id": "c", "object": "chat.completion.chunk", "created": 5, "model": "m", "choices": [choice]}


CHUNKS = [
    chunk(0, {"role": "assistant", "content": "Yo"}),
    chunk(0, {}, "stop"),
    {**chunk(0, {}), "choices": [], "usage": USAGE},
]
TWO = [
    {**chunk(0, {}), "choices": [*chunk(0, {"content": "Yo"})["choices"], *chunk(1, {"content": "Ho"})["choices"]]},
    chunk(1, {}, "stop"),
    *CHUNKS[1:],
]
TEXT = text_of(CHUNKS, "chat")


def converted(line: Any, to: Any = "responses", **settings: Any) -> list[Any]:
    return [json.loads(each) for each in convert_line(json.dumps(line), Options(to=to, **settings)).data.splitlines()]


@pytest.mark.parametrize(
    ("body", "dialect"),
    [
        (CHUNKS, "chat"),
        ([{"choices": []}, {"choices": [{"delta": {}}]}], "chat"),
        ([{"type": "response.created"}], "responses"),
        (TEXT, "chat"),
        ([{"type": "message"}, "x"], None),
        ([{"choices": [{"message": {}}]}], None),
        ([], None),
        ("", None),
        ("{}", None),
        ("data: hello\n\n", None),
        ({}, None),
    ],
)
def test_dialects(body: Any, dialect: Any) -> None:
    """What is in the events says it; other texts and lists have none."""
    assert stream_dialect(body) == dialect


def test_texts_there_and_back() -> None:
    """Ends and what was cut off are no events; each dialect has its own frames."""
    assert events_of(TEXT.replace("\n", "\r\n") + 'data: {"choi') == CHUNKS
    assert text_of([{"type": "response.created"}], "responses") == (
        'event: response.created\ndata: {"type":"response.created"}\n\n'
    )


def test_choices() -> None:
    """Each is a stream of its own, with the index 0; the first one has the usage."""
    assert single_choices(TEXT) == [TEXT]
    assert single_choices(CHUNKS) == [CHUNKS]
    calls = text_of([chunk(0, {"tool_calls": [{"index": 1}]})], "chat")
    assert single_choices(calls) == [calls]
    for stream in (TWO, text_of(TWO, "chat")):
        first, second = map(events_of, single_choices(stream))
        assert [event["choices"] for event in first] == [
            chunk(0, {"content": "Yo"})["choices"],
            chunk(0, {}, "stop")["choices"],
            [],
        ]
        assert [event["choices"][0]["delta"] for event in second] == [{"content": "Ho"}, {}]
        assert [event.get("usage") for event in second] == [None, None]
    assert len(single_choices([*TWO, "no chunk"])[0]) == 4


def test_what_a_stream_amounts_to() -> None:
    """The last event of a Responses stream has it; a stream that breaks off has nothing."""
    [events] = converted(CHUNKS)
    assert finished_response(events)["output"][0]["content"][0]["text"] == "Yo"
    assert finished_response(events[:-1]) is None


@pytest.mark.parametrize("is_text", [True, False])
@pytest.mark.parametrize(
    ("line", "place"),
    [
        ({"request": ASK}, "answer"),
        ({"custom_id": "1", "error": None}, "response.body"),
        ({"call_type": "completion", **ASK}, "response"),
        ({"type": "GENERATION", "input": ASK["messages"]}, "output"),
        ({"run_type": "llm", "inputs": ASK}, "outputs"),
        ({"run_type": "llm", "inputs": ASK}, "outputs.output"),
        ({"run_type": "llm", "inputs": ASK}, "outputs.outputs"),
        ({"request_id": "h", "request_body": ASK}, "response_body"),
    ],
)
def test_streams_in_lines(line: dict[str, Any], place: str, is_text: bool) -> None:
    """They stay streams, in the form that they have, there and back; of several choices, each is a line."""
    *names, last = place.split(".")

    def with_stream(stream: Any) -> dict[str, Any]:
        inner: Any = {last: text_of(stream, "chat") if is_text else stream}
        for name in reversed(names):
            inner = {name: inner}
        return {**line, **inner}

    def stream_of(made: Any) -> Any:
        for name in (*names, last):
            made = made[name]
        assert isinstance(made, str) is is_text
        return events_of(made)

    [there] = converted(with_stream(CHUNKS))
    assert finished_response(stream_of(there))["output"][0]["content"][0]["text"] == "Yo"
    [back] = converted(there, "chat")
    deltas = [choice["delta"].get("content") for event in stream_of(back) for choice in event["choices"]]
    assert "".join(delta or "" for delta in deltas) == "Yo"
    assert converted(there) == [there]
    both = [finished_response(stream_of(made)) for made in converted(with_stream(TWO))]
    assert [each["output"][0]["content"][0]["text"] for each in both] == ["Yo", "Ho"]
    assert [each["usage"] is None for each in both] == [False, True]
    assert len({each["id"] for each in both}) == 2


def test_lines_that_are_streams() -> None:
    """A list of chunks is an answer; a lone chunk is none."""
    made = convert_line(json.dumps(CHUNKS), Options(to="responses"))
    assert (made.shape, made.model) == ("answer", "m")
    assert len(converted(TWO)) == 2
    with pytest.raises(LineError, match="one chunk of a stream"):
        converted(CHUNKS[0])
    with pytest.raises(LineError, match="does not have the shape 'batch'; its fields are: none"):
        converted(CHUNKS, shape="batch")


@pytest.mark.parametrize("is_text", [True, False])
def test_streams_become_conversations(is_text: bool) -> None:
    """For training, a stream is what it amounts to; each choice is a conversation."""
    said = [{"role": "assistant", "content": text} for text in ("Yo", "Ho")]
    line = {"request": ASK, "response": text_of(TWO, "chat") if is_text else TWO}
    made = convert_line(json.dumps(line), Options(to="chat", shape="fine-tuning"))
    conversations = [json.loads(each) for each in made.data.splitlines()]
    assert conversations == [{"messages": [*ASK["messages"], one]} for one in said]
    assert ("choices", "emulated") in [loss[:2] for loss in made.losses]
    [events] = converted(CHUNKS)
    asked = {"model": "m", "input": "Hi"}
    answer = text_of(events, "responses") if is_text else events
    [made_of_events] = converted({"request": asked, "answer": answer}, "chat", shape="fine-tuning")
    assert made_of_events == conversations[0]
    with pytest.raises(LineError, match="the message of its answer"):
        converted({"request": asked, "answer": events[:-1]}, "chat", shape="fine-tuning")
