from collections.abc import Callable
from typing import Any

import pytest
from openai.types.responses import ResponseOutputItem
from pydantic import TypeAdapter

from diglot.translator import RequestError, ServeCompact, ServeResponses, UpstreamError, compaction
from diglot.translator.parts import reasoning

from judges import judge_stream

Serve = Callable[..., ServeResponses]
TRIGGER = {"type": "compaction_trigger"}
USER = {"role": "user", "content": "Go"}
SUMMARY = {"choices": [{"message": {"role": "assistant", "content": "Done."}, "finish_reason": "stop"}]}
CALL = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
CALLED = {"choices": [{"message": {"role": "assistant", "tool_calls": [CALL]}, "finish_reason": "tool_calls"}]}


@pytest.mark.parametrize(
    ("body", "asked"),
    [
        ({"input": [USER, TRIGGER]}, True),
        ({"input": [TRIGGER]}, True),
        ({"input": [TRIGGER, USER]}, False),
        ({"input": []}, False),
        ({"input": "x"}, False),
        ({"input": ["x"]}, False),
        ({}, False),
        (None, False),
        ([], False),
    ],
)
def test_a_trigger_at_the_end_asks_for_it(body: Any, asked: bool) -> None:
    """Only the last item counts; what is no request asks for nothing."""
    assert compaction.has_trigger(body) is asked


def test_the_request_asks_for_a_summary() -> None:
    """The trigger becomes the question; formats and limits of the next answer are not the summary's."""
    body = {"model": "m", "input": [USER, TRIGGER], "text": {}, "max_output_tokens": 5, "include": [], "tools": [1]}
    asked = compaction.request(body)
    assert asked == {
        "model": "m",
        "input": [USER, {"type": "message", "role": "user", "content": compaction.PROMPT}],
        "tools": [1],
        "tool_choice": "none",
    }
    assert body["input"] == [USER, TRIGGER]


def test_the_answer_holds_one_sealed_item(serve: Serve) -> None:
    """Nothing of the summary is shown; the next request reads it back."""
    answer = serve({"input": [USER, TRIGGER]}).answer(SUMMARY)
    (item,) = answer["output"]
    assert item["type"] == "compaction"
    assert reasoning.unseal(item["encrypted_content"]) == {"summary": "Done."}
    following = serve({"input": [item, USER]}).chat["messages"]
    assert following == [{"role": "system", "content": "Done."}, USER]


def test_the_stream_says_that_it_compacts(serve: Serve) -> None:
    """`response.compaction.compacting` stands between the item's events, and no text is streamed."""
    chunks = [
        b'data: {"choices":[{"delta":{"reasoning_content":"hm"}}]}\n\n',
        b'data: {"choices":[{"delta":{"content":"Do"},"logprobs":{"content":[]}}]}\n\n',
        b'data: {"choices":[{"delta":{"content":"ne.","annotations":[{"url":"u"}]},"finish_reason":"stop"}]}\n\n',
        b"data: [DONE]\n\n",
    ]
    stream = serve({"input": [USER, TRIGGER], "stream": True}).stream()
    events = judge_stream([frame for chunk in chunks for frame in stream.feed(chunk)])
    assert [event["type"].removeprefix("response.") for event in events] == [
        "created",
        "in_progress",
        "output_item.added",
        "compaction.compacting",
        "output_item.done",
        "completed",
    ]
    assert reasoning.unseal(events[4]["item"]["encrypted_content"]) == {"summary": "Done."}


def test_a_refused_summary_is_one_too(serve: Serve) -> None:
    """What the model refused to say is all that there is."""
    refused = {"choices": [{"message": {"refusal": "No."}, "finish_reason": "stop"}]}
    (item,) = serve({"input": [TRIGGER]}).answer(refused)["output"]
    assert reasoning.unseal(item["encrypted_content"]) == {"summary": "No."}


@pytest.mark.parametrize("completion", [CALLED, {"choices": [{"message": {"content": ""}, "finish_reason": "stop"}]}])
def test_an_answer_without_a_summary_has_failed(serve: Serve, completion: Any) -> None:
    """The context would be gone: calls are no summary, and nothing is none."""
    answer = serve({"input": [USER, TRIGGER], "tools": [{"type": "function", "name": "f"}]}).answer(completion)
    assert answer["status"] == "failed"
    assert answer["error"]["message"] == "The upstream wrote no summary."


def compact(body: Any, new_id: Any, clock: Any) -> ServeCompact:
    return ServeCompact(body, new_id=new_id, clock=clock)


@pytest.mark.parametrize("given", ["Go", [USER]])
def test_the_endpoint_answers_with_messages_and_summary(new_id: Any, clock: Any, given: Any) -> None:
    """The user's messages as output items, then the sealed summary, which the SDK takes."""
    exchange = compact({"model": "m", "input": given, "stream": True}, new_id, clock)
    assert exchange.streaming is False
    assert exchange.chat["messages"] == [USER, {"role": "user", "content": compaction.PROMPT}]
    usage = {"prompt_tokens": 3, "completion_tokens": 1}
    made = exchange.answer({**SUMMARY, "created": 5, "usage": usage})
    assert (made["object"], made["created_at"], made["usage"]["total_tokens"]) == ("response.compaction", 5, 4)
    part = {"type": "input_text", "text": "Go"}
    identified = {"id": made["output"][0]["id"], "status": "completed"}
    assert made["output"][0] == {"type": "message", "role": "user", "content": [part], **identified}
    assert identified["id"].startswith("msg_")
    assert made["output"][1]["type"] == "compaction"
    TypeAdapter(ResponseOutputItem).validate_python(made["output"][1])


def test_only_the_users_messages_are_repeated(new_id: Any, clock: Any) -> None:
    """Calls, outputs and the assistant's words are in the summary."""
    call = {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"}
    output = {"type": "function_call_output", "call_id": "c", "output": "x"}
    items = [USER, call, output, {"role": "assistant", "content": "A"}, {**USER, "type": "message", "id": "msg_1"}]
    made = compact({"model": "m", "input": items}, new_id, clock).answer(SUMMARY)
    assert [item["type"] for item in made["output"]] == ["message", "message", "compaction"]
    ids = [item["id"] for item in made["output"]]
    assert ids[1] == "msg_1"
    assert len(set(ids)) == 3
    assert items[0] == USER


@pytest.mark.parametrize(
    ("body", "param"),
    [
        (None, "body"),
        ([], "body"),
        ({}, "model"),
        ({"model": 5, "input": "x"}, "model"),
        ({"model": "m"}, "input"),
        ({"model": "m", "input": {}}, "input"),
        ({"model": "m", "input": ["x"]}, "input[0]"),
        ({"model": "m", "input": [TRIGGER]}, "input[0]"),
        ({"model": "m", "input": "x", "previous_response_id": "resp_1"}, "previous_response_id"),
    ],
)
def test_a_body_that_cannot_be_compacted_is_refused(new_id: Any, clock: Any, body: Any, param: str) -> None:
    """A 400 with the path, as for any other request."""
    with pytest.raises(RequestError) as raised:
        compact(body, new_id, clock)
    assert raised.value.param == param


@pytest.mark.parametrize(
    "completion",
    [CALLED, {"choices": [{"message": {"content": "Do"}, "finish_reason": "length"}]}, {"error": "x"}, None],
)
def test_a_summary_that_is_not_whole_is_an_error(new_id: Any, clock: Any, completion: Any) -> None:
    """The client must not throw its context away for half a summary."""
    exchange = compact({"model": "m", "input": "Go", "tools": [{"type": "function", "name": "f"}]}, new_id, clock)
    with pytest.raises(UpstreamError) as raised:
        exchange.answer(completion)
    assert raised.value.status == 502


@pytest.mark.parametrize(
    ("management", "limit"),
    [
        (None, None),
        ([], None),
        ([{"type": "compaction"}], None),
        ([{"type": "compaction", "compact_threshold": None}], None),
        ([{"type": "compaction", "compact_threshold": 9}, {"type": "compaction", "compact_threshold": 7}], 7),
    ],
)
def test_the_threshold(management: Any, limit: int | None) -> None:
    """The lowest one that is named."""
    assert compaction.threshold({"context_management": management}) == limit
