"""Which entry a model's name belongs to."""

import pytest

from diglot.adapters.server.model_names import ModelNames, matches, problem


@pytest.mark.parametrize(
    ("pattern", "name", "does"),
    [
        ("a", "a", True),
        ("a", "ab", False),
        ("a*", "a", True),
        ("a*", "abc", True),
        ("*c", "abc", True),
        ("a*c", "abc", True),
        ("ab*bc", "abc", False),
        ("*", "", True),
        ("a.c*", "abc", False),
    ],
)
def test_matches(pattern: str, name: str, does: bool) -> None:
    """One `*` stands for any text, and nothing else for anything but itself."""
    assert matches(pattern, name) == does


def test_longest() -> None:
    """A whole name wins, then the longest pattern, then the first one."""
    names = ModelNames({"*": 0, "gpt-*": 1, "gpt-5*": 2, "*-mini": 3, "gpt-5": 4, "gpt-5*-mini": 5, "gpt-6*": 6})
    found = {name: names.pattern_of(name) for name in ("gpt-5", "gpt-5.1", "gpt-5-mini", "gpt-6-mini", "o3", "gpt-5*")}
    assert found == {
        "gpt-5": "gpt-5",
        "gpt-5.1": "gpt-5*",
        "gpt-5-mini": "gpt-5*-mini",
        "gpt-6-mini": "*-mini",
        "o3": "*",
        "gpt-5*": "gpt-5*",
    }
    assert ModelNames({"a": 1}).pattern_of("b") is None


@pytest.mark.parametrize(
    ("pattern", "words"), [("", "is not"), ("a\nb", "is not"), ("a*b*", "more than one"), ("a*", None)]
)
def test_problem(pattern: str, words: str | None) -> None:
    """A pattern has one `*`, so that matching takes no longer than the name."""
    assert (words or "None") in str(problem(pattern))
