"""The fast path of messages: the usual ones to input items, in one pass.

It reads messages of all roles with texts and media, function calls with the results that follow them, and reasoning
that is a text. Whatever else there is raises Unusual: the general path (`to_responses.py`) reads it, or says what is
wrong with it. A property test compares the two.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..context import Context
from ..parts import calls, content, outputs, reasoning
from ..parts.names import ToolNames, report_alias
from .replay import ReasoningReplay
from .to_responses import KNOWN, replayed
from .turn import Item, Message, Unusual, expect_objects

_TEXT = KNOWN["user"] - {"name"}
_ASSISTANT = (KNOWN["assistant"] - {"name", *reasoning.DETAIL_FIELDS, reasoning.OPAQUE_FIELD}) | {"annotations"}
_ONLY_SAID = frozenset({"role", "content", "tool_calls", "type"})
_NOT_READ = ("refusal", "function_call", "audio")
_RESULT = KNOWN["tool"]
_CALL = frozenset({"id", "type", "function", "index"})
_FUNCTION = frozenset({"name", "arguments"})


class UsualMessages:
    """Reads the messages of a request into ``items``; each method raises Unusual for what it does not read."""

    def __init__(self, messages: list[Any], names: ToolNames, context: Context) -> None:
        self.items: list[Item] = []
        self._messages: list[Any] = messages
        self._names: ToolNames = names
        self._context: Context = context
        self._flat: dict[str, str] = {}  # the upstream's names of functions
        self._seen: set[str] = set()  # ids of calls
        self._unanswered: dict[str, str] = {}  # the names of what was called and not answered, by ids
        self._replay: ReasoningReplay | None = None

    def read(self) -> list[Item]:
        """Return the items of all messages."""
        for place, message in enumerate(self._messages):
            if not isinstance(message, dict):
                raise Unusual
            role = message.get("role")
            read = _READERS.get(role) if isinstance(role, str) else None
            if read is None:
                raise Unusual
            read(self, message, place)
        return self.items

    def _text(self, message: Message, place: int) -> None:
        if not _TEXT.issuperset(message):
            raise Unusual
        role, body = message["role"], message.get("content")
        if not isinstance(body, str):
            body = content.to_responses(body, role, f"messages[{place}].content", self._context)
        self.items.append({"type": "message", "role": role, "content": body})

    def _assistant(self, message: Message, place: int) -> None:
        if not _ASSISTANT.issuperset(message):
            raise Unusual
        body, members = message.get("content"), message.get("tool_calls")
        text = body if isinstance(body, str) or body is None else content.only_text(body)
        if not (text or members) or (text is None and body is not None):
            raise Unusual
        if not _ONLY_SAID.issuperset(message):
            if any(message.get(name) is not None for name in _NOT_READ):
                raise Unusual
            if not reasoning.FIELDS.isdisjoint(message):
                self._reasoning(message, place)
        if text:
            self.items.append({"type": "message", "role": "assistant", "content": text})
        if members:
            self._calls(members, place)

    def _reasoning(self, message: Message, place: int) -> None:
        text = reasoning.text_of(message)
        if not text:
            if any(message.get(name) for name in reasoning.FIELDS):
                raise Unusual
            return
        if self._replay is None:
            expect_objects(self._messages)
            self._replay = ReasoningReplay(self._messages, self._context.profile)
        if replayed(self._replay, place, f"messages[{place}]", self._context):
            self.items.append(reasoning.to_item(text, place))

    # calls and their results

    def _calls(self, members: Any, place: int) -> None:
        if not isinstance(members, list):
            raise Unusual
        for i, call in enumerate(members):
            if not isinstance(call, dict) or not _CALL.issuperset(call) or call.get("type") not in (None, "function"):
                raise Unusual
            self._call(call.get("id"), call.get("function"), place, i)

    def _call(self, call_id: Any, function: Any, place: int, i: int) -> None:
        if not isinstance(call_id, str) or call_id in self._seen or calls.short_id(call_id) != call_id:
            raise Unusual
        if not isinstance(function, dict) or not _FUNCTION.issuperset(function):
            raise Unusual
        name, arguments = function.get("name"), function.get("arguments")
        if not isinstance(name, str) or not isinstance(arguments, str):
            raise Unusual
        if self._context.profile.object_arguments:
            path = f"messages[{place}].tool_calls[{i}].function"
            arguments = calls.function_item(function, path, call_id, self._context)["arguments"]
        flat = self._flat.get(name)
        if flat is None:
            flat = self._flat[name] = self._names.flat(name)
        if flat != name:
            report_alias(name, flat, f"messages[{place}].tool_calls[{i}].function", self._context)
        self._seen.add(call_id)
        self._unanswered[call_id] = name
        self.items.append({"type": "function_call", "call_id": call_id, "name": flat, "arguments": arguments or "{}"})

    def _result(self, message: Message, place: int) -> None:
        call_id = message.get("tool_call_id")
        called = self._unanswered.pop(call_id, None) if isinstance(call_id, str) else None
        if called is None or not _RESULT.issuperset(message):
            raise Unusual
        if "name" in message and message["name"] not in (None, called):
            raise Unusual
        body = message.get("content")
        if not isinstance(body, str):
            body = outputs.to_responses(body, f"messages[{place}]", self._context)
        self.items.append({"type": "function_call_output", "call_id": call_id, "output": body})


_READERS: dict[str, Callable[[UsualMessages, Message, int], None]] = {
    **dict.fromkeys(("system", "developer", "user"), UsualMessages._text),
    "assistant": UsualMessages._assistant,
    "tool": UsualMessages._result,
}
