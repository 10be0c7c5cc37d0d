"""Token counts of the usual kind, decoded into structs: the same as in `usage.py`, for the fast paths of answers.

What is neither a count nor null does not decode, and neither do the names of rarer families.
"""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

_Count = Annotated[int, msgspec.Meta(ge=0, lt=10**15)] | None


class _PromptDetails(msgspec.Struct, gc=False):
    cached_tokens: _Count = None
    cache_write_tokens: _Count = None
    cached: None = None


class _CompletionDetails(msgspec.Struct, gc=False):
    reasoning_tokens: _Count = None
    reasoning: None = None


class ChatUsage(msgspec.Struct, gc=False):
    """The usage of a chat completion: the members that `usage.to_responses` reads."""

    prompt_tokens: _Count = None
    completion_tokens: _Count = None
    total_tokens: _Count = None
    prompt_tokens_details: _PromptDetails | None = None
    completion_tokens_details: _CompletionDetails | None = None
    prompt_cache_hit_tokens: _Count = None
    cached_tokens: _Count = None
    reasoning_tokens: _Count = None
    input_tokens: None = None
    output_tokens: None = None
    input_tokens_details: None = None
    output_tokens_details: None = None
    cache_creation_input_tokens: None = None
    cache_read_input_tokens: None = None


def to_responses(usage: ChatUsage) -> dict[str, Any] | None:
    """Return the usage of a Response; None if it measures nothing."""
    prompt, completion, total = usage.prompt_tokens, usage.completion_tokens, usage.total_tokens
    read, wrote = usage.prompt_tokens_details or _NOT_READ, usage.completion_tokens_details or _NOT_WRITTEN
    cached = read.cached_tokens or usage.prompt_cache_hit_tokens or usage.cached_tokens or 0
    reasoning = wrote.reasoning_tokens or usage.reasoning_tokens or 0
    if prompt is None and completion is None and total is None and not (cached or reasoning):
        return None
    return {
        "input_tokens": prompt or 0,
        "input_tokens_details": {"cached_tokens": cached, "cache_write_tokens": read.cache_write_tokens or 0},
        "output_tokens": completion or 0,
        "output_tokens_details": {"reasoning_tokens": reasoning},
        "total_tokens": total or (prompt or 0) + (completion or 0),
    }


_NOT_READ, _NOT_WRITTEN = _PromptDetails(), _CompletionDetails()


class ResponsesUsage(msgspec.Struct, gc=False):
    """The usage of a Response: the members that `usage.to_chat` reads."""

    input_tokens: _Count = None
    output_tokens: _Count = None
    total_tokens: _Count = None
    input_tokens_details: _PromptDetails | None = None
    output_tokens_details: _CompletionDetails | None = None


def to_chat(usage: ResponsesUsage) -> dict[str, Any] | None:
    """Return the usage of a chat completion; details that were not measured stay away."""
    prompt, completion = usage.input_tokens, usage.output_tokens
    if prompt is None and completion is None:
        return None
    total = usage.total_tokens or (prompt or 0) + (completion or 0)
    made: dict[str, Any] = {"prompt_tokens": prompt or 0, "completion_tokens": completion or 0, "total_tokens": total}
    read, wrote = usage.input_tokens_details, usage.output_tokens_details
    if read is not None and (measured := _measured(read)):
        made["prompt_tokens_details"] = measured
    if wrote is not None and wrote.reasoning_tokens is not None:
        made["completion_tokens_details"] = {"reasoning_tokens": wrote.reasoning_tokens}
    return made


def _measured(read: _PromptDetails) -> dict[str, int]:
    measured: dict[str, int] = {}
    if read.cached_tokens is not None:
        measured["cached_tokens"] = read.cached_tokens
    if read.cache_write_tokens is not None:
        measured["cache_write_tokens"] = read.cache_write_tokens
    return measured
