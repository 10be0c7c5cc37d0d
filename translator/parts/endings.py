"""How an answer ends: `finish_reason` <-> `status` (protocol 4.3, W2)."""

from __future__ import annotations

import re
from typing import Any, NamedTuple


class Ending(NamedTuple):
    status: str  # completed | incomplete | failed
    reason: str | None = None  # of an incomplete answer


COMPLETED = Ending("completed")
FAILED = Ending("failed")
_LENGTH = Ending("incomplete", "max_output_tokens")
_FILTER = Ending("incomplete", "content_filter")

CALLS = ("tool_calls", "function_call", "tool_use")
"""The finish reasons that announce calls."""

ENDINGS: dict[str, Ending] = {
    **dict.fromkeys(("stop", *CALLS, "end_turn", "eos", "eos_token", "stop_sequence", "stop_token"), COMPLETED),
    **dict.fromkeys(("complete", "completed", "end", "finished"), COMPLETED),
    # Cohere: https://docs.cohere.com/reference/chat
    "error_limit": _LENGTH,
    "error_toxic": _FILTER,
    "user_cancel": FAILED,
    **dict.fromkeys(("length", "max_tokens", "max_output_tokens", "max_new_tokens", "max_length"), _LENGTH),
    **dict.fromkeys(("model_length", "model_context_window_exceeded", "context_window_exceeded"), _LENGTH),  # Anthropic
    **dict.fromkeys(("content_filter", "content_filtered", "guardrail_intervened", "refusal", "sensitive"), _FILTER),
    # Gemini: https://ai.google.dev/api/generate-content#FinishReason
    **dict.fromkeys(("safety", "recitation", "blocklist", "prohibited_content", "spii", "image_safety"), _FILTER),
    **dict.fromkeys(("malformed_function_call", "unexpected_tool_call", "too_many_tool_calls"), FAILED),
    # D21: these are failures that some servers report as an end
    **dict.fromkeys(("error", "network_error", "insufficient_system_resource", "timeout", "failed"), FAILED),
    **dict.fromkeys(("cancel", "cancelled", "canceled", "abort", "aborted"), FAILED),
}
"""The finish reasons of all servers, normalized: one table for both directions, for whole and streamed answers."""
_FAMILIES = {"content_filter": _FILTER, "function_call_filter": FAILED}
"""Finish reasons to which some servers append more text."""
_EMPTY_REASONS = ("", "null", "none", "undefined", "unspecified")
_BETWEEN = re.compile(r"[\s-]+|(?<=[a-z])(?=[A-Z])")  # `max-tokens`, `MaxTokens`
_PREFIX = "finish_reason_"


def normalize(reason: Any) -> str | None:
    """Return a finish reason, or a reason for being incomplete, without what only its family writes; None for no word.

    Some servers send a word for nothing (W1): `"null"` on each chunk.
    """
    if not isinstance(reason, str):
        return None
    if reason in ENDINGS:  # as nearly always
        return reason
    bare = reason.partition(":")[0].strip().rpartition(".")[2]  # `FinishReason.STOP`, `content_filter: hate`
    plain = _BETWEEN.sub("_", bare).lower().removeprefix(_PREFIX)
    return None if plain in _EMPTY_REASONS else plain


def to_responses(reason: str) -> Ending | None:
    """Return the ending for a finish reason; None for one that nobody knows."""
    ending = ENDINGS.get(reason)
    if ending is None:
        ending = next((ending for start, ending in _FAMILIES.items() if reason.startswith(start)), None)
    return ending


def ending_of(reason: str) -> Ending:
    """Return the ending for any finish reason: one that nobody knows is taken for an end."""
    return to_responses(reason) or COMPLETED


_ENDS = ("max_messages", "steered")  # what came before is whole; chat has no word for why nothing follows
_FINISHES = {_LENGTH: "length", _FILTER: "content_filter"}


STATUSES = ("completed", "incomplete", "failed", "cancelled", "queued", "in_progress")
"""The values that the status of a Response may have."""


def status(value: Any) -> str | None:
    """Return the status that a word means: one of STATUSES, or the word itself if nobody knows it; None for no word."""
    plain = normalize(value)
    if plain is None or plain in STATUSES:
        return plain
    ending = to_responses(plain)
    return ending.status if ending else plain


class FinishReason(NamedTuple):
    """How a chat answer ends; *why* explains what the reason itself cannot express."""

    reason: str
    why: str | None = None


def to_chat(status: str, reason: Any) -> FinishReason:
    """Return the end for the status of a Response; *reason* says why it is incomplete. Calls are not counted.

    What is incomplete, and nobody knows why, is cut: it never reads as a good end.
    """
    if status == "completed":
        return FinishReason("stop")
    plain = normalize(reason)
    if plain in _ENDS:
        return FinishReason("stop", "chat has no such reason; treated as a normal end")
    word = _FINISHES.get(ending_of(plain)) if plain else "length"
    return FinishReason(word) if word else FinishReason("length", "unknown reason; treated as cut off")
