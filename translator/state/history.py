"""A request and the history that it continues become the request that says it all (protocol 6.2)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from ..errors import RequestError
from ..wire import validate
from . import ids, needs, pairing, refusals
from .records import Record, is_compaction

Item = dict[str, Any]

_RESOLVED = ("previous_response_id", "conversation", "input")
_RUNNING = ("queued", "in_progress")
_FINISHED = (None, "completed")
_ROLES = ("user", "system", "developer", "assistant")
_PLACE = re.compile(r"\binput\[(\d{1,9})\]")


class Expanded(NamedTuple):
    """A request with its history."""

    body: dict[str, Any]
    """The request as if the client had sent everything."""
    own: list[Item]
    """The resolved input of this request alone, each item with an id: what a record keeps."""
    inherited: list[Item]
    """What came before it."""

    def path(self, path: str | None) -> str | None:
        """Return the client's word for a place in ``body``: what it did not send itself is `input` as a whole."""
        return None if path is None else _PLACE.sub(self._place, path) if self._is_own(path) else "input"

    def error(self, error: RequestError) -> RequestError:
        """Return an error about ``body`` in words about the client's request."""
        if not self.inherited:
            return error
        return error.replace(param=self.path(error.param), message=_PLACE.sub(self._place, error.message))

    def _is_own(self, path: str) -> bool:
        match = _PLACE.match(path)
        return match is None or int(match[1]) >= len(self.inherited)

    def _place(self, match: re.Match[str]) -> str:
        number = int(match[1]) - len(self.inherited)
        return f"input[{number}]" if number >= 0 else "history"


def expand(
    body: dict[str, Any],
    new_id: ids.ItemIds,
    *,
    inherited: Sequence[Item] = (),
    referenced: Mapping[str, Item] | None = None,
    in_conversation: bool = False,
) -> Expanded:
    """Return *body* with everything that it stands for.

    *inherited* are the items before its input: ``of_chain`` of a chain, ``of_conversation`` of a conversation.
    *referenced* are the items that were fetched by id. *body* is not modified. Raises RequestError for a reference to
    what is not there, for an item that a conversation has already, and for calls and outputs without each other.
    """
    before = list(inherited)
    known = {**(referenced or {}), **{item["id"]: item for item in before if ids.is_id(item.get("id"))}}
    sent = _sent(body.get("input"))
    items, own = _resolved(sent, known, new_id)
    if before:
        there = {item.get("id") for item in before if not _is_named_by_call(item)}
        if repeated := {item["id"] for item in own if item["id"] in there and not _is_named_by_call(item)}:
            if in_conversation:
                raise refusals.duplicate_item(next(item["id"] for item in own if item["id"] in repeated))
            items = [item for item in items if item.get("id") not in repeated or _is_named_by_call(item)]
            own = [item for item in own if item["id"] not in repeated or _is_named_by_call(item)]
        before = pairing.without_abandoned(before, items)
    if before or referenced:
        pairing.check([*before, *items])
    made = {name: value for name, value in body.items() if name not in _RESOLVED}
    if before or body.get("input") is not None:
        made["input"] = [*before, *items] if before or isinstance(body["input"], list) else body["input"]
    return Expanded(made, own, before)


def of_chain(records: Sequence[Record]) -> list[Item]:
    """Return what the *records* of a chain, oldest first, hand on to the next request, from the newest compaction on.

    An item comes once, whoever repeats it. Raises RequestError if one of them has not finished.
    """
    start, found = 0, 0
    handed_on = [contributed(record) for record in records]
    for i, record in enumerate(records):
        if any(is_compaction(item) for item in handed_on[i]):
            start, found = i, _beginning(record, handed_on[i])
    if handed_on:
        handed_on[start] = handed_on[start][found:]
    return once(item for items in handed_on[start:] for item in items)


def of_conversation(items: Sequence[Item]) -> list[Item]:
    """Return what a conversation hands on: its items from the newest compaction on."""
    last = max((i for i, item in enumerate(items) if is_compaction(item)), default=0)
    return list(items[last:])


def contributed(record: Record) -> list[Item]:
    """Return what one response hands on, by its status; raises RequestError if it has not finished."""
    status, output = record.answer.get("status"), record.answer["output"]
    if status in _RUNNING:
        raise refusals.not_finished(record.id)
    if status == "cancelled":
        return record.input
    if status == "failed":
        output = [item for item in output if item.get("status") in _FINISHED]
    return [*record.input, *output]


def once(items: Iterable[Item]) -> list[Item]:
    """Return *items* without those whose id came before."""
    seen: set[Any] = set()
    kept: list[Item] = []
    for item in items:
        ident = None if _is_named_by_call(item) else item.get("id")
        if ident is None or ident not in seen:
            kept.append(item)
            seen.add(ident)
    return kept


def _beginning(record: Record, items: list[Item]) -> int:
    """Where the history starts in the newest record with a compaction: at one that the model made, else at its input.

    What a client sent together with a compaction is one window: nothing of it is left out.
    """
    made = [i for i in range(len(record.input), len(items)) if is_compaction(items[i])]
    return made[-1] if made else 0


def _sent(value: Any) -> list[Any]:
    """Return the input that a client sent as items."""
    if value is None:
        return []
    if isinstance(value, str):
        return [{"type": "message", "role": "user", "content": value}]
    return validate.mappings(value, "input")


def _resolved(sent: list[Item], known: Mapping[str, Item], new_id: ids.ItemIds) -> tuple[list[Item], list[Item]]:
    """Return the *sent* items with what they refer to, and the same as they are kept."""
    items: list[Item] = []
    own: list[Item] = []
    for item in sent:
        if needs.is_reference(item):
            ident = item.get("id")
            found = known.get(ident) if isinstance(ident, str) else None
            if found is None:
                raise refusals.no_item(str(ident))
            items.append(found)
            own.append(found)
        else:
            items.append(item)
            if item.get("type") != "compaction_trigger":  # it asks for something once
                own.append(kept(item, new_id))
    return items, own


def kept(item: Item, new_id: ids.ItemIds) -> Item:
    """Return an input item as it is kept: with type, id and status, a text as a part."""
    role = item.get("role")
    made = {"type": "message", **item} if role is not None and item.get("type") is None else {**item}
    if not ids.is_id(made.get("id")):
        made["id"] = new_id.of(made)
    if made.get("type") == "message":
        made.setdefault("status", "completed")
        if isinstance(made.get("content"), str) and role in _ROLES:
            made["content"] = [_text_part(made["content"], role)]
    return made


def _text_part(text: str, role: Any) -> Item:
    if role == "assistant":
        return {"type": "output_text", "text": text, "annotations": []}
    return {"type": "input_text", "text": text}


def _is_named_by_call(item: Item) -> bool:
    """Whether the id of an item is the one of the call that it answers (protocol 2.4)."""
    return item.get("type") == "local_shell_call_output"
