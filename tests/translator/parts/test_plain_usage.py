"""Usage that decodes into a struct says the same as the general way."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from diglot.translator.parts import plain_usage, usage

COUNT = st.none() | st.integers(0, 9) | st.sampled_from([10**15 - 1])
NAMES = [
    *("prompt_tokens", "completion_tokens", "input_tokens", "output_tokens", "total_tokens", "cached_tokens"),
    *("prompt_cache_hit_tokens", "cache_read_input_tokens", "cache_creation_input_tokens", "reasoning_tokens", "x"),
]
DETAILS = st.none() | st.dictionaries(
    st.sampled_from(["cached_tokens", "cached", "cache_write_tokens", "reasoning_tokens", "reasoning", "x"]), COUNT
)
OWNERS = [f"{name}_tokens_details" for name in ("prompt", "completion", "input", "output")]
USAGE = st.builds(
    lambda counts, details: {**counts, **details},
    st.dictionaries(st.sampled_from(NAMES), COUNT),
    st.dictionaries(st.sampled_from(OWNERS), DETAILS),
)


@given(USAGE)
def test_the_same_for_a_response(counts: dict[str, Any]) -> None:
    """What decodes is read as the general way reads it, in the same order."""
    try:
        decoded = msgspec.json.decode(json.dumps(counts), type=plain_usage.ChatUsage)
    except msgspec.ValidationError:
        return
    assert json.dumps(plain_usage.to_responses(decoded)) == json.dumps(usage.to_responses(counts))


@given(USAGE)
def test_the_same_for_a_completion(counts: dict[str, Any]) -> None:
    """In the other direction, too."""
    try:
        decoded = msgspec.json.decode(json.dumps(counts), type=plain_usage.ResponsesUsage)
    except msgspec.ValidationError:
        return
    assert json.dumps(plain_usage.to_chat(decoded)) == json.dumps(usage.to_chat(counts))


@pytest.mark.parametrize("count", [-1, 10**15, 1.5, "3", True, [1]])
@pytest.mark.parametrize(
    ("kind", "name"), [(plain_usage.ChatUsage, "prompt_tokens"), (plain_usage.ResponsesUsage, "input_tokens")]
)
def test_what_is_no_count(kind: Any, name: str, count: Any) -> None:
    """It does not decode: the general way decides what it means."""
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(json.dumps({name: count}), type=kind)


@pytest.mark.parametrize("counts", [{"prompt_tokens": 3}, {"total_tokens": 3}, {"cached_tokens": 1}])
def test_anything_that_is_measured_counts(counts: dict[str, int]) -> None:
    """A usage with one number is one."""
    decoded = msgspec.json.decode(json.dumps(counts), type=plain_usage.ChatUsage)
    assert plain_usage.to_responses(decoded) == usage.to_responses(counts) is not None


def test_what_measures_nothing() -> None:
    """It is missing, rather than zero."""
    assert plain_usage.to_responses(plain_usage.ChatUsage(cached_tokens=0)) is None
    assert plain_usage.to_chat(plain_usage.ResponsesUsage(total_tokens=3)) is None
