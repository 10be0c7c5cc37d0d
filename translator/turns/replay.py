"""Which reasoning of earlier turns is sent back to the upstream, in both directions (`reasoning_replay`)."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from ..profiles import Profile


class ReasoningReplay:
    """The rule for one conversation, whose *members* are items or messages."""

    def __init__(
        self, members: list[dict[str, Any]], profile: Profile, model: str = "", current_turn_only: bool = False
    ) -> None:
        self._members: list[dict[str, Any]] = members
        self._policy: str = profile.reasoning_replay
        self._model: str = model
        self._current_turn_only: bool = current_turn_only

    def allows(self, position: int, model: Any = None) -> bool:
        """Whether the reasoning at *position* goes back; *model* wrote it, if that is known.

        Reasoning of finished turns is left out, as the Responses API itself does (`reasoning.context`).
        """
        if self._policy == "tool_loop" or (self._policy != "never" and self._current_turn_only):
            return position > self._last_user
        if self._policy == "same_model":
            return model in (None, self._model)
        return self._policy == "always"

    @cached_property
    def _last_user(self) -> int:
        """The position of the last item or message of the user; -1 if there is none."""
        last = len(self._members) - 1
        return next((i for i in range(last, -1, -1) if self._members[i].get("role") == "user"), -1)
