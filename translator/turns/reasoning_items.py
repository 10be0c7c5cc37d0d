"""Reasoning items that a client sends back: what of them goes to a chat upstream (protocol 2.9, 7.2)."""

from __future__ import annotations

from typing import Any

from ..context import Context
from ..parts import reasoning
from ..wire import validate
from .replay import ReasoningReplay

Item = dict[str, Any]
_FOREIGN = "only its provider can read it"


class ReasoningItems:
    """Reads the reasoning among *items*, for *model*."""

    def __init__(self, items: list[Item], context: Context, model: str, current_turn_only: bool) -> None:
        self._context: Context = context
        self._model: str = model
        self._replay: ReasoningReplay = ReasoningReplay(items, context.profile, model, current_turn_only)
        self._removed: dict[int, tuple[Any, str]] = {}  # ids of items by their places, and why they were left out

    @property
    def transformations(self) -> list[Item]:
        """The `input_transformations` of the answer: items that were not given to the model, in order.

        Clients find an item by its id, and the type wants one: Codex leaves ids out.
        """
        return [
            {
                "type": "reasoning",
                "id": item_id if isinstance(item_id, str) else "",
                "action": "removed",
                "reason": reason,
            }
            for item_id, reason in self._removed.values()
        ]

    def read(self, position: int, item: Item, path: str) -> tuple[str, dict[str, Any]]:
        """Return the text that goes back and the provider state that goes with it; what stays behind is reported.

        Raises RequestError in strict mode for what cannot be opened.
        """
        text, state = reasoning.to_chat(item, path, self._context.seals)
        if state is None:
            self._leave_unopened(position, item, f"{path}.encrypted_content" if text else path)
            state = {}
        elif not text and not state:
            self._context.report.dropped(path, "only its id is known here")
        if not state:
            if text and not self._replay.allows(position):
                self._report_not_replayed(position, item, path, True, False)
                text = ""
            return text, state
        is_of_other = state.get("model") not in (None, self._model)
        if not self._replay.allows(position, state.get("model")):
            self._report_not_replayed(position, item, path, bool(text) or "calls" not in state, is_of_other)
            text, state = "", {k: v for k, v in state.items() if k == "calls"}  # D5: they belong to the calls
        if is_of_other and not reasoning.PROVIDER_STATE.isdisjoint(state):
            self._context.report.dropped(f"{path}.encrypted_content", "it is the state of another model")
            self._list(position, item, "model_mismatch")
            state = {k: v for k, v in state.items() if k == "field"}
        return text, state

    def _leave_unopened(self, position: int, item: Item, path: str) -> None:
        if self._context.strict:
            raise reasoning.cannot_open(validate.text(item["encrypted_content"], path))
        self._context.report.dropped(path, _FOREIGN)
        self._list(position, item, "organization_mismatch")

    def _report_not_replayed(self, position: int, item: Item, path: str, is_lost: bool, is_of_other: bool) -> None:
        report, policy = self._context.report, self._context.profile.reasoning_replay
        if policy == "same_model" and is_of_other:
            report.emulated(path, "reasoning of another model is left out, as on a Responses server")
            self._list(position, item, "model_mismatch")
        elif policy != "never":
            report.emulated(path, "reasoning of finished turns is left out, as on a Responses server")
        elif is_lost:
            report.dropped(path, "the upstream does not accept reasoning")

    def _list(self, position: int, item: Item, reason: str) -> None:
        self._removed.setdefault(position, (item.get("id"), reason))
