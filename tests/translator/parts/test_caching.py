import pytest

from diglot.translator import Profile, Report
from diglot.translator.parts import caching
from diglot.translator.profiles import Terms


@pytest.mark.parametrize("ttl", ["30m", "1h", 5])
def test_life_times_are_the_same_words(ttl: object) -> None:
    """A life time is carried as it is, known or not."""
    terms = Terms(Profile(), Report())
    assert caching.ttl_to_chat(ttl, "prompt_cache_options.ttl", terms) == ttl
    assert len(terms.report) == 0


def test_one_life_time_is_only_for_responses() -> None:
    """`12h` is dropped, and reported (protocol 1.2)."""
    terms = Terms(Profile(), Report())
    assert caching.ttl_to_chat("12h", "prompt_cache_options.ttl", terms) is None
    assert [(loss.path, loss.kind, loss.value) for loss in terms.report] == [
        ("prompt_cache_options.ttl", "dropped", "12h")
    ]
