"""The fast path of items: what it reads, and what it leaves to the general path."""

from typing import Any

import pytest

from diglot.translator import Profile, Report
from diglot.translator.context import Context
from diglot.translator.parts.catalog import Catalog
from diglot.translator.turns.turn import Unusual
from diglot.translator.turns.usual_items import UsualItems

USER = {"role": "user", "content": "Go"}
CALL = {"type": "function_call", "call_id": "a", "name": "f", "arguments": "{}"}
OUTPUT = {"type": "function_call_output", "call_id": "a", "output": "Done."}
THOUGHT = {"type": "reasoning", "summary": [{"type": "summary_text", "text": "Hm."}]}


def read(*items: Any, profile: Profile | None = None) -> list[dict[str, Any]]:
    builder = UsualItems(Catalog({}), Context(profile or Profile(), Report()))
    builder.add(list(items), "m", False)
    return builder.finish()


def test_a_turn_with_a_call() -> None:
    """The output stands behind its call."""
    call = {"id": "a", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    assert read(USER, THOUGHT, CALL, OUTPUT) == [
        {"role": "user", "content": "Go"},
        {"role": "assistant", "content": None, "reasoning_content": "Hm.", "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "a", "content": "Done."},
    ]


@pytest.mark.parametrize(
    "items",
    [
        pytest.param([1], id="no object"),
        pytest.param([THOUGHT, 1], id="no object behind a thought"),
        pytest.param([{"type": 1}], id="no type"),
        pytest.param([{"type": "mcp_call"}], id="another item"),
        pytest.param([{**USER, "x": 1}], id="an unknown field"),
        pytest.param([{**THOUGHT, "x": 1}], id="an unknown field of a thought"),
        pytest.param([{**CALL, "async": True}, OUTPUT], id="an asynchronous call"),
        pytest.param([{**CALL, "call_id": None}, OUTPUT], id="a call without an id"),
        pytest.param([{"type": "custom_tool_call", "call_id": "a", "name": "f", "input": "", "x": 1}], id="free form"),
        pytest.param([{"role": "tool", "content": ""}], id="another role"),
        pytest.param([{"role": "assistant", "content": []}], id="an empty answer"),
        pytest.param([CALL], id="a call without an output"),
        pytest.param([CALL, USER, CALL, OUTPUT], id="two calls of one id"),
        pytest.param([OUTPUT], id="an output without a call"),
        pytest.param([CALL, {**OUTPUT, "x": 1}], id="an unknown field of an output"),
        pytest.param([CALL, {**OUTPUT, "output": [{"type": "input_image", "image_url": "u"}]}], id="a picture"),
        pytest.param([CALL, {**OUTPUT, "output": [{"type": "text", "text": "", "x": 1}]}], id="a loss in an output"),
        pytest.param([USER, THOUGHT], id="a thought at the end"),
        pytest.param([USER, {"type": "additional_tools", "tools": []}], id="tools that come later"),
    ],
)
def test_what_is_unusual(items: list[Any]) -> None:
    """It goes the general path, which says what is wrong, or what is lost."""
    with pytest.raises(Unusual):
        read(*items, profile=Profile(reasoning_replay="always"))


def test_system_messages_that_would_be_moved() -> None:
    """The general path reports that."""
    system = {"role": "system", "content": "Be brief."}
    one = Profile(system_messages="one")
    assert read(system, system, USER, profile=one)[0] == {"role": "system", "content": "Be brief.\n\nBe brief."}
    with pytest.raises(Unusual):
        read(USER, system, profile=one)


def test_a_system_message_of_parts_is_unusual() -> None:
    """Where the upstream takes lists, its message is one."""
    parts = [{"type": "input_text", "text": "a"}, {"type": "input_text", "text": "b"}]
    with pytest.raises(Unusual):
        read({"role": "system", "content": parts}, profile=Profile(content_lists=frozenset({"system"})))
