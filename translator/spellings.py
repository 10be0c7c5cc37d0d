"""Several names for one thing: chat clients use older names, and many mix in those of Responses."""

from __future__ import annotations

from typing import Any

from .context import Context
from .parts import limits


def without_synonyms(body: dict[str, Any], context: Context) -> dict[str, Any]:
    """Return a chat request without fields that repeat another one; a value that differs from the kept one is reported.

    Of two names, the older one is removed, or that of the other dialect.
    """
    body = _with_reasoning(body)
    for name, other in _SYNONYMS:
        if _has_value(body, name) and body.get(other) is not None:
            if body[name] != body[other]:
                context.report.dropped(other, f"'{name}' is used instead", body[other])
            body = {**body, other: None}
    for name, parent, child in _NESTED_SYNONYMS:
        nested = body.get(parent)
        if body.get(name) is not None and isinstance(nested, dict) and nested.get(child) is not None:
            if body[name] != nested[child]:
                context.report.dropped(f"{parent}.{child}", f"'{name}' is used instead", nested[child])
            body = {**body, parent: {**nested, child: None}}
    return body


def _with_reasoning(body: dict[str, Any]) -> dict[str, Any]:
    """Move an object in `reasoning_effort`, with which some clients ask for a summary, to `reasoning`."""
    reasoning, nested = body.get("reasoning_effort"), body.get("reasoning")
    if not isinstance(reasoning, dict):
        return body
    if isinstance(nested, dict):
        reasoning = {**nested, **{name: value for name, value in reasoning.items() if value is not None}}
    return {**body, "reasoning_effort": None, "reasoning": reasoning}


def _has_value(body: dict[str, Any], name: str) -> bool:
    """Whether a field has a meaningful value: a limit of 0 and an empty list of messages are none."""
    value = body.get(name)
    return (
        value is not None
        and not (name in _LIMITS and limits.is_unlimited(value))
        and (name != "messages" or value != [])
    )


_LIMITS = ("max_completion_tokens", "max_tokens", "max_output_tokens")
_SYNONYMS = (
    *((name, other) for i, name in enumerate(_LIMITS) for other in _LIMITS[i + 1 :]),
    ("tool_choice", "function_call"),
    ("messages", "input"),
)
_NESTED_SYNONYMS = (
    ("reasoning_effort", "reasoning", "effort"),
    ("response_format", "text", "format"),
    ("verbosity", "text", "verbosity"),
)
