from typing import Any

import pytest

from diglot.translator import Profile, Report, RequestError
from diglot.translator.context import Context
from diglot.translator.parts import limits


def context(**profile: Any) -> Context:
    return Context(Profile(**profile), Report())


@pytest.mark.parametrize(
    ("limit", "least", "sent"), [(100, 16, 100), (16, 16, 16), (5, 16, 16), (5, 1, 5), (True, 16, True), ("5", 16, "5")]
)
def test_a_limit_below_the_least_is_raised(limit: Any, least: int, sent: Any) -> None:
    """OpenAI takes no fewer than 16 tokens; what is no number is the upstream's affair."""
    given = context(min_output_tokens=least)
    assert limits.to_responses(limit, "max_tokens", given) is sent
    raised = [] if limit is sent else [("max_tokens", "approximated", limit)]
    assert [(loss.path, loss.kind, loss.value) for loss in given.report] == raised


@pytest.mark.parametrize("limit", [0, -1, 0.0, -5])
@pytest.mark.parametrize("read", [limits.to_chat, limits.to_responses])
def test_a_limit_of_nothing_is_none(read: Any, limit: Any) -> None:
    """Clients of local servers write 0 or -1 for no limit: it is left out and reported, and no floor is for it."""
    given = context(min_output_tokens=16)
    assert read(limit, "max_tokens", given) is None
    assert [(loss.path, loss.kind, loss.value) for loss in given.report] == [("max_tokens", "dropped", limit)]


@pytest.mark.parametrize("limit", [1, 0.5, "0", False, None])
def test_what_limits_or_is_no_number_is_handed_on(limit: Any) -> None:
    """Only numbers say that there is no limit."""
    given = context()
    assert limits.to_chat(limit, "max_output_tokens", given) is limit
    assert len(given.report) == 0


@pytest.mark.parametrize(
    ("given", "found"), [(None, ()), ("", ()), ([], ()), ([""], ()), ("END", ("END",)), (["a", "", "b"], ("a", "b"))]
)
def test_stop_sequences_are_looked_for_here(given: Any, found: tuple[str, ...]) -> None:
    """One or a list; an empty one would stop everything, and means none."""
    assert limits.stops(given, "stop", context()) == found


@pytest.mark.parametrize(("given", "param"), [(5, "stop"), ({"a": 1}, "stop"), (["a", None], "stop[1]")])
def test_a_stop_sequence_is_text(given: Any, param: str) -> None:
    """Anything else is a 400 with its path."""
    with pytest.raises(RequestError) as raised:
        limits.stops(given, "stop", context())
    assert raised.value.param == param


def test_stop_sequences_have_a_limit() -> None:
    """Every piece of text is looked at for each of them."""
    most = [f"stop {i}" for i in range(limits.MAX_STOPS)]
    assert len(limits.stops(most, "stop", context())) == len(most)
    with pytest.raises(RequestError) as caught:
        limits.stops([*most, "one more"], "stop", context())
    assert caught.value.param == "stop"


@pytest.mark.parametrize(("n", "copies"), [(None, 1), (1, 1), (2, 2), (128, 128)])
def test_several_choices_are_several_requests(n: Any, copies: int) -> None:
    """None are one."""
    assert limits.copies(n, "n", context()) == copies


@pytest.mark.parametrize("n", [0, -1, 129, True, "2", 1.5, []])
def test_the_number_of_choices_is_bounded(n: Any) -> None:
    """As OpenAI bounds it."""
    with pytest.raises(RequestError, match="an integer from 1 to 128") as raised:
        limits.copies(n, "n", context())
    assert raised.value.param == "n"
