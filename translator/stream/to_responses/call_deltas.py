"""Assign deltas to tool calls, however a server numbers them (D7-D14)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from ...parts.catalog import Catalog
from ...wire import json, validate
from .call_item import CallItem


class CallDelta(NamedTuple):
    """One member of a delta's `tool_calls`; null and empty values do not count (D10)."""

    place: int | str | None  # its index in `tool_calls`
    call_id: str
    name: str
    payload: str  # a piece of the arguments, or of a free-form tool's input
    free_form: bool
    extra: dict[str, Any] | None  # D5: what the provider wants back with this call

    @property
    def is_empty(self) -> bool:
        """Whether nothing is in it that a call could be made of."""
        return not (self.call_id or self.name or self.payload) and self.extra is None


def read(delta: dict[str, Any]) -> CallDelta:
    """Return what a member of `tool_calls` holds."""
    custom, function = delta.get("custom"), delta.get("function")
    free_form = isinstance(custom, dict) and delta.get("type") != "function"  # W4: the type says which member counts
    if free_form and isinstance(function, dict) and delta.get("type") != "custom":
        free_form = validate.has_content(custom)
    call = custom if free_form else function
    call = call if isinstance(call, dict) else {}
    payload = call.get("input" if free_form else "arguments")
    if not isinstance(payload, str):  # D39: an object instead of its text
        payload = "" if payload is None else json.encode_text(payload)
    call_id, name, extra = delta.get("id"), call.get("name"), delta.get("extra_content")
    place = validate.list_index(delta.get("index"))
    return CallDelta(
        place if isinstance(place, (int, str)) else None,
        call_id if isinstance(call_id, str) else "",
        name if isinstance(name, str) else "",
        payload,
        free_form,
        extra if isinstance(extra, dict) else None,
    )


def from_tag(text: str, catalog: Catalog) -> dict[str, Any] | None:
    """Return the member of `tool_calls` for what stood in a `tool_call` tag; None if no declared tool is called."""
    try:
        value = json.decode(text)
    except ValueError:
        return None
    if not isinstance(value, dict) or catalog.by_flat(_text(value.get("name"))) is None:
        return None
    arguments = value.get("arguments", value.get("parameters"))
    return {"function": {"name": value["name"], "arguments": {} if arguments is None else arguments}}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


LEGACY = "function_call"
"""Where the one call of the older member stands."""


class CallIndex:
    """The calls of one answer by the keys that chunks use: id, then place, then name (W5)."""

    def __init__(self, catalog: Catalog, new_id: Callable[[str], str]) -> None:
        self.calls: list[CallItem] = []
        """All of them, in the order in which they began."""
        self._catalog = catalog
        self._new_id = new_id
        self._by_key: dict[Any, CallItem] = {}  # the last one of each key
        self._by_id: dict[str, CallItem] = {}  # the first one of each id
        self._names: set[str] = set()
        self._current: CallItem | None = None

    def release(self, catalog: Catalog) -> None:
        """Know the tools from *catalog*: it has no declarations."""
        self._catalog = catalog

    def find(self, delta: CallDelta, position: int | None = None) -> tuple[CallItem, bool]:
        """Return the call that *delta* belongs to, and whether it is a new one.

        For a member of a whole message, which is a whole call, *position* is its place in the list.
        """
        if position is None:
            key, call = self._named_by(delta)
            is_new = call is None or self._is_another(call, delta)
        else:
            key, call = f"number {len(self._by_key)}", self._same_as(delta, position)
            is_new = call is None
        if call is None or is_new:
            call = self._by_key[key] = CallItem(self._catalog, self._new_id)
            self.calls.append(call)
        call_id = delta.call_id
        if call_id and not call.call_id and self._by_id.setdefault(call_id, call) is not call:
            call_id = ""  # two calls of one id: the second gets one of its own
        if call.name and delta.name != call.name and self._joins(call, delta.name):
            call.rename(_join(call.name, delta.name))
        call.set_head(delta.name, call_id, delta.free_form)
        self._names.add(call.name)
        self._current = call
        return call, is_new

    def has_twin(self, function: Any) -> bool:
        """Whether the call of the older member was named in `tool_calls` before: then it is that one (W4)."""
        if not self.calls or LEGACY in self._by_key:
            return False
        name = _text(function.get("name")) if isinstance(function, dict) else ""
        return not name or name in self._names

    def _named_by(self, delta: CallDelta) -> tuple[Any, CallItem | None]:
        """The key of a delta, and the call that it names."""
        by_id = f"id {delta.call_id}"
        if delta.place is not None:
            key = by_id if delta.call_id and by_id in self._by_key else delta.place
            return key, self._by_key.get(key) or self._repeated_by(delta)
        if delta.call_id:
            return by_id, self._by_id.get(delta.call_id) or (None if delta.name else self._current)
        return f"number {len(self._by_key)}", self._current

    def _repeated_by(self, delta: CallDelta) -> CallItem | None:
        """The call that a new index only repeats: one of its id, or that of the older member."""
        call = self._by_id.get(delta.call_id) or self._by_key.get(LEGACY)
        if call is None or not delta.payload or call.name != delta.name:
            return None
        return call if call.has_arguments(delta.payload) else None

    def _same_as(self, delta: CallDelta, position: int) -> CallItem | None:
        """The call that a member of a whole message is: of its id, or at its place, if both can be one."""
        call = self._by_id.get(delta.call_id)
        if call is not None and call.name == delta.name:
            return call
        call = self.calls[position] if position < len(self.calls) else None
        if call is None or delta.name != call.name:
            return None
        return call if not (call.call_id and delta.call_id) or call.has_arguments(delta.payload) else None

    def _is_another(self, call: CallItem, delta: CallDelta) -> bool:
        """Some servers give every call index 0: a new id, a new name, or arguments after whole ones begin another."""
        if not delta.name:  # each delta may have a new id, but no call begins without a name
            return False
        if delta.call_id and call.call_id and delta.call_id != call.call_id:
            return True
        if not call.name:
            return False
        if delta.name != call.name:
            return not self._joins(call, delta.name)
        if delta.call_id or delta.payload.lstrip()[:1] != "{" or not call.has_object():
            return False
        return delta.place is None or not (call.has_arguments("{}") or call.has_arguments(delta.payload))

    def _joins(self, call: CallItem, more: str) -> bool:
        """Whether a name goes on: no tool is called *more*, and one is called, or begins, with both together."""
        if not more or call.has_begun or call.live:
            return False
        name = _join(call.name, more)
        is_known = self._catalog.by_flat(name) is not None or self._catalog.may_go_on(name)
        return is_known and (self._catalog.by_flat(more) is None or name == more)

    def goes_on(self, index: int, call: CallItem) -> bool:
        """Whether *call* is the one of the last delta, and *index* alone means it."""
        return self._current is call and self._by_key.get(index) is call


def _join(name: str, more: str) -> str:
    """A name with what came of it later, which may be all of it."""
    return more if more.startswith(name) else name + more
