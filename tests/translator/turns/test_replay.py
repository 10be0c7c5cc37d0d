"""Which reasoning goes back."""

from typing import Any

import pytest

from diglot.translator import Profile
from diglot.translator.turns.replay import ReasoningReplay

USER, ASSISTANT = {"role": "user"}, {"role": "assistant"}
MEMBERS = [USER, ASSISTANT, USER, ASSISTANT]


@pytest.mark.parametrize(
    ("policy", "model", "positions"),
    [
        ("never", None, []),
        ("tool_loop", None, [3]),
        ("same_model", None, [1, 3]),
        ("same_model", "m", [1, 3]),
        ("same_model", "other", []),
        ("always", "other", [1, 3]),
    ],
)
def test_policies(policy: Any, model: str | None, positions: list[int]) -> None:
    """Behind the last user, of the same model, or all of it."""
    replay = ReasoningReplay(MEMBERS, Profile(reasoning_replay=policy), "m")
    assert [position for position in (1, 3) if replay.allows(position, model)] == positions


@pytest.mark.parametrize(("policy", "positions"), [("never", []), ("same_model", [3]), ("always", [3])])
def test_the_current_turn_only(policy: Any, positions: list[int]) -> None:
    """A client may ask for less than the profile allows."""
    replay = ReasoningReplay(MEMBERS, Profile(reasoning_replay=policy), "m", current_turn_only=True)
    assert [position for position in (1, 3) if replay.allows(position)] == positions


def test_nobody_asked() -> None:
    """Without a user, all of it is the current turn."""
    assert ReasoningReplay([ASSISTANT], Profile(reasoning_replay="tool_loop")).allows(0)
