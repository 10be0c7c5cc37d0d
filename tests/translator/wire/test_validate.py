from collections.abc import Callable
from typing import Any

import pytest

from diglot.translator import RequestError
from diglot.translator.wire import validate

CHECKS: list[tuple[Callable[[Any, str], Any], Any, str]] = [
    (validate.text, "x", "a string"),
    (validate.mapping, {"a": 1}, "an object"),
    (validate.array, [1], "an array"),
]
VALUES = [
    ({}, "an object"),
    ([], "an array"),
    ("", "a string"),
    (True, "a boolean"),
    (1, "an integer"),
    (1.5, "a decimal"),
]


@pytest.mark.parametrize(("check", "good", "words"), CHECKS)
def test_the_right_type_is_returned(check: Callable[[Any, str], Any], good: Any, words: str) -> None:
    """A check returns the very value that it was given."""
    assert check(good, "a") is good


@pytest.mark.parametrize(("check", "good", "words"), CHECKS)
def test_null_is_missing(check: Callable[[Any, str], Any], good: Any, words: str) -> None:
    """What is null or absent is a missing parameter."""
    with pytest.raises(RequestError, match=r"Missing required parameter: 'input\[0\]'\.") as raised:
        check(None, "input[0]")
    assert (raised.value.param, raised.value.code) == ("input[0]", "missing_required_parameter")


@pytest.mark.parametrize(("check", "good", "words"), CHECKS)
@pytest.mark.parametrize(("value", "got"), VALUES)
def test_the_wrong_type_is_told(check: Callable[[Any, str], Any], good: Any, words: str, value: Any, got: str) -> None:
    """OpenAI's own words for a wrong type, with the path."""
    if got == words:
        return
    with pytest.raises(RequestError) as raised:
        check(value, "a.b")
    assert raised.value.message == f"Invalid type for 'a.b': expected {words}, but got {got} instead."
    assert (raised.value.param, raised.value.code) == ("a.b", "invalid_type")


def test_words_for_null() -> None:
    """Null has a word too."""
    assert validate.json_type_name(None) == "null"


@pytest.mark.parametrize("value", [0, 7, 2**31 - 1, None, "1", True])
def test_places_stay_what_they_are(value: object) -> None:
    """So does what is no number: others say what is wrong with it."""
    assert validate.list_index(value) is value


@pytest.mark.parametrize("value", [2**31, -1, 10**400])
def test_numbers_that_cannot_be_places_are_none(value: int) -> None:
    """They could be chosen to collide in dictionaries."""
    assert validate.list_index(value) is None


@pytest.mark.parametrize("value", [None, "", 0, 0.0, False, {}, [], {"a": ""}, [[], {"a": [None, {"b": 0}]}]])
def test_what_is_empty_says_nothing(value: Any) -> None:
    """Nor what holds only such."""
    assert validate.has_content(value) is False


@pytest.mark.parametrize("value", ["a", " ", 1, True, {"a": {"b": ["", "c"]}}, [0, 1]])
def test_what_is_there_says_something(value: Any) -> None:
    """However deep it stands."""
    assert validate.has_content(value) is True
