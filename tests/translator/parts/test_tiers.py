import pytest

from diglot.translator import Profile, Report
from diglot.translator.parts import tiers
from diglot.translator.profiles import Terms


@pytest.mark.parametrize("tier", ["auto", "default", "flex", "priority", "vendor", 5])
def test_tiers_are_the_same_words(tier: object) -> None:
    """A tier is carried as it is, known or not."""
    terms = Terms(Profile(), Report())
    assert tiers.to_chat(tier, "service_tier", terms) == tier
    assert len(terms.report) == 0


def test_one_tier_is_only_for_responses() -> None:
    """`ultrafast` is dropped, and reported (protocol 1.2)."""
    terms = Terms(Profile(), Report())
    assert tiers.to_chat("ultrafast", "service_tier", terms) is None
    assert [(loss.path, loss.kind, loss.value) for loss in terms.report] == [("service_tier", "dropped", "ultrafast")]
