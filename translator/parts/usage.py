"""Token counts (protocol 4.5). The upstream's totals are kept, never corrected; missing usage stays missing."""

from __future__ import annotations

from typing import Any, TypeGuard


def to_responses(usage: dict[str, Any]) -> dict[str, Any] | None:
    """Return the usage of a Response for that of a chat completion, under the names of any family (W7).

    None if it measures nothing: zeros would look measured.
    """
    prompt, completion, total = _first(usage, _PROMPT), _first(usage, _COMPLETION), _first(usage, _TOTAL)
    read = _details(usage, "prompt_tokens_details") or _details(usage, "input_tokens_details")
    wrote = _details(usage, "completion_tokens_details") or _details(usage, "output_tokens_details")
    written = _count(read, "cache_write_tokens") or _count(usage, "cache_creation_input_tokens")
    cached = _first(read, ("cached_tokens", "cached")) or _first(usage, _CACHED) or 0
    reasoning = _first(wrote, ("reasoning_tokens", "reasoning")) or _count(usage, "reasoning_tokens")
    if prompt is None and completion is None and total is None and not (cached or reasoning):
        return None
    return {
        "input_tokens": prompt or 0,
        "input_tokens_details": {"cached_tokens": cached, "cache_write_tokens": written},
        "output_tokens": completion or 0,
        "output_tokens_details": {"reasoning_tokens": reasoning},
        "total_tokens": total or (prompt or 0) + (completion or 0),
    }


_PROMPT = ("prompt_tokens", "input_tokens")
_COMPLETION = ("completion_tokens", "output_tokens")
_TOTAL = ("total_tokens",)
_CACHED = ("prompt_cache_hit_tokens", "cached_tokens", "cache_read_input_tokens")  # DeepSeek, Kimi, Anthropic


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


def summed(first: dict[str, Any] | None, second: dict[str, Any] | None) -> dict[str, Any] | None:
    """Return the usage of two calls for one Response; what is not known of one does not count."""
    if first is None or second is None:
        return first or second
    return {
        name: value + second[name] if isinstance(value, int) else {n: v + second[name][n] for n, v in value.items()}
        for name, value in first.items()
    }


_DETAILS = (
    ("input_tokens_details", "prompt_tokens_details", ("cached_tokens", "cache_write_tokens")),
    ("output_tokens_details", "completion_tokens_details", ("reasoning_tokens",)),
)


def _details(usage: dict[str, Any], name: str) -> dict[str, Any]:
    details = usage.get(name)
    return details if isinstance(details, dict) else {}


_ABSURD = 10**15


def _first(fields: dict[str, Any], names: tuple[str, ...]) -> int | None:
    """The first of some counts that is more than nothing; 0 if they say so, None if they say nothing."""
    count: int | None = None
    for name in names:
        value = fields.get(name)
        if type(value) is int and 0 < value < _ABSURD:  # as nearly always
            return value
        if value is not None and _is_count(_number(value)):
            count = _count(fields, name)
            if count:
                return count
    return count


def _count(fields: dict[str, Any], name: str) -> int:
    value = fields.get(name)
    if type(value) is int:  # as nearly always
        return value if 0 <= value < _ABSURD else 0
    if value is None:
        return 0
    value = _number(value)
    return int(value) if value and _is_count(value) else 0


def _number(value: Any) -> Any:
    """Some servers write their counts as texts."""
    return int(value) if isinstance(value, str) and len(value) < 16 and value.isascii() and value.isdigit() else value


def _is_count(value: Any) -> TypeGuard[float]:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value < _ABSURD
