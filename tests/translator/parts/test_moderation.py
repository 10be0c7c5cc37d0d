from typing import Any

import pytest
from openai.types.chat import chat_completion
from openai.types.responses.response import Moderation
from pydantic import TypeAdapter

from diglot.translator.parts import moderation


def result(flagged: bool, hate: float) -> dict[str, Any]:
    return {
        "flagged": flagged,
        "categories": {"hate": flagged},
        "category_scores": {"hate": hate},
        "category_applied_input_types": {"hate": ["text"]},
    }


def given(*results: Any) -> dict[str, Any]:
    side = {"type": "moderation_results", "model": "omni", "results": list(results)}
    return {"input": side, "output": {"type": "error", "code": "timeout", "message": "Too slow."}}


def test_one_result_is_lifted_out_of_its_list() -> None:
    """The only result takes the place of the list, with the model; an error stays an error; the SDK takes both."""
    made = moderation.to_responses(given(result(False, 0.1)))
    assert made is not None
    assert made["input"] == {"type": "moderation_result", "model": "omni", **result(False, 0.1)}
    assert made["output"] == {"type": "error", "code": "timeout", "message": "Too slow."}
    TypeAdapter(Moderation).validate_python(made)


@pytest.mark.parametrize(
    ("results", "flagged", "hate"),
    [
        ([result(False, 0.1), result(True, 0.9)], True, 0.9),
        ([result(True, 0.9), result(False, 0.1)], True, 0.9),
        ([result(False, 0.2), result(False, 0.1), result(False, 0.3)], False, 0.3),
    ],
)
def test_several_results_are_one(results: list[Any], flagged: bool, hate: float) -> None:
    """Flagged if one is, with the highest scores (protocol 4.6)."""
    made = moderation.to_responses(given(*results))
    assert made is not None
    side = made["input"]
    assert (side["flagged"], side["categories"], side["category_scores"]) == (
        flagged,
        {"hate": flagged},
        {"hate": hate},
    )


def test_results_of_other_categories_are_united() -> None:
    """A category that only one result has is kept; what is no score is left out; a missing table stays missing."""
    one = {"flagged": False, "category_scores": {"a": 0.1, "c": "x"}, "categories": {"a": True}}
    made = moderation.to_responses(given(one, {"flagged": False, "category_scores": {"b": 0.2}}))
    assert made is not None
    assert made["input"]["category_scores"] == {"a": 0.1, "b": 0.2}
    assert made["input"]["categories"] == {"a": True}


def test_the_input_is_not_modified() -> None:
    """Uniting makes new objects."""
    asked = given(result(False, 0.1), result(True, 0.9))
    moderation.to_responses(asked)
    assert asked == given(result(False, 0.1), result(True, 0.9))


@pytest.mark.parametrize("side", [{"results": []}, {"results": "x"}, {"results": [None]}, {"flagged": True}])
def test_a_side_without_results_stays_as_it_is(side: dict[str, Any]) -> None:
    """Nothing is made up where there is no list of results."""
    assert moderation.to_responses({"input": side}) == {"input": side}


@pytest.mark.parametrize("value", [None, [], "x", True])
def test_no_moderation(value: Any) -> None:
    """What is no object says nothing; a side that is none is left out."""
    assert moderation.to_responses(value) is None
    assert moderation.to_responses({"input": value}) == {}


def test_a_result_is_listed() -> None:
    """The only result stands in a list, its model beside it; an error stays an error; the SDK takes both."""
    only = {"type": "moderation_result", "model": "omni", **result(True, 0.9)}
    failed = {"type": "error", "code": "timeout", "message": "Too slow."}
    made = moderation.to_chat({"input": only, "output": failed, "other": None})
    assert made == {"input": {"type": "moderation_results", "model": "omni", "results": [only]}, "output": failed}
    TypeAdapter(chat_completion.Moderation).validate_python(made)
    assert moderation.to_responses(made) == {"input": only, "output": failed}


@pytest.mark.parametrize("value", [None, [], "x", True])
def test_no_moderation_of_a_response(value: Any) -> None:
    """What is no object says nothing."""
    assert moderation.to_chat(value) is None
    assert moderation.to_chat({"input": value}) is None


def test_moderation_that_is_too_deep() -> None:
    """What could not be encoded again is left out in both directions."""
    deep: Any = {}
    for _ in range(100):
        deep = {"input": deep}
    assert moderation.to_chat(deep) is None
    assert moderation.to_responses(deep) is None
