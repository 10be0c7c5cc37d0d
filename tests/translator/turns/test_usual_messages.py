"""The fast path of messages: what it reads, and what it leaves to the general path."""

from typing import Any

import pytest

from diglot.translator import Profile, Report
from diglot.translator.context import Context
from diglot.translator.parts.names import ToolNames
from diglot.translator.turns.turn import Unusual
from diglot.translator.turns.usual_messages import UsualMessages

USER = {"role": "user", "content": "Go"}
CALL = {"id": "a", "type": "function", "function": {"name": "f", "arguments": "{}"}}
CALLING = {"role": "assistant", "content": "Wait.", "tool_calls": [CALL]}
RESULT = {"role": "tool", "tool_call_id": "a", "content": "Done.", "name": "f"}


def read(*messages: Any) -> list[dict[str, Any]]:
    return UsualMessages(list(messages), ToolNames(), Context(Profile(), Report())).read()


def calling(**more: Any) -> dict[str, Any]:
    return {**CALLING, "tool_calls": [{**CALL, **more}]}


def test_a_call_and_its_result() -> None:
    """Text, call and result are items of their own; a name that says nothing new is left out."""
    assert read(USER, {**CALLING, "refusal": None, "reasoning_content": None}, RESULT) == [
        {"type": "message", "role": "user", "content": "Go"},
        {"type": "message", "role": "assistant", "content": "Wait."},
        {"type": "function_call", "call_id": "a", "name": "f", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "a", "output": "Done."},
    ]


def test_what_sdks_add() -> None:
    """Members without a value say nothing."""
    said = {"role": "assistant", "content": "Hello.", "refusal": None, "annotations": [], "audio": None}
    assert read(said) == [{"type": "message", "role": "assistant", "content": "Hello."}]


@pytest.mark.parametrize(
    "messages",
    [
        pytest.param([1], id="no object"),
        pytest.param([{"role": "assistant", "content": "a", "reasoning": "Hm."}, 1], id="no object behind a thought"),
        pytest.param([{"role": 1}], id="no role"),
        pytest.param([{"role": "function", "name": "f"}], id="another role"),
        pytest.param([{**USER, "name": "n"}], id="a name"),
        pytest.param([{**CALLING, "x": 1}], id="an unknown field"),
        pytest.param([{**CALLING, "refusal": "No."}], id="a refusal"),
        pytest.param([{**CALLING, "reasoning": {"x": 1}}], id="reasoning without a text"),
        pytest.param([{"role": "assistant", "content": ""}], id="an empty answer"),
        pytest.param([{**CALLING, "content": [CALL]}], id="an answer of other parts"),
        pytest.param([{**CALLING, "tool_calls": {"x": 1}}], id="no list of calls"),
        pytest.param([{**CALLING, "tool_calls": [1]}], id="no call"),
        pytest.param([calling(type="custom")], id="a free-form call"),
        pytest.param([calling(x=1)], id="an unknown field of a call"),
        pytest.param([calling(id=None)], id="a call without an id"),
        pytest.param([calling(id="a" * 65)], id="an id that is too long"),
        pytest.param([calling(function=None)], id="a call of nothing"),
        pytest.param([calling(function={"name": "f", "arguments": {}})], id="arguments that are no text"),
        pytest.param([CALLING, RESULT, CALLING], id="an id twice"),
        pytest.param([RESULT], id="a result without a call"),
        pytest.param([CALLING, {**RESULT, "name": "g"}], id="a result of another name"),
        pytest.param([CALLING, {**RESULT, "x": 1}], id="an unknown field of a result"),
    ],
)
def test_what_is_unusual(messages: list[Any]) -> None:
    """It goes the general path, which says what is wrong, or what is lost."""
    with pytest.raises(Unusual):
        read(*messages)
