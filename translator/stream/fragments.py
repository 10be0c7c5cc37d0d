"""Fragments of tool calls: which call each belongs to, however a server numbers them (D7-D14)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from ..parts.tools import Catalog
from ..wire import json
from ..wire.shape import place
from .call import Call


class Fragment(NamedTuple):
    """One member of a delta's `tool_calls`; what is null or empty says nothing (D10)."""

    at: int | str | None  # the index in `tool_calls`
    call_id: str
    name: str
    piece: str  # of the arguments, or of a free-form tool's input
    free_form: bool
    extra: dict[str, Any] | None  # D5: what the provider wants back with this call


def read(delta: dict[str, Any]) -> Fragment:
    custom = delta.get("custom")
    free_form = isinstance(custom, dict)
    said = custom if isinstance(custom, dict) else delta.get("function")
    said = said if isinstance(said, dict) else {}
    piece = said.get("input" if free_form else "arguments")
    if not isinstance(piece, str):  # D39: an object instead of its text
        piece = "" if piece is None else json.encode_text(piece)
    index, extra = place(delta.get("index")), delta.get("extra_content")
    return Fragment(
        index if isinstance(index, (int, str)) else None,
        _word(delta.get("id")),
        _word(said.get("name")),
        piece,
        free_form,
        extra if isinstance(extra, dict) else None,
    )


def from_markup(text: str, catalog: Catalog) -> dict[str, Any] | None:
    """Return the member of `tool_calls` for what stood in a `tool_call` tag; None if no declared tool is called."""
    try:
        value = json.decode(text)
    except ValueError:
        return None
    if not isinstance(value, dict) or catalog.by_flat(_word(value.get("name"))) is None:
        return None
    given = value.get("arguments", value.get("parameters"))
    return {"function": {"name": value["name"], "arguments": {} if given is None else given}}


def _word(value: Any) -> str:
    return value if isinstance(value, str) else ""


class Calls:
    """The calls of one answer, under the keys by which the chunks name them."""

    def __init__(self, make: Callable[[], Call]) -> None:
        self._make = make
        self._calls: dict[Any, Call] = {}  # the last one of each key
        self._all: list[Call] = []
        self._by_id: dict[str, Call] = {}  # the first one of each id
        self._current: Call | None = None

    def find(self, fragment: Fragment) -> tuple[Call, bool]:
        """Return the call that *fragment* belongs to, and whether it is a new one."""
        key, call = self._known(fragment)
        is_new = call is None or _is_another(call, fragment)
        if call is None or is_new:
            call = self._calls[key] = self._make()
            self._all.append(call)
        if fragment.call_id and not call.call_id and self._by_id.setdefault(fragment.call_id, call) is not call:
            fragment = fragment._replace(call_id="")  # two calls of one id: the second gets one of its own
        call.head(fragment.name, fragment.call_id, fragment.free_form)
        self._current = call
        return call, is_new

    def _known(self, fragment: Fragment) -> tuple[Any, Call | None]:
        by_id = f"id {fragment.call_id}"
        if fragment.at is not None:
            key = by_id if fragment.call_id and by_id in self._calls else fragment.at
            return key, self._calls.get(key)
        if fragment.call_id:
            return by_id, self._by_id.get(fragment.call_id)
        return f"number {len(self._calls)}", self._current

    def goes_on(self, index: int, call: Call) -> bool:
        """Whether *call* is the one that was heard last, and *index* alone means it."""
        return self._current is call and self._calls.get(index) is call

    @property
    def came(self) -> bool:
        """Whether there is any call."""
        return bool(self._all)

    def are_whole(self) -> bool:
        """Whether no call stops in the middle of its arguments."""
        return all(call.is_complete() for call in self._all)

    def have_open_input(self) -> bool:
        """Whether the input of a wrapped free-form call has no end: a client would run half of it."""
        return any(call.has_open_input() for call in self._all)

    def are_named(self) -> bool:
        return all(call.name for call in self._all)


def _is_another(call: Call, fragment: Fragment) -> bool:
    """Some servers give every call index 0: a new id, a new name, or arguments after whole ones begin another call."""
    if fragment.call_id and call.call_id:
        return fragment.call_id != call.call_id
    if not (fragment.name and call.name):
        return False
    return fragment.name != call.name or (fragment.piece.lstrip()[:1] == "{" and call.is_whole())
