"""Input members that are not items, but chat messages or parts of a message (W22, W24).

Clients that mix the dialects send them, and what they mean is clear.
"""

from __future__ import annotations

from collections import deque
from typing import Any

from ..context import Context
from ..parts import calls
from ..wire import validate

Item = dict[str, Any]
ItemWithPath = tuple[Item, str]
"""An item, and the path of what it was made from."""

_PARTS = frozenset(
    {"input_text", "output_text", "text", "input_image", "image_url", "input_file", "file", "input_audio", "refusal"}
)


def items(members: list[Item], context: Context) -> list[ItemWithPath]:
    """Return the items of an input, each with its path. Raises RequestError for a turn that cannot be read."""
    turns = _ChatMessageReader(context)
    placed: list[ItemWithPath] = []
    parts: list[Item] = []
    for i, item in enumerate(members):
        path = f"input[{i}]"
        if _is_part(item):
            context.report.approximated(path, "a part outside of a message is sent as the user's")
            if not parts:  # neighbours are one message
                parts = []
                placed.append(({"type": "message", "role": "user", "content": parts}, path))
            parts.append(item)
            continue
        parts = []
        if _is_chat_turn(item):
            context.report.approximated(path, "read as a Chat Completions message")
            placed += turns.read(item, path)
        else:
            placed.append((item, path))
    return placed


def _is_part(item: Item) -> bool:
    kind = item.get("type")
    return isinstance(kind, str) and kind in _PARTS and "role" not in item


def _is_chat_turn(item: Item) -> bool:
    if item.get("type") not in (None, "message"):
        return False
    role = item.get("role")
    if role == "assistant":
        return any(item.get(name) for name in _ONLY_CHAT)
    return role in ("tool", "function")


_THOUGHTS = ("reasoning_content", "reasoning")
_ONLY_CHAT = ("tool_calls", "function_call", "refusal", *_THOUGHTS)


class _ChatMessageReader:
    """Reads chat messages into items; calls of the older kind have no ids, so they are numbered."""

    def __init__(self, context: Context) -> None:
        self._context: Context = context
        self._count: int = 0
        self._older: dict[str, deque[str]] = {}  # the calls of each function that have no result yet

    def read(self, item: Item, path: str) -> list[ItemWithPath]:
        return (
            self._assistant_items(item, path) if item["role"] == "assistant" else [(self._tool_item(item, path), path)]
        )

    def _assistant_items(self, item: Item, path: str) -> list[ItemWithPath]:
        """What an assistant thought, said and called."""
        placed: list[ItemWithPath] = []
        thoughts = next((text for name in _THOUGHTS if (text := item.get(name)) and isinstance(text, str)), None)
        if thoughts:
            parts = [{"type": "reasoning_text", "text": thoughts}]
            placed.append(({"type": "reasoning", "summary": [], "content": parts}, path))
        if item.get("content") or item.get("refusal"):
            placed.append((_message(item), path))
        for i, call in enumerate(validate.optional_array(item.get("tool_calls"), f"{path}.tool_calls")):
            at = f"{path}.tool_calls[{i}]"
            call_id = validate.text_at(validate.mapping(call, at), "id", at)
            placed.append((calls.from_chat(call, at, call_id, self._context), at))
        if item.get("function_call"):
            at = f"{path}.function_call"
            call_id = f"call_older_{self._count}"
            self._count += 1
            function = calls.function_item(validate.mapping(item["function_call"], at), at, call_id, self._context)
            self._older.setdefault(function["name"], deque()).append(call_id)
            placed.append((function, at))
        return placed

    def _tool_item(self, item: Item, path: str) -> Item:
        """What a tool brought. Without a call it is the user's: never a word of the system."""
        name = item.get("name")
        call_ids = self._older.get(name) if item["role"] == "function" and isinstance(name, str) else None
        call_id = call_ids.popleft() if call_ids else item.get("tool_call_id")
        if call_id is None:
            return {**item, "type": "message", "role": "user"}
        body = item.get("content")
        output = "" if body is None else body
        return {"type": "function_call_output", "call_id": call_id, "output": output}


def _message(item: Item) -> Item:
    message = {name: value for name, value in item.items() if name not in _ONLY_CHAT}
    if item.get("refusal"):
        body = item.get("content")
        texts = [{"type": "output_text", "text": body}] if body and isinstance(body, str) else body or []
        message["content"] = [*texts, {"type": "refusal", "refusal": item["refusal"]}]
    return message
