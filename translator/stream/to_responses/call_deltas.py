"""Fragments of tool calls: which call each belongs to, however a server numbers them (D7-D14)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from ...parts.catalog import Catalog
from ...wire import json, validate
from .call_item import Call


class Fragment(NamedTuple):
    """One member of a delta's `tool_calls`; what is null or empty says nothing (D10)."""

    at: int | str | None  # the index in `tool_calls`
    call_id: str
    name: str
    piece: str  # of the arguments, or of a free-form tool's input
    free_form: bool
    extra: dict[str, Any] | None  # D5: what the provider wants back with this call


def read(delta: dict[str, Any]) -> Fragment:
    custom, function = delta.get("custom"), delta.get("function")
    free_form = isinstance(custom, dict) and delta.get("type") != "function"  # W4: the type says which member counts
    if free_form and isinstance(function, dict) and delta.get("type") != "custom":
        free_form = validate.has_content(custom)
    said = custom if free_form else function
    said = said if isinstance(said, dict) else {}
    piece = said.get("input" if free_form else "arguments")
    if not isinstance(piece, str):  # D39: an object instead of its text
        piece = "" if piece is None else json.encode_text(piece)
    index, extra = validate.list_index(delta.get("index")), delta.get("extra_content")
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


LEGACY = "function_call"
"""Where the one call of the older member stands."""


class Calls:
    """The calls of one answer, under the keys by which the chunks name them: id, then place, then name (W5)."""

    def __init__(self, make: Callable[[], Call], catalog: Catalog) -> None:
        self._make = make
        self._catalog = catalog
        self._calls: dict[Any, Call] = {}  # the last one of each key
        self._all: list[Call] = []
        self._by_id: dict[str, Call] = {}  # the first one of each id
        self._names: set[str] = set()
        self._current: Call | None = None

    def release(self, catalog: Catalog) -> None:
        """Know the tools from *catalog*: it has no declarations."""
        self._catalog = catalog

    def find(self, fragment: Fragment, position: int | None = None) -> tuple[Call, bool]:
        """Return the call that *fragment* belongs to, and whether it is a new one.

        Where it stands in the list of a whole message, its *position* counts, and it is a whole call.
        """
        if position is None:
            key, call = self._known(fragment)
            is_new = call is None or self._is_another(call, fragment)
        else:
            key, call = f"number {len(self._calls)}", self._told(fragment, position)
            is_new = call is None
        if call is None or is_new:
            call = self._calls[key] = self._make()
            self._all.append(call)
        if fragment.call_id and not call.call_id and self._by_id.setdefault(fragment.call_id, call) is not call:
            fragment = fragment._replace(call_id="")  # two calls of one id: the second gets one of its own
        if fragment.name != call.name and self._joins(call, fragment.name):
            call.rename(self._joined(call.name, fragment.name))
        call.head(fragment.name, fragment.call_id, fragment.free_form)
        self._names.add(call.name)
        self._current = call
        return call, is_new

    def has_twin(self, function: Any) -> bool:
        """Whether the call of the older member was named in `tool_calls` before: it is that one, told twice (W4)."""
        if not self._all or LEGACY in self._calls:
            return False
        name = _word(function.get("name")) if isinstance(function, dict) else ""
        return not name or name in self._names

    def _known(self, fragment: Fragment) -> tuple[Any, Call | None]:
        by_id = f"id {fragment.call_id}"
        if fragment.at is not None:
            key = by_id if fragment.call_id and by_id in self._calls else fragment.at
            return key, self._calls.get(key) or self._repeated(fragment)
        if fragment.call_id:
            return by_id, self._by_id.get(fragment.call_id) or (None if fragment.name else self._current)
        return f"number {len(self._calls)}", self._current

    def _repeated(self, fragment: Fragment) -> Call | None:
        """The call that a new place only repeats: one of its id, or that of the older member."""
        call = self._by_id.get(fragment.call_id) or self._calls.get(LEGACY)
        if call is None or not fragment.piece or call.name != fragment.name:
            return None
        return call if call.says(fragment.piece) else None

    def _told(self, fragment: Fragment, position: int) -> Call | None:
        """The call that a member of a whole message is: of its id, or at its place, if both can be one."""
        call = self._by_id.get(fragment.call_id)
        if call is not None and call.name == fragment.name:
            return call
        call = self._all[position] if position < len(self._all) else None
        if call is None or fragment.name != call.name:
            return None
        return call if not (call.call_id and fragment.call_id) or call.says(fragment.piece) else None

    def _is_another(self, call: Call, fragment: Fragment) -> bool:
        """Some servers give every call index 0: a new id, a new name, or arguments after whole ones begin another."""
        if not fragment.name:  # each fragment may have a new id, but no call begins without a name
            return False
        if fragment.call_id and call.call_id and fragment.call_id != call.call_id:
            return True
        if not call.name:
            return False
        if fragment.name != call.name:
            return not self._joins(call, fragment.name)
        if fragment.call_id or fragment.piece.lstrip()[:1] != "{" or not call.has_object():
            return False
        return fragment.at is None or not (call.says("{}") or call.says(fragment.piece))

    def _joins(self, call: Call, more: str) -> bool:
        """Whether a name goes on: no tool is called *more*, and one is called, or begins, with both together."""
        if not (call.name and more) or call.has_begun or call.live:
            return False
        joined = self._joined(call.name, more)
        is_known = self._catalog.by_flat(joined) is not None or self._catalog.may_go_on(joined)
        return is_known and (self._catalog.by_flat(more) is None or joined == more)

    @staticmethod
    def _joined(name: str, more: str) -> str:
        return more if more.startswith(name) else name + more

    def goes_on(self, index: int, call: Call) -> bool:
        """Whether *call* is the one that was heard last, and *index* alone means it."""
        return self._current is call and self._calls.get(index) is call

    @property
    def came(self) -> bool:
        """Whether there is any call."""
        return bool(self._all)

    def are_broken(self) -> bool:
        """Whether more came for any call than its arguments."""
        return any(call.is_broken for call in self._all)

    def are_whole(self) -> bool:
        """Whether no call stops in the middle of its arguments."""
        return all(call.is_complete() for call in self._all)

    def have_open_input(self) -> bool:
        """Whether the input of a wrapped free-form call has no end: a client would run half of it."""
        return any(call.has_open_input() for call in self._all)

    def are_named(self) -> bool:
        return all(call.name for call in self._all)
