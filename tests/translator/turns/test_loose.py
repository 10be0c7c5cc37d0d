from typing import Any

import pytest

from diglot.translator import Profile, Report, RequestError
from diglot.translator.context import Context
from diglot.translator.turns import loose

USER = {"role": "user", "content": "Go"}
FUNCTION = {"name": "f", "arguments": "{}"}


def placed(*given: dict[str, Any]) -> tuple[list[tuple[dict[str, Any], str]], list[tuple[str, str]]]:
    context = Context(Profile(), Report())
    made = loose.items(list(given), context)
    return made, [(loss.path, loss.kind) for loss in context.report]


def test_items_stay_as_they_are() -> None:
    """The very same objects, and nothing is reported."""
    given = [
        USER,
        {"type": "message", "role": "assistant", "content": "Hm", "tool_calls": []},
        {"type": "function_call", "call_id": "c", **FUNCTION},
        {"type": ["x"]},
        {"role": ["x"], "type": "input_text"},
    ]
    made, losses = placed(*given)
    assert all(item is same for (item, _), same in zip(made, given, strict=True))
    assert [path for _, path in made] == [f"input[{i}]" for i in range(5)]
    assert losses == []


def test_neighbouring_parts_are_one_message() -> None:
    """Of the user; what stands between them parts them."""
    text, picture = {"type": "input_text", "text": "a"}, {"type": "input_image", "image_url": "u"}
    made, losses = placed(text, picture, USER, text)
    assert made == [
        ({"type": "message", "role": "user", "content": [text, picture]}, "input[0]"),
        (USER, "input[2]"),
        ({"type": "message", "role": "user", "content": [text]}, "input[3]"),
    ]
    assert losses == [(f"input[{i}]", "approximated") for i in (0, 1, 3)]


@pytest.mark.parametrize("name", ["reasoning_content", "reasoning"])
def test_what_an_assistant_thought_said_and_called(name: str) -> None:
    """Each is an item, in this order."""
    custom = {"id": "c2", "type": "custom", "custom": {"name": "g", "input": "x"}}
    tool_calls = [{"id": "c1", "type": "function", "function": FUNCTION}, custom]
    made, _ = placed({"role": "assistant", "content": "Hm", "refusal": "No", name: "Thus", "tool_calls": tool_calls})
    assert [(item.get("type", "message"), path) for item, path in made] == [
        ("reasoning", "input[0]"),
        ("message", "input[0]"),
        ("function_call", "input[0].tool_calls[0]"),
        ("custom_tool_call", "input[0].tool_calls[1]"),
    ]
    refused = {"type": "refusal", "refusal": "No"}
    assert made[1][0] == {"role": "assistant", "content": [{"type": "output_text", "text": "Hm"}, refused]}
    assert placed({"role": "assistant", "content": None, "refusal": "No"})[0][0][0]["content"] == [refused]
    parts = [{"type": "text", "text": "a"}]
    assert placed({"role": "assistant", "content": parts, name: "Thus"})[0][1][0]["content"] is parts


def test_what_a_tool_brought() -> None:
    """It belongs to its call; without one, it is the user's."""
    made, _ = placed(
        {"role": "tool", "tool_call_id": "c", "content": "x"},
        {"role": "tool", "tool_call_id": "c", "content": None},
        {"role": "tool", "content": "x"},
        {"role": "function", "name": "f", "content": "x"},
        {"role": "function", "name": ["f"], "content": "x"},
    )
    output = {"type": "function_call_output", "call_id": "c", "output": "x"}
    assert [item for item, _ in made] == [
        output,
        {**output, "output": ""},
        {"type": "message", "role": "user", "content": "x"},
        {"type": "message", "role": "user", "content": "x", "name": "f"},
        {"type": "message", "role": "user", "content": "x", "name": ["f"]},
    ]


def test_calls_of_the_older_kind() -> None:
    """They have no ids: a result belongs to the first call of its function that has none."""
    call = {"role": "assistant", "content": None, "function_call": FUNCTION}
    result = {"role": "function", "name": "f", "content": "x"}
    made, _ = placed(call, call, result, result)
    assert [item["call_id"] for item, _ in made] == ["call_older_0", "call_older_1"] * 2
    assert [path for _, path in made] == ["input[0].function_call", "input[1].function_call", "input[2]", "input[3]"]


@pytest.mark.parametrize(
    ("turn", "param"),
    [
        ({"tool_calls": 5}, "input[0].tool_calls"),
        ({"tool_calls": ["x"]}, "input[0].tool_calls[0]"),
        ({"tool_calls": [{"function": FUNCTION}]}, "input[0].tool_calls[0].id"),
        ({"tool_calls": [{"id": "c"}]}, "input[0].tool_calls[0].function"),
        ({"function_call": 5}, "input[0].function_call"),
        ({"function_call": {"name": None}}, "input[0].function_call.name"),
    ],
)
def test_turns_that_cannot_be_read(turn: dict[str, Any], param: str) -> None:
    """They are refused with their place."""
    with pytest.raises(RequestError) as refused:
        placed({"role": "assistant", **turn})
    assert refused.value.param == param
