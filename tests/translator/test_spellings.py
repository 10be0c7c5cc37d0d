from typing import Any

import pytest

from diglot.translator import Profile, Report
from diglot.translator.context import Context
from diglot.translator.spellings import without_synonyms


def once(**body: Any) -> tuple[dict[str, Any], list[str]]:
    """What is left that says something, and what was dropped."""
    context = Context(Profile(), Report())
    before = repr(body)
    left = without_synonyms(body, context)
    assert repr(body) == before
    return {name: value for name, value in left.items() if value is not None}, [loss.path for loss in context.report]


@pytest.mark.parametrize(
    ("body", "left", "dropped"),
    [
        ({"max_tokens": 5}, {"max_tokens": 5}, []),
        ({"max_tokens": 5, "max_completion_tokens": 5}, {"max_completion_tokens": 5}, []),
        ({"max_tokens": 5, "max_completion_tokens": 6}, {"max_completion_tokens": 6}, ["max_tokens"]),
        ({"max_tokens": 5, "max_completion_tokens": None}, {"max_tokens": 5}, []),
        ({"max_tokens": 5, "max_completion_tokens": 0}, {"max_tokens": 5, "max_completion_tokens": 0}, []),
        ({"max_output_tokens": 5, "max_tokens": 5, "max_completion_tokens": 5}, {"max_completion_tokens": 5}, []),
        ({"tool_choice": "auto", "function_call": "none"}, {"tool_choice": "auto"}, ["function_call"]),
        ({"messages": ["x"], "input": "y"}, {"messages": ["x"]}, ["input"]),
        ({"messages": [], "input": "y"}, {"messages": [], "input": "y"}, []),
        (
            {"verbosity": "low", "text": {"verbosity": "high", "x": 1}},
            {"verbosity": "low", "text": {"verbosity": None, "x": 1}},
            ["text.verbosity"],
        ),
        ({"verbosity": "low", "text": "x"}, {"verbosity": "low", "text": "x"}, []),
    ],
)
def test_one_name_is_left(body: dict[str, Any], left: dict[str, Any], dropped: list[str]) -> None:
    """The newer one, or the one of the dialect, unless it says nothing; another value is reported."""
    assert once(**body) == (left, dropped)


@pytest.mark.parametrize(
    ("given", "beside", "reasoning"),
    [
        ({"effort": "high"}, None, {"effort": "high"}),
        (
            {"effort": "high", "summary": None},
            {"effort": "low", "summary": "auto"},
            {"effort": "high", "summary": "auto"},
        ),
        ({"summary": "auto"}, "x", {"summary": "auto"}),
    ],
)
def test_an_effort_that_is_an_object_is_the_reasoning_of_responses(given: Any, beside: Any, reasoning: Any) -> None:
    """What it says wins; what stands beside it fills the rest."""
    assert once(reasoning_effort=given, reasoning=beside) == ({"reasoning": reasoning}, [])
