"""Token counts (protocol 4.5). Vendors' totals are kept, never corrected; missing usage stays missing."""

from __future__ import annotations

from typing import Any, TypeGuard


def to_responses(usage: dict[str, Any]) -> dict[str, Any]:
    """Return the usage of a Response for that of a chat completion."""
    prompt, completion = _count(usage, "prompt_tokens"), _count(usage, "completion_tokens")
    read, wrote = _details(usage, "prompt_tokens_details"), _details(usage, "completion_tokens_details")
    cached = (
        _count(read, "cached_tokens")
        or _count(read, "cached")  # TokenHub
        or _count(usage, "prompt_cache_hit_tokens")  # DeepSeek
        or _count(usage, "cached_tokens")
        or _count(usage, "cache_read_input_tokens")
    )
    reasoning = _count(wrote, "reasoning_tokens") or _count(wrote, "reasoning") or _count(usage, "reasoning_tokens")
    return {
        "input_tokens": prompt,
        "input_tokens_details": {"cached_tokens": cached, "cache_write_tokens": _count(read, "cache_write_tokens")},
        "output_tokens": completion,
        "output_tokens_details": {"reasoning_tokens": reasoning},
        "total_tokens": _count(usage, "total_tokens") or prompt + completion,
    }


def to_chat(usage: Any) -> dict[str, Any] | None:
    """Return the usage of a chat completion for that of a Response; details that were not measured stay away."""
    if not isinstance(usage, dict) or not (
        _is_count(usage.get("input_tokens")) or _is_count(usage.get("output_tokens"))
    ):
        return None
    prompt, completion = _count(usage, "input_tokens"), _count(usage, "output_tokens")
    made: dict[str, Any] = {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": _count(usage, "total_tokens") or prompt + completion,
    }
    for theirs, ours, names in _DETAILS:
        details = _details(usage, theirs)
        measured = {name: int(details[name]) for name in names if _is_count(details.get(name))}
        if measured:
            made[ours] = measured
    return made


_DETAILS = (
    ("input_tokens_details", "prompt_tokens_details", ("cached_tokens", "cache_write_tokens")),
    ("output_tokens_details", "completion_tokens_details", ("reasoning_tokens",)),
)


def _details(usage: dict[str, Any], name: str) -> dict[str, Any]:
    details = usage.get(name)
    return details if isinstance(details, dict) else {}


_ABSURD = 10**15


def _count(fields: dict[str, Any], name: str) -> int:
    value = fields.get(name)
    if type(value) is int:  # as nearly always
        return value if 0 <= value < _ABSURD else 0
    return int(value) if value and _is_count(value) else 0


def _is_count(value: Any) -> TypeGuard[float]:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value < _ABSURD
