"""How an answer ends: `finish_reason` <-> `status` (protocol 4.3)."""

from __future__ import annotations

from typing import NamedTuple


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
