"""A call as chat clients see it: its deltas and the call they add up to (protocol 5.3, G3, G4)."""

from __future__ import annotations

from typing import Any

from ..growing import TextBuffer

Body = dict[str, Any]


class ToolCallEntry:
    """A member of `tool_calls`; *payload* holds what has been sent of its arguments or its input."""

    def __init__(self, index: int, name: str, call_id: str, free_form: bool, payload: TextBuffer) -> None:
        self.field: str = "input" if free_form else "arguments"
        """The field of a delta that has the piece of the payload."""
        self.payload: TextBuffer = payload
        self._index = index
        self._name = name
        self._call_id = call_id
        self._kind = "custom" if free_form else "function"

    def first_delta(self) -> Body:
        """Return the delta that names the call; later ones repeat nothing of this."""
        return {"tool_calls": [{"index": self._index, **self._with("")}]}

    def delta(self, piece: str) -> Body:
        """Return the delta for a piece of the payload."""
        return {"tool_calls": [{"index": self._index, self._kind: {self.field: piece}}]}

    def whole(self) -> Body:
        """Return the call as the message has it."""
        return self._with(self.payload.whole())

    def _with(self, payload: str) -> Body:
        return {"id": self._call_id, "type": self._kind, self._kind: {"name": self._name, self.field: payload}}


class FunctionCallEntry:
    """The one `function_call` of an answer in the older form, where every tool is a function."""

    def __init__(self, name: str, payload: TextBuffer) -> None:
        self.field: str = "arguments"
        self.payload: TextBuffer = payload
        self._name = name

    def first_delta(self) -> Body:
        return {"function_call": {"name": self._name, "arguments": ""}}

    def delta(self, piece: str) -> Body:
        return {"function_call": {"arguments": piece}}

    def whole(self) -> Body:
        return {"name": self._name, "arguments": self.payload.whole()}


CallEntry = ToolCallEntry | FunctionCallEntry
