"""Calls and their outputs, judged over a whole history (protocol 7.2)."""

from __future__ import annotations

from typing import Any

from ..parts import calls, outputs
from . import refusals

Item = dict[str, Any]
Names = tuple[str, ...]
_PAIRED = frozenset({*calls.CALLS, *outputs.OUTPUTS})


def check(items: list[Item]) -> None:
    """Raise RequestError for the first output whose call is nowhere, then for the first call without an output."""
    made: list[Names] = []
    answers: list[str] = []
    for item in items:
        if _kind(item) in _PAIRED or "tool_calls" in item or "tool_call_id" in item:
            made += calls_of(item)
            answers += answers_of(item)
    called, answered = {name for names in made for name in names}, set(answers)
    for call_id in answers:
        if call_id not in called:
            raise refusals.no_call(call_id)
    for names in made:
        if answered.isdisjoint(names):
            raise refusals.no_output(names[0])


def without_abandoned(items: list[Item], later: list[Item]) -> list[Item]:
    """Return *items* without calls whose `status` is `incomplete`, but for those that they or *later* ones answer."""
    if not any(_is_incomplete(item) for item in items):
        return items
    answered = {call_id for some in (items, later) for item in some for call_id in answers_of(item)}
    return [item for item in items if not _is_incomplete(item) or _is_answered(item, answered)]


def _is_answered(item: Item, answered: set[str]) -> bool:
    return any(not answered.isdisjoint(names) for names in calls_of(item))


def _is_incomplete(item: Item) -> bool:
    return item.get("status") == "incomplete" and _kind(item) in calls.CALLS


def calls_of(item: Item) -> list[Names]:
    """The calls that an item makes: one, or those of a turn as chat has it; a call of a local shell has two names."""
    kind = _kind(item)
    if kind in calls.CALLS and item.get("execution") != "server":
        names = _texts(item.get("call_id"), item.get("id") if kind == "local_shell_call" else None)
        return [names] if names else []
    if item.get("role") == "assistant" and isinstance(item.get("tool_calls"), list):
        return [names for call in item["tool_calls"] if isinstance(call, dict) and (names := _texts(call.get("id")))]
    return []


def answers_of(item: Item) -> Names:
    """The id of the call that an item answers, if it answers one."""
    kind = _kind(item)
    if kind in outputs.OUTPUTS and item.get("execution") != "server":
        named = item.get("call_id")
        return _texts(item.get("id") if named is None and kind == "local_shell_call_output" else named)
    return _texts(item.get("tool_call_id")) if item.get("role") == "tool" else ()


def _kind(item: Item) -> str:
    kind = item.get("type")
    return kind if isinstance(kind, str) else ""


def _texts(*values: Any) -> Names:
    return tuple(value for value in values if isinstance(value, str))
