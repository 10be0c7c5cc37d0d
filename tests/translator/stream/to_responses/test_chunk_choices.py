from typing import Any

import pytest

from diglot.translator.stream.to_responses.chunk_choices import ChoiceSelector, Contribution, in_order, index_of, read

CALL = {"id": "c", "function": {"name": "f", "arguments": "{}"}}


@pytest.mark.parametrize(
    ("choice", "contributions"),
    [
        ({}, []),
        ({"delta": None, "message": "x", "text": None}, []),
        ({"delta": {"role": "assistant", "content": "", "tool_calls": [], "audio": {"id": "", "expires_at": 0}}}, []),
        ({"delta": {"content": "a", "role": "assistant", "refusal": None}}, [Contribution({"content": "a"})]),
        ({"delta": {"role": "assistant"}, "message": {"content": "a"}}, [Contribution({"content": "a"}, True)]),
        (
            {"delta": {"content": "b"}, "message": {"content": "ab"}, "text": "c"},
            [Contribution({"content": "b"}), Contribution({"content": "ab"}, True)],
        ),
        ({"text": "a"}, [Contribution({"content": "a"})]),
        ({"text": 5}, []),
        (
            {"delta": {"tool_calls": [CALL], "function_call": {"name": "", "arguments": ""}}},
            [Contribution({"tool_calls": [CALL]})],
        ),
        ({"delta": {"tool_calls": [CALL], "function_call": CALL["function"]}}, [Contribution({"tool_calls": [CALL]})]),
        (
            {"delta": {"tool_calls": [{"function": {"arguments": "{"}}], "function_call": {"name": "f"}}},
            [Contribution({"tool_calls": [{"function": {"arguments": "{"}}]})],
        ),
        (
            {"delta": {"tool_calls": [CALL], "function_call": {"name": "g"}}},
            [Contribution({"tool_calls": [CALL], "function_call": {"name": "g"}})],
        ),
        (
            {"delta": {"tool_calls": "x", "function_call": "y"}},
            [Contribution({"tool_calls": "x"})],
        ),
    ],
)
def test_what_a_choice_says(choice: dict[str, Any], contributions: list[Contribution]) -> None:
    """What is empty is no word; a delta without words leaves it to the message (W3, W4, W6)."""
    assert read(choice) == contributions


def test_the_members_of_a_message_have_an_order() -> None:
    """Thoughts before texts before calls, what is unknown behind them."""
    message = {"other": 1, "tool_calls": [CALL], "content": "a", "reasoning": "hm"}
    assert list(read({"message": message})[0].members) == ["reasoning", "content", "tool_calls", "other"]


@pytest.mark.parametrize(
    ("choices", "places"),
    [(None, []), ([1, {"index": 1}], [1]), ([{"index": 2}, {"index": 1}, {"index": 0}], [0, 2, 1])],
)
def test_the_first_choice_comes_first(choices: Any, places: list[int]) -> None:
    """Wherever it stands."""
    assert [choice["index"] for choice in in_order(choices)] == places


def selected(choices: ChoiceSelector, index: Any, whole: bool = False, **members: Any) -> tuple[list[str], int]:
    mine, others = choices.select(index_of({"index": index}), Contribution(members, whole))
    return list(mine), len(others)


def test_each_kind_of_words_has_its_choice() -> None:
    """Who says it first has it; who says a text again is a copy, with all that follows (W6)."""
    choices = ChoiceSelector()
    assert choices.only is None
    assert selected(choices, None, content="a") == (["content"], 0)
    assert choices.only == 0
    assert selected(choices, 1, tool_calls=[CALL]) == (["tool_calls"], 0)
    assert choices.only is None
    assert selected(choices, 2, tool_calls=[CALL], reasoning="hm") == (["reasoning"], 0)
    assert selected(choices, 2, whole=True, tool_calls=[CALL, "x"]) == ([], 1)
    assert selected(choices, 2, whole=True, tool_calls="x") == ([], 0)
    assert not choices.is_copy(3)
    assert selected(choices, 3, content="b", whole=True, tool_calls=[CALL]) == ([], 0)
    assert selected(choices, 3, whole=True, tool_calls=[CALL]) == ([], 0)
    assert choices.is_copy(3)
    assert selected(choices, 0.5, content="c") == (["content"], 0)
