"""Chat messages -> input items (protocol 2.5): a message becomes zero or more items, in order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from functools import cached_property
from typing import Any

from ..context import Context
from ..errors import RequestError
from ..parts import calls, content, outputs, reasoning
from ..parts.names import ToolNames, report_alias
from ..wire import validate
from .replay import ReasoningReplay
from .turn import Item, Message

LEGACY = "call_legacy_"
_TEXTS = ("role", "content", "name", "type")
_SAID = ("refusal", "tool_calls", "function_call", "audio", "annotations", "parsed")
KNOWN = {
    **dict.fromkeys(("system", "developer", "user"), frozenset(_TEXTS)),
    "assistant": frozenset({*_TEXTS, *_SAID, *reasoning.FIELDS}),
    "tool": frozenset({*_TEXTS, "tool_call_id"}),
    "function": frozenset(_TEXTS),
}


class ItemBuilder:
    """Builds the items of an input, each with the path of the message that it came from."""

    def __init__(self, context: Context, tool_names: ToolNames) -> None:
        self.items: list[Item] = []
        self.origins: list[str] = []
        self._context: Context = context
        self._tool_names: ToolNames = tool_names
        self._messages: list[Message] = []
        self._position: int = 0
        self._id_counts: dict[str, int] = {}  # ids of call items, and how often each was wanted
        self._latest: dict[str, str] = {}  # a call's id in the messages -> that of its latest call item
        self._unanswered: dict[str, deque[str]] = {}  # the same, but all that wait for their result
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

    def add_items(self, conversation: Any) -> None:
        """Read the `input` of a request that has it instead of `messages`: items stay as they are.

        Messages that only chat spells so become items.
        """
        if isinstance(conversation, str):
            self._emit({"type": "message", "role": "user", "content": conversation}, "input")
            return
        self._messages = validate.mappings(conversation, "input")
        for i, item in enumerate(self._messages):
            self._position, path = i, f"input[{i}]"
            if _is_of_chat(item):
                self._read(item, path)
            else:
                self._emit(item if item.get("type") or "role" not in item else {**item, "type": "message"}, path)

    def put_in_front(self, item: Item, path: str) -> None:
        """Make an item the first one."""
        self.items, self.origins = [item, *self.items], [path, *self.origins]

    def remove_first(self, count: int) -> None:
        """Take so many items away from the front."""
        self.items, self.origins = self.items[count:], self.origins[count:]

    def _read(self, message: Message, path: str) -> None:
        role = message.get("role")
        handle = HANDLERS.get(role) if isinstance(role, str) else None
        if handle is None:
            validate.text(role, f"{path}.role")
            raise RequestError(f"Invalid value: '{role}' is not a message role.", f"{path}.role")
        self._context.report_unread(message, KNOWN[message["role"]], path)
        handle(self, message, path)

    def _message(self, message: Message, path: str) -> None:
        """System, developer and user keep their roles (protocol 2.1)."""
        role, body = message["role"], message.get("content")
        self._drop_name(message, path)
        item_content: Any = content.only_text(body)
        if item_content is None:
            item_content = content.to_responses(body, role, f"{path}.content", self._context)
        self._emit({"type": "message", "role": role, "content": item_content}, path)

    def _drop_name(self, message: Message, path: str) -> None:
        if message.get("name") is not None:
            self._context.report.dropped(f"{path}.name", "Responses messages have no `name`", message["name"])

    # the assistant

    def _assistant(self, message: Message, path: str) -> None:
        self._drop_name(message, path)
        body = self._assistant_content(message, path)
        members = self._tool_calls(message, path)
        follows = body is not None or bool(members) or message.get("function_call") is not None
        if not (follows and reasoning.is_absent(message)):
            self._reasoning(message, path, follows)
        if body is not None:
            self._emit({"type": "message", "role": "assistant", "content": body}, path)
        for i, call in enumerate(members):
            self._call(call, f"{path}.tool_calls[{i}]")
        if message.get("function_call") is not None:
            self._legacy_call(message["function_call"], f"{path}.function_call")

    def _tool_calls(self, message: Message, path: str) -> list[Item]:
        members = message.get("tool_calls")
        return validate.mappings(members, f"{path}.tool_calls") if members is not None else []

    def _assistant_content(self, message: Message, path: str) -> str | list[Item] | None:
        """The content of the message item: what the assistant said and refused; None if it said nothing."""
        value, refusal = message.get("content"), message.get("refusal")
        body: Any = "" if value is None else content.only_text(value)
        if body is None:
            body = content.to_responses(value, "assistant", f"{path}.content", self._context)
        if isinstance(body, list) and all(part.get("text") == "" for part in body):
            body = ""
        if message.get("audio") is not None:
            body = self._transcript(message["audio"], f"{path}.audio", body)
        if not refusal:
            return body or None
        refusal_part = {"type": "refusal", "refusal": validate.text(refusal, f"{path}.refusal")}
        texts = [content.output_text(body)] if body and isinstance(body, str) else body or []
        return [*texts, refusal_part]

    def _transcript(self, audio: Any, path: str, body: str | list[Item]) -> str | list[Item]:
        """What was spoken is known by its transcript, if the client kept it (M9)."""
        transcript = body or validate.mapping(audio, path).get("transcript")
        if not isinstance(transcript, (str, list)):
            raise RequestError("Responses has no audio, and this message has no transcript.", path, "unsupported_value")
        self._context.report.approximated(path, "the transcript is sent in place of the audio")
        return transcript

    def _reasoning(self, message: Message, path: str, follows: bool) -> None:
        """Restore items that were sealed here; send bare text back if the upstream accepts it (M2)."""
        report = self._context.report
        sealed, unopened = reasoning.from_details(message, self._context.seals)
        text = reasoning.thoughts_of(message)
        if not follows:
            report.dropped(path, "it is not followed by the item that it led to" if sealed or text else "it is empty")
            return
        if unopened:
            if self._context.strict:
                raise reasoning.cannot_open(unopened[0])
            report.dropped(f"{path}.reasoning_details", "it was not sealed here, or was altered")
        if sealed:
            for item in sealed:
                if reasoning.can_return(item):
                    self._emit(reasoning.without_long_id(item), path)
                else:
                    report.dropped(path, "the provider kept its reasoning private")
        elif text:
            if replayed(self._replay, self._position, path, self._context):
                self._emit(reasoning.to_item(text, self._position), path)
        elif not unopened and any(message.get(name) for name in reasoning.FIELDS):
            report.dropped(path, "only the provider can read its reasoning")

    @cached_property
    def _replay(self) -> ReasoningReplay:
        return ReasoningReplay(self._messages, self._context.profile)

    # calls and their results

    def _call(self, call: dict[str, Any], path: str) -> None:
        call_id = validate.text_at(call, "id", path)
        item = calls.from_chat(call, path, self._new_id(call_id), self._context)
        self._latest[call_id] = item["call_id"]
        self._unanswered.setdefault(call_id, deque()).append(item["call_id"])
        self._names[item["call_id"]] = item["name"]
        if item["type"] == "custom_tool_call":
            self._free_form.add(item["call_id"])
        self._rename(item, f"{path}.{'custom' if 'input' in item else 'function'}")
        self._emit(item, path)

    def _rename(self, item: Item, path: str) -> None:
        """Give a call the name that the upstream knows (W13)."""
        own, item["name"] = item["name"], self._tool_names.flat(item["name"])
        report_alias(own, item["name"], path, self._context)

    def _new_id(self, wanted_id: str) -> str:
        """The id itself, but another one when an earlier call has it: Responses pair calls and outputs by id alone."""
        call_id = first = calls.short_id(wanted_id)
        while call_id in self._id_counts:
            self._id_counts[first] += 1
            call_id = calls.short_id(f"{first}_{self._id_counts[first]}")
        self._id_counts[call_id] = 1
        return call_id

    def _legacy_call(self, call: Any, path: str) -> None:
        """Read a call of the older kind, which has no id (M6)."""
        call_id = self._new_id(f"{LEGACY}{self._position}")
        item = calls.function_item(validate.mapping(call, path), path, call_id, self._context)
        self._legacy.setdefault(item["name"], []).append(call_id)
        self._rename(item, path)
        self._emit(item, path)

    def _tool(self, message: Message, path: str) -> None:
        chat_id = validate.text_at(message, "tool_call_id", path)
        unanswered = self._unanswered.get(chat_id)
        call_id = unanswered.popleft() if unanswered else self._latest.get(chat_id) or calls.short_id(chat_id)
        if message.get("name") != self._names.get(call_id):  # some clients repeat it
            self._drop_name(message, path)
        self._output(message.get("content"), call_id, path)

    def _function(self, message: Message, path: str) -> None:
        name = validate.text_at(message, "name", path)
        unanswered = self._legacy.get(name)
        if not unanswered:
            raise RequestError(f"Messages with role 'function' must follow a call of '{name}'.", f"{path}.name")
        body = message.get("content")
        self._output("" if body is None else body, unanswered.pop(), path)

    def _output(self, body: Any, call_id: str, path: str) -> None:
        kind = "custom_tool_call_output" if call_id in self._free_form else "function_call_output"
        output = outputs.to_responses(body, path, self._context)
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


def replayed(replay: ReasoningReplay, position: int, path: str, context: Context) -> bool:
    """Whether the text of earlier reasoning goes back; if not, that is reported."""
    if replay.allows(position):
        return True
    if context.profile.reasoning_replay == "never":
        context.report.dropped(path, "the upstream accepts only its own reasoning")
    else:
        context.report.emulated(path, "reasoning of finished turns is left out")
    return False


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
