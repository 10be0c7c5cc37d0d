"""A request and the history that it continues become the request that says it all (protocol 6.2)."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

from ..errors import RequestError
from ..wire import validate
from . import ids, needs, pairing, refusals
from .records import Past, is_compaction

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
    places: list[int]
    """For each item of the body behind those, its place in the input that the client sent."""

    def without(self, places: Collection[int]) -> Expanded:
        """Return the same without the items at some *places* of ``body``'s input."""
        before = len(self.inherited)
        return self._replace(
            body={**self.body, "input": [item for i, item in enumerate(self.body["input"]) if i not in places]},
            inherited=[item for i, item in enumerate(self.inherited) if i not in places],
            places=[place for i, place in enumerate(self.places, before) if i not in places],
        )

    def behind(self, summary: Item, front: Sequence[int], tail: Sequence[int]) -> Expanded:
        """Return the same with a *summary* between two groups of items, of which places are given, and no others."""
        items, before = self.body["input"], len(self.inherited)
        inherited = [*(items[i] for i in front), summary, *(items[i] for i in tail if i < before)]
        own = [i for i in tail if i >= before]
        return self._replace(
            body={**self.body, "input": [*inherited, *(items[i] for i in own)]},
            inherited=inherited,
            places=[self.places[i - before] for i in own],
        )

    @property
    def is_moved(self) -> bool:
        """Whether items of ``body`` are at other places than in what the client sent."""
        return bool(self.inherited) or self.places != list(range(len(self.places)))

    def path(self, path: str) -> str:
        """Return the client's word for a place in ``body``: what it did not send itself is `input` as a whole."""
        return _PLACE.sub(self._place, path) if self._is_own(path) else "input"

    def error(self, error: RequestError) -> RequestError:
        """Return an error about ``body`` in words about the client's request."""
        param = None if error.param is None else self.path(error.param)
        return error.replace(param=param, message=_PLACE.sub(self._place, error.message))

    def _is_own(self, path: str) -> bool:
        match = _PLACE.match(path)
        return match is None or int(match[1]) >= len(self.inherited)

    def _place(self, match: re.Match[str]) -> str:
        number = int(match[1]) - len(self.inherited)
        return f"input[{self.places[number]}]" if 0 <= number < len(self.places) else "history"


def expand(
    body: dict[str, Any],
    new_id: ids.NewId,
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
    inputs = _Inputs(before, referenced or {}, new_id, in_conversation)
    inputs.read(body.get("input"))
    items = inputs.items
    if before:
        before = pairing.without_abandoned(before, items)
    if before or referenced:
        pairing.check([*before, *items])
    made = {name: value for name, value in body.items() if name not in _RESOLVED}
    if before or body.get("input") is not None:
        made["input"] = [*before, *items] if before or isinstance(body["input"], list) else body["input"]
    return Expanded(made, inputs.own, before, inputs.places)


def unexpanded(body: dict[str, Any]) -> Expanded:
    """Return a request that stands for nothing else, whose input is an array."""
    return Expanded(body, [], [], list(range(len(body["input"]))))


def of_chain(chain: Sequence[Past]) -> list[Item]:
    """Return what the responses of a chain, oldest first, hand on to the next request, from the newest compaction on.

    Raises RequestError if one of them has not finished.
    """
    start, found = 0, 0
    handed_on = [contributed(past) for past in chain]
    for i, past in enumerate(chain):
        if any(is_compaction(item) for item in handed_on[i]):
            start, found = i, _beginning(past, handed_on[i])
    if handed_on:
        handed_on[start] = handed_on[start][found:]
    return [item for items in handed_on[start:] for item in items]


def of_conversation(items: Sequence[Item]) -> list[Item]:
    """Return what a conversation hands on: its items from the newest compaction on."""
    last = max((i for i, item in enumerate(items) if is_compaction(item)), default=0)
    return list(items[last:])


def contributed(past: Past) -> list[Item]:
    """Return what one response hands on, by its status; raises RequestError if it has not finished."""
    if past.status in _RUNNING:
        raise refusals.not_finished(past.id)
    if past.status == "cancelled":
        return past.input
    if past.status == "failed":
        return [*past.input, *(item for item in past.output if item.get("status") in _FINISHED)]
    return past.input + past.output


def _beginning(past: Past, items: list[Item]) -> int:
    """Where the history starts in the newest response with a compaction: at one that the model made, else at its input.

    What a client sent together with a compaction is one window: nothing of it is left out.
    """
    made = [i for i in range(len(past.input), len(items)) if is_compaction(items[i])]
    return made[-1] if made else 0


class _Inputs:
    """The input of a request: what it stands for, and how it is kept. Nothing is in a history twice."""

    def __init__(self, before: list[Item], referenced: Mapping[str, Item], new_id: ids.NewId, strict: bool) -> None:
        self.items: list[Item] = []
        self.own: list[Item] = []
        self.places: list[int] = []
        self._there = {item["id"]: item for item in before if "id" in item and not _is_named_by_call(item)}
        self._known = {**referenced, **self._there}
        self._taken = set(self._there)
        self._new_id = new_id
        self._strict = strict  # whether a repeated item is an error
        self._place = 0

    def read(self, value: Any) -> None:
        """Read the `input` that a client sent."""
        if isinstance(value, str):
            value = [{"type": "message", "role": "user", "content": value}]
        for self._place, item in enumerate(validate.mappings(value, "input") if value is not None else ()):
            if needs.is_reference(item):
                self._add_referenced(item.get("id"))
            elif item.get("type") == "compaction_trigger":  # it asks for something once, so it is not kept
                self._take(item)
            else:
                self._add(item)

    def _add_referenced(self, ident: Any) -> None:
        found = self._known.get(ident) if isinstance(ident, str) else None
        if found is None:
            raise refusals.no_item(str(ident))
        if not self._is_taken(ident):
            self._take(found)
            self.own.append(found)
            self._taken.add(ident)

    def _add(self, item: Item) -> None:
        made = kept(item, self._new_id)
        if not _is_named_by_call(made):
            ident = made["id"]
            if self._is_taken(ident):
                if ident in self._there and (ids.key_of(ident) or self._there[ident] == made):
                    return
                made["id"] = ids.of_item(made, self._new_id)  # another item that a client gave the same name
            self._taken.add(made["id"])
        self._take(item)
        self.own.append(made)

    def _take(self, item: Item) -> None:
        self.items.append(item)
        self.places.append(self._place)

    def _is_taken(self, ident: str) -> bool:
        if ident in self._taken and self._strict:
            raise refusals.duplicate_item(ident)
        return ident in self._taken


def kept(item: Item, new_id: ids.NewId) -> Item:
    """Return an input item as it is kept: with type, id and status, a text as a part."""
    role = item.get("role")
    made = {"type": "message", **item} if role is not None and item.get("type") is None else {**item}
    if not ids.is_id(made.get("id")):
        made["id"] = ids.of_item(made, new_id)
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
