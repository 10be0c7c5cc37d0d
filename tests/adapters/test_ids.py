"""Identifiers."""

import re

from diglot.adapters.ids import new_id


def test_ids() -> None:
    """Nobody can guess them, and none comes twice."""
    made = {new_id("resp") for _ in range(100)}
    assert len(made) == 100
    assert all(re.fullmatch(r"resp_[0-9a-f]{32}", one) for one in made)
