from collections.abc import Callable
from typing import Any

import pytest

from diglot.translator import BadUpstream, ServeResponses

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
    with pytest.raises(BadUpstream, match=message) as raised:
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
