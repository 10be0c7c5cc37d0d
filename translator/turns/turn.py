"""The turns of a conversation: one assistant message each, and the outputs of its calls (protocol 2.6)."""

from __future__ import annotations

from typing import Any, NamedTuple

from ..context import Context
from ..parts import calls, content, outputs, reasoning
from ..wire import validate

Item = dict[str, Any]
Message = dict[str, Any]


MERGED = "messages of one turn are merged"
TEXT_BEHIND_CALLS = "chat does not keep the order of text and calls in a turn"
REASONING_BEHIND = "reasoning within a turn is moved to its start"
DECLARED = "tools are declared for the whole request"


class Unusual(Exception):
    """Something that the fast path does not read: the request goes the general way."""


def expect_objects(members: list[Any]) -> None:
    """Raise Unusual if something among the items or messages is no object: who looks at all of them needs to know."""
    if not all(isinstance(member, dict) for member in members):
        raise Unusual


class CallOutput(NamedTuple):
    """The output of a call, with the id of the call and the upstream name of the tool."""

    call_id: str
    name: str
    item: Item
    path: str


class Turn:
    """One assistant message under construction."""

    __slots__ = ("_sealed", "_thoughts", "call_paths", "calls", "outputs", "parts", "path")

    def __init__(self, path: str) -> None:
        self.path: str = path
        self.parts: list[content.Part] = []
        self.calls: list[dict[str, Any]] = []
        self.call_paths: list[str] = []
        self.outputs: list[CallOutput] = []
        self._thoughts: list[str] = []
        self._sealed: list[dict[str, Any]] = []

    def add_content(self, parts: list[content.Part], path: str, context: Context) -> None:
        """Add what the message at *path* says."""
        if self.parts and parts:
            context.report.approximated(path, MERGED)
            self.parts.append({"type": "text", "text": "\n\n"})
        self.parts += parts

    def add_call(self, call: dict[str, Any], path: str, output: CallOutput) -> None:
        """Add a member of `tool_calls`, made of the item at *path*, and the output that answers it."""
        self.calls.append(call)
        self.call_paths.append(path)
        self.outputs.append(output)

    def add_reasoning(self, text: str, sealed: dict[str, Any]) -> None:
        """Add a thought, and what its provider wants back unread."""
        if text:
            self._thoughts.append(text)
        if sealed:
            self._sealed.append(sealed)

    @property
    def why_nothing(self) -> str:
        """Return why this turn, which has no texts or calls, became no message."""
        return "it is not followed by the item that it led to" if self._thoughts or self._sealed else "it is empty"

    def message(self, context: Context) -> Message:
        message: Message = {"role": "assistant", "content": None}
        if self.parts:
            self._put_content(message, context)
        if self._thoughts:
            fields = [s["field"] for s in self._sealed if s.get("field") in _REPLAYED_IN]
            field = fields[-1] if fields else context.profile.reasoning_field
            reasoning.put_text(message, field, "\n\n".join(self._thoughts))
        for sealed in self._sealed:
            if isinstance(sealed.get(reasoning.OPAQUE_FIELD), str):
                message[reasoning.OPAQUE_FIELD] = sealed[reasoning.OPAQUE_FIELD]
            for name in reasoning.DETAIL_FIELDS:
                if isinstance(sealed.get(name), list):
                    message.setdefault(name, []).extend(sealed[name])
        if self.calls:
            message["tool_calls"] = self._signed() if self._sealed else self.calls
            if placeholder := context.profile.signature_placeholder:
                self._sign_first(message, placeholder, context)
        return message

    def _sign_first(self, message: Message, placeholder: str, context: Context) -> None:
        signed = reasoning.with_placeholder(message["tool_calls"], placeholder)
        if signed is not None:
            message["tool_calls"] = signed
            context.report.approximated(self.call_paths[0], "a placeholder is sent for the missing signature")

    def _put_content(self, message: Message, context: Context) -> None:
        """What it said and what it refused to say."""
        if len(self.parts) == 1 and self.parts[0]["type"] == "text":
            message["content"] = content.fold(self.parts, "assistant", self.path, context)
            return
        texts = [part for part in self.parts if part["type"] != "refusal"]
        refusals = [part["refusal"] for part in self.parts if part["type"] == "refusal"]
        if texts and refusals and "assistant" in context.profile.content_lists:
            message["content"] = self.parts
        elif texts:
            message["content"] = content.fold(texts, "assistant", self.path, context)
        if refusals and not isinstance(message["content"], list):
            message["refusal"] = "".join(refusals)

    def _signed(self) -> list[dict[str, Any]]:
        """D5: some providers want a signature back on the very call that it came with."""
        signatures: dict[str, Any] = {}
        for sealed in self._sealed:
            if isinstance(sealed.get("calls"), dict):
                for call_id, signature in sealed["calls"].items():
                    signatures.setdefault(call_id, signature)
        return [
            {**call, "extra_content": signatures[call["id"]]} if call["id"] in signatures else call
            for call in self.calls
        ]


class Outputs:
    """All outputs of an input by the call that they answer; each call takes its own."""

    def __init__(self, items: list[tuple[Item, str]], context: Context) -> None:
        self._context: Context = context
        self._outputs: dict[str, list[tuple[Item, str]]] = {}  # the first one stands last
        self._calls: dict[str, int] = {}  # how many calls of an id are still to come: some servers repeat ids
        for item, path in items:
            kind = item.get("type")
            if not isinstance(kind, str) or kind not in _PAIRED or is_server_side(item) or has_no_call_id(item):
                continue
            call_id = item.get("call_id")
            if not isinstance(call_id, str):
                call_id = calls.reference(item, path)
            if kind in calls.CALLS:
                self._calls[call_id] = self._calls.get(call_id, 0) + 1
            else:
                self._outputs.setdefault(call_id, []).append((item, path))
        for queue in self._outputs.values():
            queue.reverse()

    def take(self, call: Item, path: str) -> tuple[str, Item, str]:
        """Return the id, the output and its path for a call item; raises RequestError if it has none."""
        call_id = calls.reference(call, path)
        if call_id not in self._outputs and call["type"] == "local_shell_call":
            own_id = call.get("id")
            call_id = own_id if isinstance(own_id, str) and own_id in self._outputs else call_id
        queue = self._outputs.get(call_id)
        if not queue:
            raise calls.no_output(call_id)
        calls_left = self._calls[call_id] = self._calls.get(call_id, 1) - 1
        while calls_left <= 0 and len(queue) > 1:  # the last output counts (protocol 2.8)
            self._context.report.dropped(queue.pop()[1], "a later output answers the same call")
        item, output_path = queue.pop()
        if not queue:
            del self._outputs[call_id]
        return call_id, item, output_path

    def expect_none(self) -> None:
        """Raise RequestError for an output that answers no call."""
        for queue in self._outputs.values():
            item, path = queue[-1]
            raise calls.no_call(calls.reference(item, path), path)


def implied_type(item: Item, path: str) -> str:
    """The type of an item that does not say it."""
    kind = item.get("type")
    if kind is None:
        kind = "message" if "role" in item else "item_reference" if "id" in item else None
    return validate.text(kind, f"{path}.type")


_REPLAYED_IN = (*reasoning.TEXT_FIELDS, reasoning.AMONG_PARTS)
_PAIRED = frozenset({*calls.CALLS, *outputs.OUTPUTS})


def is_server_side(item: Item) -> bool:
    return item.get("execution") == "server" and item.get("type") in ("tool_search_call", "tool_search_output")


def has_no_call_id(item: Item) -> bool:
    """An output that names a tool and no call (new in SDK 3.52)."""
    return item.get("call_id") is None and item.get("type") == "function_call_output" and item.get("name") is not None
