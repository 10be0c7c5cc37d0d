"""docs/upstreams.md says what PRESETS say; `pytest --update` writes it anew."""

import re

import pytest
from upstreams_doc import DOCS, PAGE, facts, page

from diglot.translator import PRESETS

RECORDED = {"tokenops", "tokenhub", "mytokengate"}


def test_the_page_is_generated(request: pytest.FixtureRequest) -> None:
    """It is up to date."""
    if request.config.getoption("--update"):
        PAGE.write_text(page())
    assert PAGE.read_text() == page()


def test_every_preset_has_evidence() -> None:
    """In the order of the presets: a documentation, a thread, or a recording."""
    assert list(facts()) == list(PRESETS)
    for name, fact in facts().items():
        assert list(fact) == ["upstream", "read", "evidence"]
        assert fact["read"].endswith(".")
        assert bool(fact["evidence"]) is (name != "default"), name
        for link in fact["evidence"]:
            assert (DOCS / link).exists() if name in RECORDED else re.fullmatch(r"https://\S+\.\S+/?\S*", link), link
