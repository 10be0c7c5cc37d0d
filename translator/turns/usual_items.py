"""The fast path of items: the usual ones to chat messages, in one pass.

It reads messages, function calls and free-form ones with the outputs that follow them, and reasoning. Whatever else
there is raises Unusual: the general path (`to_chat.py`) reads it, or says what is wrong with it. A property test
compares the two.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..context import Context
from ..parts import calls, content, outputs, reasoning
from ..parts.catalog import Catalog
from ..parts.names import report_alias
from ..wire.known_fields import ITEM_FIELDS
from .reasoning_items import ReasoningItems
from .turn import DECLARED, MERGED, REASONING_BEHIND, TEXT_BEHIND_CALLS, Item, Message, Turn, Unusual, expect_objects

_MESSAGE = ITEM_FIELDS["message"] - {"name", "async"}
_REASONING = ITEM_FIELDS["reasoning"] - {"async"}
_CALL = ITEM_FIELDS["function_call"] - {"async"}
_FREE_FORM_CALL = ITEM_FIELDS["custom_tool_call"] - {"async"}
_OUTPUTS = {kind: ITEM_FIELDS[kind] - {"async"} for kind in ("function_call_output", "custom_tool_call_output")}
_DECLARATION = ITEM_FIELDS["additional_tools"] - {"async"}


class _Turn:
    """A turn of the assistant: what it says, calls and thinks."""

    __slots__ = ("call_places", "calls", "states", "texts", "thoughts")

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.calls: list[dict[str, Any]] = []
        self.call_places: list[int] = []
        self.thoughts: list[str] = []
        self.states: list[dict[str, Any]] = []


class UsualItems:
    """Reads the items of a request into ``messages``; each method raises Unusual for what it does not read."""

    def __init__(self, catalog: Catalog, context: Context) -> None:
        self.messages: list[Message] = []
        self.catalog: Catalog = catalog
        self._context: Context = context
        self._turn: _Turn | None = None
        self._said: Message | None = None  # the last message, if it may be all of the assistant's turn
        self._thought_items: ReasoningItems | None = None
        self._unanswered: dict[str, Message] = {}  # tool messages whose output is still to come, by the ids of calls
        self._flat: dict[str, str] = {}  # the upstream's names of functions
        self._system: list[str] = []  # the texts of the first message, if it is a system message

    @property
    def transformations(self) -> list[Item]:
        """The `input_transformations` of the answer."""
        return self._thought_items.transformations if self._thought_items else []

    def add(self, items: Any, model: str, current_turn_only: bool) -> None:
        """Read the whole `input`."""
        if not isinstance(items, list):
            raise Unusual
        for place, item in enumerate(items):
            if not isinstance(item, dict):
                raise Unusual
            kind = item.get("type")
            if kind == "message" or kind is None:
                self._message(item, place)
            elif kind == "reasoning":
                if self._thought_items is None:
                    expect_objects(items)
                    self._thought_items = ReasoningItems(items, self._context, model, current_turn_only)
                self._reasoning(item, place, self._thought_items)
            elif isinstance(kind, str) and (read := _READERS.get(kind)) is not None:
                read(self, item, place)
            else:
                raise Unusual
        self._close()
        if self._unanswered:
            raise Unusual

    def finish(self) -> list[Message]:
        """Return the messages: there are no more."""
        if len(self._system) > 1:
            self.messages[0]["content"] = "\n\n".join(self._system)
        return self.messages

    def add_system(self, text: Any, role: str) -> None:
        """Add a message of the system, or join it with the one in front (`system_messages`)."""
        if not isinstance(text, str):
            raise Unusual
        policy = self._context.profile.system_messages
        if policy != "separate":
            if not self.messages or (self._system and len(self.messages) == 1):
                self._system.append(text)
                if self.messages:
                    return
            elif policy == "one":
                raise Unusual
        self.messages.append({"role": role, "content": text})

    def _message(self, item: Item, place: int) -> None:
        if not _MESSAGE.issuperset(item):
            raise Unusual
        role, body = item.get("role"), item.get("content")
        text = body if isinstance(body, str) else content.only_text(body)
        if role == "assistant":
            self._assistant(text, place)
            return
        self._close()
        if role == "user":
            if text is None:
                text = content.to_chat(body, "user", f"input[{place}].content", self._context)
            self.messages.append({"role": "user", "content": text})
        elif role in ("system", "developer"):
            chat_role = "system" if role == "system" else self._context.profile.developer_role
            if text is None:
                text = content.to_chat(body, chat_role, f"input[{place}].content", self._context)
            self.add_system(text, chat_role)
        else:
            raise Unusual

    def _assistant(self, text: str | None, place: int) -> None:
        if text is None:
            raise Unusual
        if self._turn is None and self._said is None:
            self._said = {"role": "assistant", "content": text}
            self.messages.append(self._said)
            return
        turn = self._open()
        if turn.calls:
            self._context.report.approximated(f"input[{place}]", TEXT_BEHIND_CALLS)
        if turn.texts:
            self._context.report.approximated(f"input[{place}]", MERGED)
            turn.texts.append("\n\n")
        turn.texts.append(text)

    def _reasoning(self, item: Item, place: int, thought_items: ReasoningItems) -> None:
        if not _REASONING.issuperset(item):
            raise Unusual
        path = f"input[{place}]"
        text, state = thought_items.read(place, item, path)
        if not text and not state:
            return
        turn = self._open()
        if text:
            if turn.calls or turn.texts:
                self._context.report.approximated(path, REASONING_BEHIND)
            turn.thoughts.append(text)
        if state:
            turn.states.append(state)

    # calls and outputs

    def _function_call(self, item: Item, place: int) -> None:
        if not _CALL.issuperset(item):
            raise Unusual
        name, arguments = item.get("name"), item.get("arguments")
        if not isinstance(name, str) or not isinstance(arguments, str) or "namespace" in item:
            self._any_call(item, place)
            return
        if self._context.profile.object_arguments:
            call = calls.ToolCall(name, None, arguments)
            arguments = calls.with_object(call, f"input[{place}]", self._context).payload
        flat = self._flat.get(name)
        if flat is None:
            flat = self._flat[name] = self.catalog.flat(name)
        if flat != name:
            report_alias(name, flat, f"input[{place}]", self._context)
        function = {"name": flat, "arguments": arguments or "{}"}
        self._add_call({"id": item.get("call_id"), "type": "function", "function": function}, place)

    def _free_form_call(self, item: Item, place: int) -> None:
        if not _FREE_FORM_CALL.issuperset(item):
            raise Unusual
        self._any_call(item, place)

    def _any_call(self, item: Item, place: int) -> None:
        path = f"input[{place}]"
        call = calls.with_object(calls.read_call(item, path), path, self._context)
        flat = self.catalog.flat(call.name, call.namespace)
        if call.namespace is None:
            report_alias(call.name, flat, path, self._context)
        call_id: Any = item.get("call_id")
        self._add_call(calls.to_chat(call, call_id, flat, self._context.profile.custom_tools), place)

    def _add_call(self, call: dict[str, Any], place: int) -> None:
        if not isinstance(call["id"], str):
            raise Unusual
        turn = self._open()
        turn.calls.append(call)
        turn.call_places.append(place)

    def _output(self, item: Item, place: int) -> None:
        """Put the output into the message that waits for it: most come behind their calls."""
        if not _OUTPUTS[item["type"]].issuperset(item):
            raise Unusual
        self._close()
        call_id, body = item.get("call_id"), item.get("output")
        message = self._unanswered.pop(call_id, None) if isinstance(call_id, str) else None
        if message is None:
            raise Unusual
        message["content"] = body if isinstance(body, str) else self._read_output(item, place)

    def _read_output(self, item: Item, place: int) -> Any:
        """What a tool told, if it told only texts, and nothing of it is lost: that has its place in the report."""
        count = len(self._context.report)
        body = outputs.to_chat(item, f"input[{place}]", self.catalog.flat, self._context)
        if len(self._context.report) > count:
            raise Unusual
        if not isinstance(body, str) and any(part["type"] != "text" for part in body):
            raise Unusual
        return body

    def _declared(self, item: Item, place: int) -> None:
        """Tools were read with the declarations, if the first item is one."""
        if place or not _DECLARATION.issuperset(item):
            raise Unusual
        self._context.report.emulated("input[0]", DECLARED)

    # turns

    def _open(self) -> _Turn:
        """The assistant's turn, which says more than a text."""
        turn = self._turn
        if turn is None:
            turn = self._turn = _Turn()
            if self._said is not None:
                turn.texts.append(self.messages.pop()["content"])
        return turn

    def _close(self) -> None:
        """End the assistant's turn: its message, and one for the output of each of its calls."""
        turn, self._turn, self._said = self._turn, None, None
        if turn is None:
            return
        if not (turn.texts or turn.calls):
            raise Unusual
        self.messages.append(self._turn_message(turn))
        for call in turn.calls:
            call_id = call["id"]
            if call_id in self._unanswered:
                raise Unusual
            message = self._unanswered[call_id] = {"role": "tool", "tool_call_id": call_id, "content": None}
            self.messages.append(message)

    def _turn_message(self, turn: _Turn) -> Message:
        profile = self._context.profile
        if turn.states or (profile.signature_placeholder and turn.calls):
            return self._signed_message(turn)
        message: Message = {"role": "assistant", "content": None}
        if turn.texts:
            message["content"] = turn.texts[0] if len(turn.texts) == 1 else self._folded(turn.texts)
        if turn.thoughts:
            reasoning.put_text(message, profile.reasoning_field, "\n\n".join(turn.thoughts))
        if turn.calls:
            message["tool_calls"] = turn.calls
        return message

    def _folded(self, texts: list[str]) -> str | list[content.Part]:
        return content.fold([{"type": "text", "text": text} for text in texts], "assistant", "", self._context)

    def _signed_message(self, turn: _Turn) -> Message:
        """The same with what providers want back unread, which is read in one place only."""
        general = Turn("")
        general.parts, general.calls = [{"type": "text", "text": text} for text in turn.texts], turn.calls
        general.call_paths = [f"input[{place}]" for place in turn.call_places]
        for thought in turn.thoughts:
            general.add_reasoning(thought, {})
        for state in turn.states:
            general.add_reasoning("", state)
        return general.message(self._context)


_READERS: dict[str, Callable[[UsualItems, Item, int], None]] = {
    "function_call": UsualItems._function_call,
    "function_call_output": UsualItems._output,
    "custom_tool_call": UsualItems._free_form_call,
    "custom_tool_call_output": UsualItems._output,
    "additional_tools": UsualItems._declared,
}
