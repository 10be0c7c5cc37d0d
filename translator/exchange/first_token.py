"""Whether a frame or event of the client's stream is a piece of what the model writes: text, reasoning or arguments."""

from __future__ import annotations

from typing import Any

from ..wire import json

_NAME = b"event: "
_DATA = b"data: {"
_DELTA = ".delta"
_TEXTS = ("content", "reasoning_content", "reasoning", "refusal")


def is_piece(frame: Any) -> bool:
    """Whether a frame (server-sent event), or an event that is not encoded, has something that the model wrote.

    Of Responses, the name of the event says it; the events before the first piece repeat the request and may be large.
    """
    if isinstance(frame, dict):
        return _has_piece(frame)
    if frame.startswith(_NAME):
        return frame[len(_NAME) : frame.find(b"\n")].endswith(b".delta")
    return frame.startswith(_DATA) and _has_piece(json.decode(frame[len(_DATA) - 1 :].strip()))


def _has_piece(event: dict[str, Any]) -> bool:
    if "type" in event:
        return event["type"].endswith(_DELTA)
    return any(_writes(choice.get("delta") or {}) for choice in event.get("choices", ()))


def _writes(delta: dict[str, Any]) -> bool:
    if any(delta.get(name) for name in _TEXTS):
        return True
    calls = [*(delta.get("tool_calls") or ()), {"function": delta.get("function_call")}]
    return any((call.get(kind) or {}).get(written) for call in calls for kind, written in _WRITTEN)


_WRITTEN = (("function", "arguments"), ("custom", "input"))
"""What the model writes of each kind of call."""
