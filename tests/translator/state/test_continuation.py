"""Where a request stands among others."""

from collections.abc import Callable
from typing import Any

import pytest

from diglot.translator import RequestError, ServeCompact, ServeResponses, UntranslatableError
from diglot.translator.state import Continuation

KEY = "0123456789abcdef" * 2
Serve = Callable[..., ServeResponses]
EARLIER = [
    {"type": "message", "id": "msg_1", "role": "user", "content": "One"},
    {"type": "message", "id": "msg_2", "role": "assistant", "content": [{"type": "output_text", "text": "First"}]},
]
FORGOTTEN = {"type": "reasoning", "id": "rs_1", "summary": []}
ANSWER = {"choices": [{"message": {"role": "assistant", "content": "Yes"}, "finish_reason": "stop"}]}


def test_the_request_is_what_it_stands_for(serve: Serve) -> None:
    """Without what only a store knows."""
    exchange = serve({"previous_response_id": "resp_1", "store": True}, continuation=Continuation(KEY, EARLIER))
    assert exchange.chat == serve({"input": [*EARLIER, {"role": "user", "content": "Go"}]}).chat
    assert list(exchange.report) == []


def test_ids_are_made_of_the_key(serve: Serve) -> None:
    """For every try the same ones."""
    continuation = Continuation(KEY)
    answers = [serve(continuation=continuation).answer(ANSWER) for _ in range(2)]
    assert answers[0] == answers[1]
    assert answers[0]["id"] == f"resp_{KEY}"
    assert answers[0]["output"][0]["id"].startswith(f"msg_{KEY}")


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({}, {"previous_response_id": None, "store": True}),
        ({"is_stored": False}, {"previous_response_id": None, "store": False}),
        ({"previous": "resp_1"}, {"previous_response_id": "resp_1", "store": True}),
        (
            {"conversation": "conv_1"},
            {"previous_response_id": None, "store": True, "conversation": {"id": "conv_1"}},
        ),
    ],
)
def test_what_the_answer_says_of_it(serve: Serve, more: dict[str, Any], expected: dict[str, Any]) -> None:
    """It is in the answer, too."""
    continuation = Continuation(KEY, **more)
    assert continuation.echo() == expected
    answer = serve(continuation=continuation).answer(ANSWER)
    assert {name: answer[name] for name in expected} == expected
    assert ("conversation" in answer) == ("conversation" in expected)


def test_what_is_kept_of_the_request(serve: Serve) -> None:
    """Its own items with their ids; nothing if nothing is stored."""
    kept = serve(continuation=Continuation(KEY, EARLIER)).to_keep
    assert kept is not None
    assert [item["content"] for item in kept] == [[{"type": "input_text", "text": "Go"}]]
    assert kept[0]["id"].startswith(f"msg_{KEY}")
    assert serve(continuation=Continuation(KEY, EARLIER, is_stored=False)).to_keep is None
    assert serve().to_keep is None


def test_a_conversation_has_each_item_once(serve: Serve) -> None:
    """That is an error where the items are added, and none where they are only read."""
    again = {"input": [EARLIER[0]]}
    inside = Continuation(KEY, EARLIER, conversation="conv_1")
    with pytest.raises(RequestError, match="Duplicate item found"):
        serve(again, continuation=inside)
    assert serve(again, continuation=inside._replace(is_stored=False)).chat["messages"][0]["content"] == "One"


def test_losses_and_errors_have_the_clients_places(serve: Serve) -> None:
    """What the client did not send itself is `input` as a whole."""
    continuation = Continuation(KEY, [*EARLIER, FORGOTTEN])
    body = {"input": [{"role": "user", "content": "Go"}, {**FORGOTTEN, "id": "rs_2"}]}
    exchange = serve(body, continuation=continuation)
    assert [loss.path for loss in exchange.report] == ["input", "input[1]"]
    assert [exchange.caller_path(f"messages[{i}].content") for i in range(3)] == [
        *("input", "input", "input[0].content"),
    ]
    assert exchange.caller_path("temperature") == "temperature"
    with pytest.raises(UntranslatableError) as caught:
        serve(body, continuation=continuation, strict=True)
    assert [loss.path for loss in caught.value.losses] == ["input", "input[1]"]
    with pytest.raises(RequestError) as refused:
        serve({"input": [{"role": "nobody", "content": "Go"}]}, continuation=continuation)
    assert (refused.value.param or "").startswith("input[0]")


def test_references_have_the_places_of_those_that_name_them(serve: Serve) -> None:
    """An item that came from elsewhere is an item of the client's request."""
    continuation = Continuation(KEY, (), {"rs_1": FORGOTTEN})
    body = {"input": [{"role": "user", "content": "Go"}, {"type": "item_reference", "id": "rs_1"}]}
    exchange = serve(body, continuation=continuation)
    assert [loss.path for loss in exchange.report] == ["input[1]"]


def test_a_chain_is_compacted(serve: Serve) -> None:
    """The model summarizes all of it."""
    exchange = ServeCompact({"model": "m", "previous_response_id": "resp_1"}, continuation=Continuation(KEY, EARLIER))
    assert [message["content"] for message in exchange.chat["messages"]][:2] == ["One", "First"]
    made = exchange.answer(ANSWER)
    assert made["object"] == "response.compaction"
    assert made["output"][-1]["type"] == "compaction"


def test_what_is_left_out(serve: Serve) -> None:
    """The places are those of the whole history; what is kept stays whole."""
    body = {"input": [{"role": "user", "content": "Two"}, {"role": "user", "content": "Three"}]}
    exchange = serve(body, continuation=Continuation(KEY, EARLIER), left_out=frozenset({0, 1, 2}))
    assert exchange.chat["messages"] == [{"role": "user", "content": "Three"}]
    assert exchange.to_keep is not None
    assert len(exchange.to_keep) == 2
    assert exchange.caller_path("messages[0].content") == "input[1].content"
    (loss,) = exchange.report
    assert (loss.path, loss.kind) == ("truncation", "emulated")
    assert loss.why == "the oldest 3 items were left out: the context is too long"
    alone = serve(body, left_out=frozenset({0}))
    assert alone.chat == exchange.chat
    assert alone.caller_path("messages[0].content") == "input[1].content"
