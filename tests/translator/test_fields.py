import json
from collections.abc import Callable
from typing import Any

import pytest
from openai.types.chat.completion_create_params import CompletionCreateParamsBase
from openai.types.responses.response_create_params import ResponseCreateParamsBase

from diglot.translator import Profile, ServeResponses
from diglot.translator.fields import ANSWER, OPTIONAL, REQUEST, TO_CHAT, TO_RESPONSES, blank_answer, own_answer

from judges import RESPONSE_FIELDS, judge_answer, judge_stream

RESPONSES_REQUEST = {*ResponseCreateParamsBase.__annotations__, "stream"}
CHAT_REQUEST = {*CompletionCreateParamsBase.__annotations__, "stream"}
GATEWAYS = {"reasoning"}  # chat fields of gateways


def top(names: Any) -> set[str]:
    return {name.split(".")[0] for name in names if name}


def test_every_responses_field_of_the_sdk_has_a_row() -> None:
    """No field of the official request type is without a decision."""
    assert RESPONSES_REQUEST - top(row.responses for row in REQUEST) == set()


def test_every_chat_field_of_the_sdk_has_a_row() -> None:
    """No field of the official chat request type is without a decision, in either direction."""
    rows = [row for row in REQUEST if row.chat]
    assert CHAT_REQUEST - top(row.chat for row in rows if row.to_responses) == set()
    assert len(CHAT_REQUEST) == 37
    assert CHAT_REQUEST - top(TO_CHAT) == set()


def test_no_row_is_of_a_field_that_nobody_knows() -> None:
    """A typing error in a name would be a row that never applies."""
    known = RESPONSES_REQUEST | CHAT_REQUEST | GATEWAYS
    assert top(row.chat for row in REQUEST) - known == set()
    unknown = top(row.responses for row in REQUEST) - RESPONSES_REQUEST
    assert unknown - CHAT_REQUEST == {"client_metadata"}  # Codex


def test_every_field_has_one_way() -> None:
    """Two rows of one name and direction would hide each other."""
    for names in (
        [row.responses or row.chat for row in REQUEST if row.to_chat],
        [row.chat or row.responses for row in REQUEST if row.to_responses and row.chat != "messages"],
    ):
        assert sorted(names, key=str) == sorted(set(names), key=str)


def test_every_row_that_carries_nothing_says_why() -> None:
    """Users read the reasons: one short sentence without a full stop."""
    for row in REQUEST:
        for way in filter(None, (row.to_chat, row.to_responses)):
            assert way.why or way.how == "carried", row
            assert not way.why.endswith("."), row


def test_both_directions_know_the_same_names() -> None:
    """Whatever a client of one dialect sends of the other is carried, or lost with a hint, but never unknown."""
    for row in REQUEST:
        for name in filter(None, (row.chat, row.responses)):
            assert name.split(".")[0] in TO_CHAT, row
            assert name.split(".")[0] in TO_RESPONSES, row


def test_the_answer_has_exactly_the_fields_of_the_judges() -> None:
    """The Response object has its 31 fields, no more and no less."""
    always = [field.name for field in ANSWER]
    assert set(always) == RESPONSE_FIELDS
    assert len(always) == len(RESPONSE_FIELDS) == 31


@pytest.mark.parametrize("flavour", ["openai", "openresponses"])
def test_both_flavours_answer_with_all_fields(serve: Callable[..., ServeResponses], flavour: Any) -> None:
    """Finished answers and the snapshots of streams have the 31 fields in either flavour of events."""
    exchange = serve({"stream": True}, Profile(events=flavour))
    choice = {"index": 0, "message": {"role": "assistant", "content": "Hi"}, "finish_reason": "stop"}
    assert exchange.answer({"choices": [choice]}).keys() == RESPONSE_FIELDS
    events = exchange.transducer().start()
    assert [event["response"].keys() for event in events] == [RESPONSE_FIELDS] * 2


def test_a_blank_answer_repeats_the_request() -> None:
    """What the client asked for is repeated; an unanswered question gets its default."""
    asked = {"temperature": 0.2, "top_p": 0, "metadata": {"a": "b"}, "instructions": "x", "tool_choice": "none"}
    blank = blank_answer(asked)
    assert {name: blank[name] for name in asked} == asked
    assert (blank["parallel_tool_calls"], blank["presence_penalty"], blank["tools"]) == (True, 0, [])
    assert (blank["status"], blank["object"]) == ("in_progress", "response")


def test_what_is_not_done_here_is_not_repeated() -> None:
    """A client that asks for storage sees that there is none."""
    blank = blank_answer({"store": True, "service_tier": "flex", "model": "m"})
    assert (blank["store"], blank["service_tier"]) == (False, "default")


def test_nested_settings_keep_their_defaults() -> None:
    """`text` and `reasoning` have all their keys, whichever of them the client sent."""
    blank = blank_answer({"text": {"verbosity": "low"}, "reasoning": {"effort": "high"}})
    assert blank["text"] == {"format": {"type": "text"}, "verbosity": "low"}
    assert blank["reasoning"] == {"effort": "high", "summary": None}


def test_tools_are_repeated_with_all_keys() -> None:
    """Open Responses wants a function's description, parameters and strict, null or not."""
    blank = blank_answer({"tools": [{"type": "function", "name": "f", "strict": True}, {"type": "web_search"}]})
    assert blank["tools"] == [
        {"type": "function", "name": "f", "description": None, "parameters": None, "strict": True},
        {"type": "web_search"},
    ]


@pytest.mark.parametrize("asked", [{}, dict.fromkeys(row.name for row in OPTIONAL)])
def test_optional_fields_that_were_not_sent_are_absent(asked: dict[str, Any]) -> None:
    """They are no fields of every answer, only of those to requests with them."""
    assert blank_answer(asked).keys() == RESPONSE_FIELDS


def test_optional_fields_are_repeated_to_the_end(serve: Callable[..., ServeResponses]) -> None:
    """In finished answers, and in streams whose request is no longer kept; the types want both cache options."""
    asked = {
        "user": "u",
        "truncation": "auto",
        "prompt_cache_options": {"ttl": "12h"},
        "prompt_cache_retention": "24h",
    }
    repeated = {**asked, "prompt_cache_options": {"mode": "implicit", "ttl": "12h"}}
    exchange = serve({"stream": True, **asked})
    choice = {"index": 0, "message": {"role": "assistant", "content": "Hi"}, "finish_reason": "stop"}
    answer = exchange.answer({"choices": [choice]})
    judge_answer(answer)
    stream = exchange.stream()
    exchange.release()
    stream.release()
    chunk = {"choices": [{"index": 0, "delta": {"content": "Hi"}, "finish_reason": "stop"}]}
    frames = stream.feed(b"data: " + json.dumps(chunk).encode() + b"\n\ndata: [DONE]\n\n")
    snapshots = [event["response"] for event in judge_stream(frames) if "response" in event]
    assert len(snapshots) == 3
    for snapshot in (answer, *snapshots):
        assert {name: snapshot[name] for name in asked} == repeated


def test_blank_answers_share_nothing_that_grows() -> None:
    """Two answers have lists and objects of their own."""
    one, other = blank_answer({}), blank_answer({})
    one["metadata"]["a"] = "b"
    one["output"].append({})
    assert (other["metadata"], other["output"]) == ({}, [])


@pytest.mark.parametrize("metadata", [{"a": "b"}, "x", None])
def test_each_answer_to_a_request_has_objects_of_its_own(serve: Callable[..., ServeResponses], metadata: Any) -> None:
    """Whatever was asked for: what is changed in one of them is not changed in the next."""
    format_ = {"format": None} if metadata == "x" else {}
    tools = [{"type": "function", "name": "f"}, {"type": "shell"}]
    blank = blank_answer({"metadata": metadata, "text": format_, "tools": tools, "prompt_cache_options": {}})
    one, other = own_answer(blank), own_answer(blank)
    assert one == other == blank
    for name, value in one.items():
        if isinstance(value, (dict, list)):
            assert value is not other[name]
    assert one["tools"][0] is not other["tools"][0]
    assert format_ or one["text"]["format"] is not other["text"]["format"]
