"""Tool calls as output items, and the order of events in each (protocol 5.2, I9)."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum, auto
from typing import Any

from ...parts import calls
from ...parts.catalog import Catalog, DeclaredTool
from ..growing import TextBuffer
from .arguments import ArgumentsBuffer
from .output import Body, Output, OutputItem
from .wrapped_input import WrappedInputDecoder, decode_plain

_ARGUMENTS_DELTA = "response.function_call_arguments.delta"
_INPUT_DELTA = "response.custom_tool_call_input.delta"


class Payload(Enum):
    """The meaning of a call's pieces."""

    ARGUMENTS = auto()
    """JSON: the arguments of a function, or the fields of a built-in tool's item."""
    WRAPPED_INPUT = auto()
    """JSON with the input of a free-form tool in it."""
    INPUT = auto()
    """The input of a free-form tool itself, which has no recognisable end."""


class CallItem(OutputItem):
    """A tool call. It opens once its name and id are known; the declared tools decide its kind of item."""

    _out: Output
    _decoder: WrappedInputDecoder
    _input: TextBuffer  # what was in the arguments

    def __init__(self, catalog: Catalog, new_id: Callable[[str], str]) -> None:
        super().__init__()
        self.name: str = ""
        self.call_id: str = ""
        self._catalog = catalog
        self._new_id = new_id
        self._settled = False
        self._closed = False
        self._payload = Payload.ARGUMENTS
        self.arguments: ArgumentsBuffer = ArgumentsBuffer(self.buffer)
        self._tool: DeclaredTool | None = None

    def set_head(self, name: str, call_id: str, free_form: bool) -> None:
        """Learn which tool is called; the first value counts (D10, D12)."""
        self.name = self.name or name
        self.call_id = self.call_id or call_id
        if free_form and not self.live:
            self._payload = Payload.INPUT
            if self.arguments.release():  # arguments had a placeholder, the input has none
                self.buffer.clear()

    def rename(self, name: str) -> None:
        """Learn more of a name that comes in pieces, before the item is announced."""
        self.name = name

    def is_ready(self) -> bool:
        """Whether name and id are known: a name may come in pieces until arguments follow (W5)."""
        if not (self.name and self.call_id):
            return False
        return self._settled or bool(self.buffer) or not self._catalog.may_go_on(self.name)

    def settle(self) -> None:
        """Nothing more of its head will come: D11, some servers send no id."""
        self._settled = True
        self.call_id = self.call_id or self._new_id("call")

    @property
    def has_begun(self) -> bool:
        """Whether any arguments came."""
        return bool(self.buffer)

    def is_whole(self) -> bool:
        """Whether the arguments are whole, and more than a placeholder; of free-form input nobody knows."""
        return not self.arguments.held and self.has_object()

    def is_complete(self) -> bool:
        """Whether the arguments do not stop in the middle; none are complete, of free-form input nobody knows."""
        return self._payload is Payload.INPUT or self.arguments.is_whole() or not self.buffer.whole().strip()

    def has_object(self) -> bool:
        """Whether its arguments are whole, a placeholder or not."""
        return self._payload is not Payload.INPUT and self.arguments.is_whole()

    def has_arguments(self, arguments: str) -> bool:
        """Whether its arguments are whole, and equal to these."""
        return self.has_object() and self.arguments.equal(arguments)

    def has_open_input(self) -> bool:
        """Whether the input of a wrapped free-form tool began and has no end."""
        return self._payload is Payload.WRAPPED_INPUT and self._decoder.is_open

    def delta_event(self) -> tuple[str, Body] | None:
        if not self.body:
            return None
        if self._payload is Payload.ARGUMENTS:
            return (_ARGUMENTS_DELTA, {"delta": ""}) if self.arguments.may_grow() else None
        is_plain = self._payload is Payload.INPUT or self._decoder.is_plain
        return (_INPUT_DELTA, {"delta": ""}) if is_plain else None

    def piece_reader(self) -> Callable[[str], str | None] | None:
        return self._read_plain if self._payload is Payload.WRAPPED_INPUT else None

    def _read_plain(self, piece: str) -> str | None:
        """Take a piece of wrapped arguments that can be read alone: nothing is pending before it, nor after it."""
        text = decode_plain(piece)
        if text is not None:
            self.buffer.add(piece)
            self._input.add(text)
        return text

    def open(self, out: Output) -> None:
        self._out = out
        self._tool = self._catalog.declared_or_known(self.name)
        kind = self._tool.kind if self._tool else "function"
        if self._payload is Payload.ARGUMENTS and kind == "custom":
            self._payload = Payload.WRAPPED_INPUT
            self._decoder, self._input = WrappedInputDecoder(), TextBuffer()
        if self._payload is not Payload.ARGUMENTS:
            self._announce_call("ctc", "custom_tool_call", "input")
        elif kind == "function":
            self._announce_call("fc", "function_call", "arguments")
        # a built-in tool's item is announced when its arguments can be read
        if self.buffer:
            text = self.buffer.whole()
            self._send(text[: len(text) - len(self.arguments.held)])

    def _announce_call(self, prefix: str, kind: str, payload: str) -> None:
        """Announce the item without its payload."""
        tool = self._tool
        body: Body = {"type": kind, "status": "in_progress", "call_id": self.call_id}
        body["name"] = tool.name if tool else self.name
        if tool and tool.namespace:
            body["namespace"] = tool.namespace
        body[payload] = ""
        self._announce(self._out, prefix, body)

    def add(self, piece: str) -> None:
        """Take a piece of the arguments; what is new becomes an event now, or when the item opens."""
        if self._payload is Payload.INPUT:
            self.buffer.add(piece)
        else:
            piece = self.arguments.add(piece)
        self._take_new(piece)

    def add_whole(self, whole: str) -> bool:
        """Take the arguments as they stand; what is new of them becomes an event now, or when the item opens.

        Returns False for an input that differs from what came, which cannot be taken back.
        """
        if self._payload is not Payload.INPUT:
            self._take_new(self.arguments.add_whole(whole))
            return True
        rest = self.buffer.rest_of(whole)
        self.add(rest or "")
        return rest is not None or self.buffer.begins_with(whole)

    def _take_new(self, piece: str) -> None:
        """Send a new piece, if the item is open; behind its end, there should be none."""
        if self._closed:
            if piece.strip():
                self.arguments.mark_broken()
        elif self.live:
            self._send(piece)

    def _send(self, piece: str) -> None:
        if self._payload is Payload.WRAPPED_INPUT:
            self._send_input(self._decoder.feed(piece))
        elif piece and self.body:
            kind = _INPUT_DELTA if self._payload is Payload.INPUT else _ARGUMENTS_DELTA
            self._out.emit_for(self, kind, delta=piece)

    def _send_input(self, piece: str) -> None:
        """Send a piece of what was wrapped."""
        if piece:
            self._input.add(piece)
            self._out.emit_for(self, _INPUT_DELTA, delta=piece)

    def close(self, status: str) -> None:
        if self.arguments.held:
            self._send(self.arguments.release())
        if self._payload is not Payload.ARGUMENTS:
            self._close_custom()
        elif self.body:
            self._close_function(self.buffer.whole())
        else:
            self._close_built_in(self.buffer.whole(), status)
        self._closed = True
        self.body["status"] = status
        self._out.conclude(self)

    def _close_custom(self) -> None:
        if self._payload is Payload.WRAPPED_INPUT:
            self._send_input(self._decoder.flush())
            self.body["input"] = self._input.whole()
        else:
            self.body["input"] = self.buffer.whole()
        self._out.emit_for(self, "response.custom_tool_call_input.done", input=self.body["input"])

    def _close_function(self, arguments: str) -> None:
        if not arguments.strip():
            arguments += "{}"  # clients parse it
            self._out.emit_for(self, _ARGUMENTS_DELTA, delta="{}")
        self.body["arguments"] = arguments
        self._out.emit_for(self, "response.function_call_arguments.done", arguments=arguments, name=self.body["name"])

    def _close_built_in(self, arguments: str, status: str) -> None:
        kind = self._tool.kind if self._tool else "function"
        fields = calls.to_responses(kind, arguments)
        cut_patch = status == "incomplete" and kind == "apply_patch"  # such an item cannot be incomplete
        if fields is None or cut_patch:  # not in the tool's form: the client tells the model
            self._announce_call("fc", "function_call", "arguments")
            if arguments:
                self._out.emit_for(self, _ARGUMENTS_DELTA, delta=arguments)
            self._close_function(arguments)
            return
        empty = {"arguments": {}} if "arguments" in fields else {}
        blank: dict[str, Any] = {"status": "in_progress", "call_id": self.call_id, **fields, **empty}
        self._announce(self._out, calls.PREFIXES[fields["type"]], blank)
        self.body.update(fields)
