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


_TO_CHAT = {
    "max_output_tokens": "length",
    "max_tokens": "length",  # as old documentation has it
    "content_filter": "content_filter",
    None: "length",
}
_ENDS = ("max_messages", "steered")  # what came before is whole; chat has no word for why nothing follows


class Finish(NamedTuple):
    """How a chat answer ends; *why* says what the word cannot."""

    reason: str
    why: str | None = None


def to_chat(status: str, reason: str | None) -> Finish:
    """Return the end for the status of a Response; *reason* says why it is incomplete. Calls are not counted.

    What is incomplete, and nobody knows why, is cut: it never reads as a good end.
    """
    if status == "completed":
        return Finish("stop")
    if reason in _ENDS:
        return Finish("stop", "chat has no word for this reason: it is taken for an end")
    known = _TO_CHAT.get(reason)
    return Finish(known) if known else Finish("length", "an unknown reason is taken for a cut")
