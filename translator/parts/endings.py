"""How an answer ends: `finish_reason` <-> `status` (protocol 4.3)."""

from __future__ import annotations

from typing import Any, NamedTuple


class Ending(NamedTuple):
    status: str  # completed | incomplete | failed
    reason: str | None = None  # of an incomplete answer


COMPLETED = Ending("completed")
FAILED = Ending("failed")
_LENGTH = Ending("incomplete", "max_output_tokens")
_FILTER = Ending("incomplete", "content_filter")

CALLS = ("tool_calls", "function_call")  # reasons that announce calls

TO_RESPONSES: dict[str, Ending] = {
    **dict.fromkeys(("stop", *CALLS, "eos", "end_turn", "stop_sequence"), COMPLETED),
    **dict.fromkeys(("length", "max_tokens", "model_length"), _LENGTH),
    "content_filter": _FILTER,
    # D21: these are failures that some servers report as an end
    **dict.fromkeys(("error", "insufficient_system_resource", "cancel", "abort"), FAILED),
}


def meaning(finish_reason: str) -> Ending:
    """Return the ending for any finish reason: one that nobody knows is taken for an end."""
    return TO_RESPONSES.get(finish_reason, COMPLETED)


def to_responses(finish_reason: str) -> Ending | None:
    """Return the ending for a finish reason; None for one that nobody knows."""
    return TO_RESPONSES.get(finish_reason)


_TO_CHAT = {
    "max_output_tokens": "length",
    "max_tokens": "length",  # as old documentation has it
    "content_filter": "content_filter",
    None: "length",  # it is cut, and nobody says why: never an end that reads as a good one
}


def to_chat(status: str, reason: Any) -> str | None:
    """Return the finish reason for the status of a Response; *reason* says why it is incomplete. Calls are not counted.

    None for a reason that nobody knows, or that chat has no word for (`max_messages`, `steered`).
    """
    if status == "completed":
        return "stop"
    return _TO_CHAT.get(reason) if isinstance(reason, (str, type(None))) else None
