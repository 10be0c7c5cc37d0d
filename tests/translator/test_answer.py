from collections.abc import Callable
from typing import Any

import pytest

from diglot.translator import ServeResponses, UpstreamError, answer
from diglot.translator.stream.to_chat.context import CompletionContext

from chat_judges import judge_completion
from judges import judge_answer

Serve = Callable[..., ServeResponses]


def whole(message: Any, finish: Any = "stop", **more: Any) -> dict[str, Any]:
    return {"choices": [{"index": 0, "message": message, "finish_reason": finish, **more}], "model": "m-1"}


@pytest.mark.parametrize(
    ("completion", "status", "message"),
    [
        (None, 502, "no choices"),
        ("x", 502, "no choices"),
        ([], 502, "no choices"),
        ({}, 502, "no choices"),
        ({"choices": []}, 502, "no choices"),
        ({"choices": None}, 502, "no choices"),
        ({"choices": ["x"]}, 502, "no choices"),
        ({"error": {"message": "Slow down.", "code": 429}, "choices": []}, 429, "Slow down."),
        ({"error": "It broke."}, 502, "It broke."),
    ],
)
def test_what_is_no_completion_is_an_error(serve: Serve, completion: Any, status: int, message: str) -> None:
    """An error in a success, or a body of another kind, is never an empty answer."""
    with pytest.raises(UpstreamError, match=message) as raised:
        serve().answer(completion)
    assert raised.value.status == status


@pytest.mark.parametrize(
    ("finish", "status", "reason"),
    [
        ("stop", "completed", None),
        (None, "completed", None),
        ("length", "incomplete", "max_output_tokens"),
        ("content_filter", "incomplete", "content_filter"),
        ("error", "failed", None),
    ],
)
def test_endings(serve: Serve, finish: Any, status: str, reason: str | None) -> None:
    """The finish reason decides; a whole body needs none."""
    answer = serve().answer(whole({"content": "Hi"}, finish))
    judge_answer(answer)
    assert answer["status"] == status
    assert answer["incomplete_details"] == ({"reason": reason} if reason else None)
    assert (answer["completed_at"] is not None) is (status == "completed")
    assert (answer["error"] is not None) is (status == "failed")


def test_nothing_said_and_no_reason_is_a_failure(serve: Serve) -> None:
    """An empty answer that nobody ended is not complete."""
    assert serve().answer(whole({"content": None}, None))["status"] == "failed"


CALL = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}


@pytest.mark.parametrize(
    "names",
    [
        ("reasoning_content", "content", "tool_calls"),
        ("tool_calls", "content", "reasoning_content"),
        ("content", "tool_calls", "reasoning_content"),
    ],
)
def test_the_order_of_keys_says_nothing(serve: Serve, names: tuple[str, ...]) -> None:
    """Thoughts, message, calls: a whole message has no order of its own (protocol 4.4)."""
    fields = {"reasoning_content": "hm", "content": "Hi", "tool_calls": [CALL]}
    answer = serve().answer(whole({name: fields[name] for name in names}, "tool_calls"))
    assert [item["type"] for item in answer["output"]] == ["reasoning", "message", "function_call"]
    judge_answer(answer)


def test_one_exchange_may_answer_twice(serve: Serve) -> None:
    """Answers share nothing but what was asked."""
    exchange = serve({"tools": [{"type": "function", "name": "f"}]})
    one = exchange.answer(whole({"content": "Hi"}))
    other = exchange.answer(whole({"content": "Ho"}))
    assert one["id"] != other["id"]
    assert (one["output"][0]["content"][0]["text"], other["output"][0]["content"][0]["text"]) == ("Hi", "Ho")


# --- Response -> chat completion -------------------------------------------------------------------------------------

ITEMS = [
    {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "hm"}]},
    {"type": "message", "id": "msg_1", "content": [{"type": "output_text", "text": "Hi"}]},
    {"type": "function_call", "id": "fc_1", "call_id": "c", "name": "f", "arguments": "{}"},
]
RESPONSE = {
    "id": "resp_1",
    "object": "response",
    "created_at": 1,
    "model": "m-1",
    "status": "completed",
    "output": ITEMS,
}


def test_a_response_becomes_a_completion(make_context: Callable[..., CompletionContext]) -> None:
    """Thoughts, text and calls are one message; text beside calls is kept."""
    completion = answer.to_chat(RESPONSE, make_context())
    judge_completion(completion)
    assert completion == {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": "m-1",
        "choices": [
            {
                "index": 0,
                "message": {
                    "role": "assistant",
                    "content": "Hi",
                    "refusal": None,
                    "tool_calls": [CALL],
                    "reasoning_content": "hm",
                },
                "logprobs": None,
                "finish_reason": "tool_calls",
            }
        ],
        "usage": None,
    }


@pytest.mark.parametrize(
    ("finished", "status", "message"),
    [
        (None, 502, "not a Response"),
        ("x", 502, "not a Response"),
        ([], 502, "not a Response"),
        ({}, 502, "not a Response"),
        ({"choices": []}, 502, "not a Response"),
        ({"object": "response", "output": None}, 502, "has no output"),
        (
            {**RESPONSE, "status": "failed", "error": {"code": "rate_limit_exceeded", "message": "Slow down."}},
            429,
            "Slow down.",
        ),
        ({**RESPONSE, "status": "cancelled"}, 400, "cancelled"),
        ({**RESPONSE, "status": "in_progress"}, 502, "not finished"),
        ({"error": {"message": "Slow down.", "code": 429}}, 429, "Slow down."),
        ({**RESPONSE, "output": [*ITEMS, {"type": "shell_call"}]}, 502, "cannot be read"),
    ],
)
def test_what_is_no_response_is_an_error(
    make_context: Callable[..., CompletionContext], finished: Any, status: int, message: str
) -> None:
    """A Response that failed comes with HTTP 200; it is never an answer."""
    with pytest.raises(UpstreamError, match=message) as raised:
        answer.to_chat(finished, make_context())
    assert raised.value.status == status


ERROR = {"message": "Slow down.", "code": 429}
SAID = {"role": "assistant", "content": "partial"}


@pytest.mark.parametrize("reason", ["error", "stop", None])
@pytest.mark.parametrize(
    "choice",
    [
        {"error": ERROR, "message": SAID},
        {"error": ERROR},
        {"message": {**SAID, "error": ERROR}},
        {"delta": {"content": "partial", "error": ERROR}},
    ],
)
def test_an_error_in_a_choice_is_the_upstreams(serve: Serve, choice: Any, reason: Any) -> None:
    """With its status and code, and never one of ours; in a stream, the answer fails and keeps what it has."""
    chunk = {"choices": [{**choice, "finish_reason": reason}]}
    with pytest.raises(UpstreamError, match="Slow down") as raised:
        serve().answer(chunk)
    assert (raised.value.status, raised.value.code) == (429, "429")
    transducer = serve({"stream": True}).transducer()
    assert transducer.feed(chunk)[-1]["type"] == "response.failed"
    assert transducer.answer["error"] == {"code": "rate_limit_exceeded", "message": "Slow down."}
    assert transducer.failure is not None


def test_one_request_may_be_answered_twice(make_context: Callable[..., CompletionContext]) -> None:
    """Answers share nothing but what was asked."""
    context = make_context()
    one = answer.to_chat({"output_text": "Hi"}, context)
    other = answer.to_chat({"output_text": "Ho"}, context)
    assert one["id"] != other["id"]
    assert [body["choices"][0]["message"]["content"] for body in (one, other)] == ["Hi", "Ho"]
