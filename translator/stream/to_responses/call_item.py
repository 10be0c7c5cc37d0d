"""Tool calls as output items, and the order of events inside each (protocol 5.2, I9)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...parts import calls
from ...parts.catalog import DeclaredTool
from ..growing import Pieces
from .arguments import Arguments
from .output import Body, Item, Output
from .wrapped_input import InputDecoder, plainly


class Call(Item):
    """A tool call. It opens when its name and its id are known; what kind of item it is, the declared tools say."""

    prefix = "fc"
    _decoder: InputDecoder | None = None
    _said = "response.function_call_arguments.delta"

    def __init__(
        self,
        tool_named: Callable[[str], DeclaredTool | None],
        new_call_id: Callable[[], str],
        may_go_on: Callable[[str], bool] = lambda name: False,
    ) -> None:
        super().__init__()
        self.name = ""
        self.call_id = ""
        self._tool_named = tool_named
        self._new_call_id = new_call_id
        self._may_go_on = may_go_on  # whether a name is the beginning of another one
        self._settled = False
        self._arguments = Arguments(self.pieces)
        self._tool: DeclaredTool | None = None
        self._free_form = False  # native: the fragments are the input itself
        self._input = self.pieces  # of a free-form tool; of a wrapped one, what is in its arguments

    def head(self, name: str, call_id: str, free_form: bool) -> None:
        """Learn who is called; the first word counts (D10, D12)."""
        self.name = self.name or name
        self.call_id = self.call_id or call_id
        if free_form and not self.live:
            self._free_form = True
            if self._arguments.release():  # arguments had a placeholder, the input has none
                self.pieces.clear()

    def rename(self, name: str) -> None:
        """Learn more of a name that came in pieces, before anybody was told of it."""
        self.name = name

    def is_ready(self) -> bool:
        """Whether it is known who is called: a name may come in pieces until arguments follow (W5)."""
        named = self.name and (self._settled or self.pieces or not self._may_go_on(self.name))
        return bool(named and self.call_id)

    def settle(self) -> None:
        """No more of its head will come: D11, some servers send no id."""
        self._settled = True
        self.call_id = self.call_id or self._new_call_id()

    @property
    def _is_native(self) -> bool:
        """Whether the pieces are free-form input itself, which has no end that could be seen."""
        return self._free_form and self._decoder is None

    @property
    def has_begun(self) -> bool:
        """Whether any arguments came."""
        return bool(self.pieces)

    @property
    def is_broken(self) -> bool:
        """Whether more came than the arguments of one call."""
        return self._arguments.broken

    def is_whole(self) -> bool:
        """Whether the arguments are whole, and more than a placeholder; of free-form input nobody knows."""
        return not self._is_native and not self._arguments.is_placeholder and self._arguments.is_whole()

    def is_complete(self) -> bool:
        """Whether the arguments do not stop in the middle; none are complete, of free-form input nobody knows."""
        return self._is_native or self._arguments.is_whole() or not self.pieces.whole().strip()

    def says(self, arguments: str) -> bool:
        """Whether its arguments are whole, and equal to these."""
        return self.has_object() and self._arguments.equal(arguments)

    def has_object(self) -> bool:
        """Whether its arguments are whole, a placeholder or not."""
        return not self._is_native and self._arguments.is_whole()

    def has_open_input(self) -> bool:
        """Whether the input of a wrapped free-form tool began and has no end."""
        return self._decoder is not None and self._decoder.is_open

    def open(self, out: Output) -> None:
        self._out = out
        self._tool = self._tool_named(self.name)
        kind = self._tool.kind if self._tool else "function"
        if self._free_form or kind == "custom":
            self._unwrap(self._free_form)
            self.prefix, self._free_form = "ctc", True
            out.announce(self, self._fields("custom_tool_call", input=""))
        elif kind == "function":
            out.announce(self, self._fields("function_call", arguments=""))
        # a built-in tool's item is announced when its arguments can be read
        if self.pieces:
            whole = self.pieces.whole()
            self._say(whole[: len(whole) - len(self._arguments.held)])

    def _unwrap(self, is_native: bool) -> None:
        """The input is what comes, or it is a string inside of what comes."""
        if is_native:
            self.delta, self._said = _INPUT, _INPUT[0]
        else:
            self._decoder, self._input, self.reads = InputDecoder(), Pieces(), self._read

    def _read(self, piece: str) -> str | None:
        """Take a piece of wrapped arguments that is plain to see: nothing is pending in front of it, nor behind it."""
        said = plainly(piece)
        if said is not None:
            self.pieces.add(piece)
            self._input.add(said)
        return said

    def _fields(self, kind: str, **fields: Any) -> Body:
        body: Body = {"type": kind, "status": "in_progress", "call_id": self.call_id}
        body["name"] = self._tool.name if self._tool else self.name
        if self._tool and self._tool.namespace:
            body["namespace"] = self._tool.namespace
        return {**body, **fields}

    def hear(self, piece: str) -> None:
        """Take a piece of the arguments; what is new becomes an event now, or when the item opens."""
        if self._is_native:
            self.pieces.add(piece)
            self._tell(piece)
        else:
            self._tell(self._arguments.take(piece))

    def hear_again(self, whole: str) -> bool:
        """Take the arguments as they stand; what is new of them becomes an event now, or when the item opens.

        Returns False for an input that differs from what came, which cannot be taken back.
        """
        if not self._is_native:
            self._tell(self._arguments.take_whole(whole))
            return True
        rest = self.pieces.rest_of(whole)
        self.hear(rest or "")
        return rest is not None or self.pieces.begins_with(whole)

    def _tell(self, piece: str) -> None:
        if self.closed:
            if piece.strip():
                self._arguments.spoil()
        elif self.live:
            self._say(piece)

    def _say(self, piece: str) -> None:
        if self._decoder:
            self._say_input(self._decoder.feed(piece))
            self.delta = _INPUT if self._decoder.is_plain else None
        elif self.body:
            if piece:
                self._out.say_of(self, self._said, delta=piece)
            if not self._is_native:
                self.delta = (self._said, {"delta": ""}) if self._arguments.may_grow() else None

    def _say_input(self, said: str) -> None:
        """Say what was wrapped."""
        if said:
            self._input.add(said)
            self._out.say_of(self, _INPUT[0], delta=said)

    def close(self, status: str) -> None:
        self._say(self._arguments.release())
        if self._free_form:
            self._close_custom()
        elif self.body:
            self._close_function(self.pieces.whole())
        else:
            self._close_native(self.pieces.whole(), status)
        self.body["status"] = status
        self._out.conclude(self)

    def _close_custom(self) -> None:
        if self._decoder:
            self._say_input(self._decoder.flush())
        self.body["input"] = self._input.whole()
        self._out.say_of(self, "response.custom_tool_call_input.done", input=self.body["input"])

    def _close_function(self, arguments: str) -> None:
        if not arguments.strip():
            arguments += "{}"  # clients parse it
            self._out.say_of(self, "response.function_call_arguments.delta", delta="{}")
        self.body["arguments"] = arguments
        self._out.say_of(self, "response.function_call_arguments.done", arguments=arguments, name=self.body["name"])

    def _close_native(self, arguments: str, status: str) -> None:
        kind = self._tool.kind if self._tool else "function"
        fields = calls.to_responses(kind, arguments)
        cut_patch = status == "incomplete" and kind == "apply_patch"  # such an item cannot be incomplete
        if fields is None or cut_patch:  # not in the tool's form: the client tells the model
            self._out.announce(self, self._fields("function_call", arguments=""))
            if arguments:
                self._out.say_of(self, "response.function_call_arguments.delta", delta=arguments)
            self._close_function(arguments)
            return
        self.prefix = calls.PREFIXES[fields["type"]]
        empty = {"arguments": {}} if "arguments" in fields else {}
        self._out.announce(self, {"status": "in_progress", "call_id": self.call_id, **fields, **empty})
        self.body.update(fields)


_INPUT: tuple[str, Body] = ("response.custom_tool_call_input.delta", {"delta": ""})
