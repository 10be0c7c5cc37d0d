from typing import Any

import pytest

from diglot.translator.parts import usage


def test_all_counts_have_their_places() -> None:
    """Details move inside of the side that they belong to; vendors' totals are kept."""
    given = {
        "prompt_tokens": 10,
        "completion_tokens": 5,
        "total_tokens": 99,
        "prompt_tokens_details": {"cached_tokens": 4, "cache_write_tokens": 2, "audio_tokens": 1},
        "completion_tokens_details": {"reasoning_tokens": 3},
    }
    assert usage.to_responses(given) == {
        "input_tokens": 10,
        "input_tokens_details": {"cached_tokens": 4, "cache_write_tokens": 2},
        "output_tokens": 5,
        "output_tokens_details": {"reasoning_tokens": 3},
        "total_tokens": 99,
    }


@pytest.mark.parametrize("total", [None, 0, "x"])
def test_a_missing_total_is_the_sum(total: Any) -> None:
    """Responses needs a total; other counts that are missing are 0."""
    made = usage.to_responses({"prompt_tokens": 2.0, "completion_tokens": 3, "total_tokens": total})
    assert made is not None
    assert made["total_tokens"] == 5
    assert (made["input_tokens"], type(made["input_tokens"])) == (2, int)
    assert made["input_tokens_details"] == {"cached_tokens": 0, "cache_write_tokens": 0}


@pytest.mark.parametrize(
    ("given", "cached"),
    [
        ({"prompt_tokens_details": {"cached_tokens": 4}, "cached_tokens": 9}, 4),
        ({"prompt_tokens_details": {"cached": 4}}, 4),
        ({"prompt_cache_hit_tokens": 4, "prompt_cache_miss_tokens": 6}, 4),
        ({"cached_tokens": 4}, 4),
        ({"cache_read_input_tokens": 4}, 4),
        ({"prompt_tokens": 9, "prompt_tokens_details": None}, 0),
        ({"prompt_tokens": 9, "prompt_tokens_details": [4]}, 0),
    ],
)
def test_cached_tokens_have_many_names(given: dict[str, Any], cached: int) -> None:
    """Vendors' words for what came from the cache; OpenAI's own wins (protocol 4.5)."""
    made = usage.to_responses(given)
    assert made is not None
    assert made["input_tokens_details"]["cached_tokens"] == cached


@pytest.mark.parametrize(
    "given",
    [
        {"completion_tokens_details": {"reasoning_tokens": 3}},
        {"completion_tokens_details": {"reasoning": 3}},
        {"reasoning_tokens": 3},
    ],
)
def test_reasoning_tokens_have_many_names(given: dict[str, Any]) -> None:
    """Vendors' words for tokens of thoughts."""
    made = usage.to_responses(given)
    assert made is not None
    assert made["output_tokens_details"]["reasoning_tokens"] == 3


COUNTED = {
    "input_tokens": 30,
    "input_tokens_details": {"cached_tokens": 10, "cache_write_tokens": 4},
    "output_tokens": 2,
    "output_tokens_details": {"reasoning_tokens": 1},
    "total_tokens": 32,
}


@pytest.mark.parametrize(
    "given",
    [
        COUNTED,
        {
            "input_tokens": 30,
            "output_tokens": 2,
            "cache_read_input_tokens": 10,
            "cache_creation_input_tokens": 4,
            "reasoning_tokens": 1,
        },
        {
            "prompt_tokens": "30",
            "completion_tokens": "2",
            "total_tokens": "32",
            "prompt_tokens_details": {"cached_tokens": "10", "cache_write_tokens": "4"},
            "completion_tokens_details": {"reasoning_tokens": "1"},
        },
        {"prompt_tokens": 0, "input_tokens": 30, "output_tokens": 2, **COUNTED},
    ],
)
def test_other_families_count_too(given: dict[str, Any]) -> None:
    """Under the names of Responses and of Anthropic, and as texts (W7)."""
    assert usage.to_responses(given) == COUNTED


@pytest.mark.parametrize(
    "given",
    [
        {"prompt_tokens": None, "completion_tokens": None, "total_tokens": None},
        {"prompt_tokens": "many", "completion_tokens": "", "total_tokens": "9" * 30},
        {"prompt_tokens_details": {"cached_tokens": 0}},
        {"cost": 1},
    ],
)
def test_what_measures_nothing_is_no_usage(given: dict[str, Any]) -> None:
    """Zeros would look measured (W7)."""
    assert usage.to_responses(given) is None


def test_counts_of_a_response() -> None:
    """The same counts under chat's names; what chat has no word for stays behind."""
    given = {
        "input_tokens": 10,
        "input_tokens_details": {"cached_tokens": 4, "cache_write_tokens": 2.0, "cache_write_tokens_details": {}},
        "output_tokens": 5,
        "output_tokens_details": {"reasoning_tokens": 3, "other": 1},
        "total_tokens": 99,
        "tool_usage": {"web_search": {"num_requests": 1}},
    }
    assert usage.to_chat(given) == {
        "prompt_tokens": 10,
        "completion_tokens": 5,
        "total_tokens": 99,
        "prompt_tokens_details": {"cached_tokens": 4, "cache_write_tokens": 2},
        "completion_tokens_details": {"reasoning_tokens": 3},
    }


@pytest.mark.parametrize("details", [None, [], {}, {"cached_tokens": None}, {"cached_tokens": True}])
def test_what_was_not_measured_is_not_zero(details: Any) -> None:
    """Details that are missing stay missing; a missing total is the sum, a missing side is 0."""
    given = {"input_tokens": 2, "input_tokens_details": details, "output_tokens_details": {"reasoning_tokens": 0}}
    assert usage.to_chat(given) == {
        "prompt_tokens": 2,
        "completion_tokens": 0,
        "total_tokens": 2,
        "completion_tokens_details": {"reasoning_tokens": 0},
    }


@pytest.mark.parametrize("given", [None, {}, [], "x", 5, {"total_tokens": 5}, {"input_tokens": "5"}])
def test_no_usage_is_none(given: Any) -> None:
    """Without a count of either side nothing was measured."""
    assert usage.to_chat(given) is None


def test_usage_comes_back() -> None:
    """Nothing changes on the way through the other dialect."""
    given = {
        "prompt_tokens": 10,
        "completion_tokens": 5,
        "total_tokens": 15,
        "prompt_tokens_details": {"cached_tokens": 4, "cache_write_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": 3},
    }
    assert usage.to_chat(usage.to_responses(given)) == given
