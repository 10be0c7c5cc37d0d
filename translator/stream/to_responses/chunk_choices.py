"""Read the choices of a chunk, wherever a server puts their content (W3, W4, W6), before anything is written."""

from __future__ import annotations

from typing import Any, NamedTuple

from ...parts import reasoning
from ...wire import validate

Body = dict[str, Any]

CALLS = ("tool_calls", "function_call")
_ORDER = (
    *reasoning.TEXT_FIELDS,
    *reasoning.DETAIL_FIELDS,
    reasoning.OPAQUE_FIELD,
    *("content", "annotations", "refusal", "error"),
    *CALLS,
)
"""The order in which the members of a message become items (protocol 4.4)."""
_IGNORED = frozenset({"role", "name", "tool_call_id"})
_KINDS: dict[str, str] = {**dict.fromkeys(reasoning.FIELDS, "thoughts"), **dict.fromkeys(CALLS, "calls")}
_TEXTS = ("content", "refusal")


class Contribution(NamedTuple):
    """What a choice adds to the answer."""

    members: Body
    """The members of its delta or message that are not empty."""
    whole: bool = False
    """It is a whole message: it repeats what came before, and only the rest is new."""


def in_order(choices: Any) -> list[Body]:
    """Return the choices of a chunk, the first one at the beginning, wherever it stands (D40)."""
    if not isinstance(choices, list):
        return []
    if len(choices) == 1 and isinstance(choices[0], dict):  # as nearly always
        return choices
    return sorted((choice for choice in choices if isinstance(choice, dict)), key=lambda choice: index_of(choice) != 0)


def read(choice: Body) -> list[Contribution]:
    """Return what a choice adds: its `delta`, its `message` behind it or instead of it, or a bare `text`."""
    contributions: list[Contribution] = []
    delta, message, text = choice.get("delta"), choice.get("message"), choice.get("text")
    if delta and (members := _members(delta)):
        contributions.append(Contribution(members))
    if message and (members := _members(message)):
        if len(members) > 1:
            members = {**{name: members[name] for name in _ORDER if name in members}, **members}
        contributions.append(Contribution(members, whole=True))
    if text and not contributions and isinstance(text, str):  # as the older completions have it
        contributions.append(Contribution({"content": text}))
    return contributions


def _members(owner: Any) -> Body:
    members: Body = {}
    if isinstance(owner, dict):  # D34
        for name, value in owner.items():
            if value and name not in _IGNORED and (isinstance(value, str) or validate.has_content(value)):
                members[name] = value
    if "function_call" in members and _is_twin(members["function_call"], members.get("tool_calls")):
        del members["function_call"]
    return members


def _is_twin(call: Any, calls: Any) -> bool:
    """Whether the older member names a call that is among the others as well: it is one call (W4)."""
    if calls is None:
        return False
    name = _name(call)
    others = [_name(c.get("function")) for c in calls if isinstance(c, dict)] if isinstance(calls, list) else []
    return not name or name in others or not any(others)


def _name(function: Any) -> Any:
    return function.get("name") if isinstance(function, dict) else None


class ChoiceSelector:
    """Selects among several choices of one answer: each kind of content comes from the choice that has it first (W6).

    Text may be in one and the calls in the next (Copilot); a choice that repeats the text is a copy as a whole.
    """

    def __init__(self) -> None:
        self._owners: dict[str, int | str] = {}
        self._copies: set[int | str] = set()
        self.only: int | str | None = None
        """The index of the only choice so far; None if there are several, or none."""

    def select(self, index: int | str, contribution: Contribution) -> tuple[Body, list[Any]]:
        """Return the members that belong to the answer, and whole calls that another choice has besides."""
        members = contribution.members
        if not self._copies and (self.only == index or not self._owners):  # as nearly always
            for name in members:
                self._owners[_KINDS.get(name, "text")] = self.only = index
            return members, []
        if any(name in members for name in _TEXTS) and self._owners.setdefault("text", index) != index:
            self._copies.add(index)
        if index in self._copies:
            return {}, []
        mine = {n: v for n, v in members.items() if self._owners.setdefault(_KINDS.get(n, "text"), index) == index}
        if mine and self.only != index:
            self.only = None
        calls = members.get("tool_calls") if contribution.whole and "tool_calls" not in mine else None
        return mine, [call for call in calls if isinstance(call, dict)] if isinstance(calls, list) else []

    def is_copy(self, index: int | str) -> bool:
        """Whether a choice is another answer, which the client did not ask for."""
        return index in self._copies


def index_of(choice: Body) -> int | str:
    """Return the index of a choice; 0 for what is none."""
    index = choice.get("index")
    if index is None or index == 0:  # as nearly always
        return 0
    index = validate.list_index(index)
    return index if isinstance(index, (int, str)) else 0
