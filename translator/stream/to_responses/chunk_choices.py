"""What the choices of a chunk say, wherever a server puts it (W3, W4, W6): read once, before anybody acts on it."""

from __future__ import annotations

from typing import Any, NamedTuple

from ...parts import reasoning
from ...wire import validate

Body = dict[str, Any]

CALLS = ("tool_calls", "function_call")
_WORDS = ("content", "annotations", "refusal", "error", *CALLS)
_ORDER = (*reasoning.TEXT_FIELDS, *reasoning.DETAIL_FIELDS, reasoning.OPAQUE_FIELD, *_WORDS)
"""In which order the members of a message become items (protocol 4.4)."""
_NO_WORDS = frozenset({"role", "name", "tool_call_id"})
_KINDS: dict[str, str] = {**dict.fromkeys(reasoning.FIELDS, "thoughts"), **dict.fromkeys(CALLS, "calls")}
_TEXTS = ("content", "refusal")


class Saying(NamedTuple):
    """Some words of an answer."""

    words: Body
    """The members that say something."""
    whole: bool = False
    """The message as it stands: what was said before is in it again, and only the rest is new."""


def in_order(choices: Any) -> list[Body]:
    """Return the choices of a chunk, the first one at the beginning, wherever it stands (D40)."""
    found = [choice for choice in choices if isinstance(choice, dict)] if isinstance(choices, list) else []
    return found if len(found) < 2 else sorted(found, key=lambda choice: _place(choice) != 0)


def read(choice: Body) -> list[Saying]:
    """Return what a choice says: its `delta`, its `message` behind it or instead of it, or a bare `text`."""
    said: list[Saying] = []
    if delta := _words(choice.get("delta")):
        said.append(Saying(delta))
    if message := _words(choice.get("message")):
        known = {name: message[name] for name in _ORDER if name in message} if len(message) > 1 else {}
        said.append(Saying({**known, **message}, whole=True))
    if not said and (text := choice.get("text")) and isinstance(text, str):  # as the older completions have it
        said.append(Saying({"content": text}))
    return said


def _words(given: Any) -> Body:
    if not isinstance(given, dict):  # D34
        return {}
    words = {name: v for name, v in given.items() if v and name not in _NO_WORDS and validate.has_content(v)}
    if "function_call" in words and "tool_calls" in words and _is_twin(words["function_call"], words["tool_calls"]):
        del words["function_call"]
    return words


def _is_twin(call: Any, calls: Any) -> bool:
    """Whether the older member names a call that is among the others as well: it is one call (W4)."""
    name = _name(call)
    others = [_name(c.get("function")) for c in calls if isinstance(c, dict)] if isinstance(calls, list) else []
    return not name or name in others or not any(others)


def _name(function: Any) -> Any:
    return function.get("name") if isinstance(function, dict) else None


class Choices:
    """Several choices of one answer: each kind of words is of the choice that says it first (W6).

    Text may be in one and the calls in the next (Copilot); one that says its text once more is a copy, with all it has.
    """

    def __init__(self) -> None:
        self._owners: dict[str, Any] = {}
        self._copies: set[Any] = set()

    def own(self, choice: Body, saying: Saying) -> tuple[Body, list[Any]]:
        """Return those of the words that belong to the answer, and whole calls that another choice has besides."""
        words, index = saying.words, _place(choice)
        if not self._copies and set(self._owners.values()) <= {index}:  # as nearly always
            for name in words:
                self._owners[_KINDS.get(name, "text")] = index
            return words, []
        if any(name in words for name in _TEXTS) and self._owners.setdefault("text", index) != index:
            self._copies.add(index)
        if index in self._copies:
            return {}, []
        mine = {n: v for n, v in words.items() if self._owners.setdefault(_KINDS.get(n, "text"), index) == index}
        calls = words.get("tool_calls") if saying.whole and "tool_calls" not in mine else None
        return mine, [call for call in calls if isinstance(call, dict)] if isinstance(calls, list) else []

    @property
    def only(self) -> int | str | None:
        """The index of the one choice that has said all so far; None if there are several."""
        owners = set(self._owners.values())
        return owners.pop() if len(owners) == 1 else None

    def is_copy(self, choice: Body) -> bool:
        """Whether a choice is another answer, which nobody asked for."""
        return bool(self._copies) and _place(choice) in self._copies


def _place(choice: Body) -> int | str:
    index = validate.list_index(choice.get("index"))
    return index if isinstance(index, (int, str)) else 0
