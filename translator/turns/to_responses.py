"""Chat messages -> input items (protocol 2.5): one message becomes none, one or several items, in order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from functools import cached_property
from typing import Any

from ..context import Context
from ..errors import RequestError
from ..parts import calls, content, reasoning
from ..parts.names import ToolNames, report_alias
from ..wire import validate
from .turn import Item, Message, last_of_user

LEGACY = "call_legacy_"
_TEXTS = ("role", "content", "name", "type")
_SAID = ("refusal", "tool_calls", "function_call", "audio", "annotations", "parsed")
_KNOWN = {
    **dict.fromkeys(("system", "developer", "user"), frozenset(_TEXTS)),
    "assistant": frozenset({*_TEXTS, *_SAID, *reasoning.FIELDS}),
    "tool": frozenset({*_TEXTS, "tool_call_id"}),
    "function": frozenset(_TEXTS),
}


class ItemBuilder:
    """ItemBuilder under construction, and for each the path of what it came from."""

    def __init__(self, context: Context, tool_names: ToolNames) -> None:
        self.items: list[Item] = []
        self.origins: list[str] = []
        self._context = context
        self._tool_names = tool_names
        self._messages: list[Message] = []
        self._position = 0
        self._used: dict[str, int] = {}  # ids of call items, and how often each was wanted
        self._latest: dict[str, str] = {}  # a call's id in the messages -> that of its latest call item
        self._waiting: dict[str, deque[str]] = {}  # the same, but all that wait for their result
        self._names: dict[str, str] = {}  # of what is called, by the ids of the call items
        self._legacy: dict[str, list[str]] = {}  # function names of old-style calls -> those that wait
        self._free_form: set[str] = set()  # calls of custom tools, by the ids of their items
        self._results: dict[str, int] = {}  # ids of call items -> where their results stand

    def add(self, messages: Any) -> None:
        """Read the whole `messages` of a request."""
        self._messages = validate.mappings(messages, "messages")
        if not self._messages:
            raise RequestError("Invalid 'messages': empty array.", "messages", "empty_array")
        for i, message in enumerate(self._messages):
            self._position = i
            self._read(message, f"messages[{i}]")

    def add_items(self, given: Any) -> None:
        """Read the `input` of a request that has it instead of `messages`: items stay as they are.

        Messages that only chat spells so become items.
        """
        if isinstance(given, str):
            self._emit({"type": "message", "role": "user", "content": given}, "input")
            return
        self._messages = validate.mappings(given, "input")
        for i, item in enumerate(self._messages):
            self._position, path = i, f"input[{i}]"
            if _is_of_chat(item):
                self._read(item, path)
            else:
                self._emit(item if item.get("type") or "role" not in item else {**item, "type": "message"}, path)

    def put_in_front(self, item: Item, path: str) -> None:
        """Make an item the first one."""
        self.items, self.origins = [item, *self.items], [path, *self.origins]

    def _read(self, message: Message, path: str) -> None:
        role = message.get("role")
        handle = HANDLERS.get(role) if isinstance(role, str) else None
        if handle is None:
            validate.text(role, f"{path}.role")
            raise RequestError(f"Invalid value: '{role}' is not a role of messages.", f"{path}.role")
        self._context.report_unread(message, _KNOWN[message["role"]], path)
        handle(self, message, path)

    def _message(self, message: Message, path: str) -> None:
        """System, developer and user keep their roles (protocol 2.1)."""
        role, given = message["role"], message.get("content")
        self._drop_name(message, path)
        said: Any = content.only_text(given)
        if said is None:
            said = content.to_responses(given, role, f"{path}.content", self._context)
        self._emit({"type": "message", "role": role, "content": said}, path)

    def _drop_name(self, message: Message, path: str) -> None:
        if message.get("name") is not None:
            self._context.report.dropped(f"{path}.name", "messages have no names", message["name"])

    # the assistant

    def _assistant(self, message: Message, path: str) -> None:
        self._drop_name(message, path)
        said = self._said(message, path)
        called = self._called(message, path)
        follows = said is not None or bool(called) or message.get("function_call") is not None
        if not (follows and reasoning.is_absent(message)):
            self._reasoning(message, path, follows)
        if said is not None:
            self._emit({"type": "message", "role": "assistant", "content": said}, path)
        for i, call in enumerate(called):
            self._call(call, f"{path}.tool_calls[{i}]")
        if message.get("function_call") is not None:
            self._legacy_call(message["function_call"], f"{path}.function_call")

    def _called(self, message: Message, path: str) -> list[Item]:
        calls_made = message.get("tool_calls")
        return validate.mappings(calls_made, f"{path}.tool_calls") if calls_made is not None else []

    def _said(self, message: Message, path: str) -> str | list[Item] | None:
        """The content of the message item: what the assistant said and refused; None if it said nothing."""
        given, refusal = message.get("content"), message.get("refusal")
        said: Any = "" if given is None else content.only_text(given)
        if said is None:
            said = content.to_responses(given, "assistant", f"{path}.content", self._context)
        if isinstance(said, list) and all(part.get("text") == "" for part in said):
            said = ""
        if message.get("audio") is not None:
            said = self._spoken(message["audio"], f"{path}.audio", said)
        if not refusal:
            return said or None
        refused = {"type": "refusal", "refusal": validate.text(refusal, f"{path}.refusal")}
        texts = [content.output_text(said)] if said and isinstance(said, str) else said or []
        return [*texts, refused]

    def _spoken(self, audio: Any, path: str, said: str | list[Item]) -> str | list[Item]:
        """What was spoken is known by its transcript, if the client kept it (M9)."""
        told = said or validate.mapping(audio, path).get("transcript")
        if not isinstance(told, (str, list)):
            raise RequestError("Responses have no audio, and there is no transcript of it.", path, "unsupported_value")
        self._context.report.approximated(path, "what was spoken is told as text")
        return told

    def _reasoning(self, message: Message, path: str, follows: bool) -> None:
        """ItemBuilder sealed by us go back as they were; bare text goes back where the upstream takes it (M2)."""
        report = self._context.report
        sealed, text = reasoning.items_of(message), reasoning.thoughts_of(message)
        if not follows:
            report.dropped(path, "it is not followed by what it led to" if sealed or text else "it says nothing")
        elif sealed:
            for item in sealed:
                if reasoning.can_return(item):
                    self._emit(reasoning.without_long_id(item), path)
                else:
                    report.dropped(path, "its maker kept its reasoning to itself")
        elif text:
            if self._replayed(path):
                self._emit(reasoning.to_item(text, self._position), path)
        elif any(message.get(name) for name in reasoning.FIELDS):
            report.dropped(path, "only its maker can read its reasoning")

    @cached_property
    def _last_user(self) -> int:
        return last_of_user(self._messages)

    def _replayed(self, path: str) -> bool:
        policy, report = self._context.profile.reasoning_replay, self._context.report
        if policy in ("always", "same_model") or (policy == "tool_loop" and self._position > self._last_user):
            return True
        if policy == "never":
            report.dropped(path, "the upstream takes no reasoning but its own")
        else:
            report.emulated(path, "reasoning of finished turns stays behind")
        return False

    # calls and their results

    def _call(self, call: dict[str, Any], path: str) -> None:
        call_id = validate.text_at(call, "id", path)
        item = calls.from_chat(call, path, self._new_id(call_id), self._context)
        self._latest[call_id] = item["call_id"]
        self._waiting.setdefault(call_id, deque()).append(item["call_id"])
        self._names[item["call_id"]] = item["name"]
        if item["type"] == "custom_tool_call":
            self._free_form.add(item["call_id"])
        self._rename(item, f"{path}.{'custom' if 'input' in item else 'function'}")
        self._emit(item, path)

    def _rename(self, item: Item, path: str) -> None:
        """Give a call the name that the upstream knows (W13)."""
        own, item["name"] = item["name"], self._tool_names.flat(item["name"])
        report_alias(own, item["name"], path, self._context)

    def _new_id(self, wanted: str) -> str:
        """The id itself, but another one when an earlier call has it: Responses pair calls and outputs by id alone."""
        call_id = first = calls.short_id(wanted)
        while call_id in self._used:
            self._used[first] += 1
            call_id = calls.short_id(f"{first}_{self._used[first]}")
        self._used[call_id] = 1
        return call_id

    def _legacy_call(self, call: Any, path: str) -> None:
        """M6: calls of the older kind have no ids."""
        call_id = self._new_id(f"{LEGACY}{self._position}")
        item = calls.function_item(validate.mapping(call, path), path, call_id, self._context)
        self._legacy.setdefault(item["name"], []).append(call_id)
        self._rename(item, path)
        self._emit(item, path)

    def _tool(self, message: Message, path: str) -> None:
        given = validate.text_at(message, "tool_call_id", path)
        waiting = self._waiting.get(given)
        call_id = waiting.popleft() if waiting else self._latest.get(given) or calls.short_id(given)
        if message.get("name") != self._names.get(call_id):  # some clients repeat it
            self._drop_name(message, path)
        self._output(message.get("content"), call_id, path)

    def _function(self, message: Message, path: str) -> None:
        name = validate.text_at(message, "name", path)
        waiting = self._legacy.get(name)
        if not waiting:
            raise RequestError(f"Messages with role 'function' must follow a call of '{name}'.", f"{path}.name")
        told = message.get("content")
        self._output("" if told is None else told, waiting.pop(), path)

    def _output(self, told: Any, call_id: str, path: str) -> None:
        kind = "custom_tool_call_output" if call_id in self._free_form else "function_call_output"
        output = calls.output_from_chat(told, path, self._context)
        item = {"type": kind, "call_id": call_id, "output": output}
        at = self._results.setdefault(call_id, len(self.items))
        if at == len(self.items):
            self._emit(item, path)
        else:  # the last one counts (protocol 2.8)
            self._context.report.dropped(self.origins[at], "a later output answers the same call")
            self.items[at], self.origins[at] = item, path

    def _emit(self, item: Item, path: str) -> None:
        self.items.append(item)
        self.origins.append(path)


def _is_of_chat(item: Item) -> bool:
    """Whether something in `input` is a message as only chat spells it."""
    if item.get("type", "message") != "message":
        return False
    if item.get("role") in ("tool", "function") or not item.keys().isdisjoint(_ONLY_CHAT):
        return True
    parts = item.get("content")
    kinds = (part.get("type") for part in parts if isinstance(part, dict)) if isinstance(parts, list) else ()
    return any(isinstance(kind, str) and kind in content.CHAT_PARTS for kind in kinds)


_ONLY_CHAT = ("tool_calls", "function_call", *reasoning.FIELDS)


HANDLERS: dict[str, Callable[[ItemBuilder, Message, str], None]] = {
    **dict.fromkeys(("system", "developer", "user"), ItemBuilder._message),
    "assistant": ItemBuilder._assistant,
    "tool": ItemBuilder._tool,
    "function": ItemBuilder._function,
}
