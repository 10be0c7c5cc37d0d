"""Compaction: a conversation becomes a summary that only this library can read (protocol 2.7, 6.1).

It needs no store: the model writes the summary, which is sent to the client sealed in a `compaction` item.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from .errors import RequestError
from .state import history, records, truncation
from .wire import validate

PROMPT = (
    "Stop here and write a summary of this conversation for yourself: it will replace everything above, and you will "
    "go on from it alone. Keep what was asked for, decisions and their reasons, facts and results that tools brought, "
    "names, paths and identifiers as they were written, what is done, and what is left to do. "
    "Answer with the summary only."
)
_NOT_FOR_SUMMARIES = ("text", "include", "max_output_tokens", "top_logprobs")


class Summary(NamedTuple):
    """A summary that the model wrote in front of an answer (`context_management`)."""

    item: dict[str, Any]
    """The `compaction` item."""
    usage: dict[str, Any] | None
    """What writing it took."""


def threshold(body: dict[str, Any]) -> int | None:
    """Return from how many tokens on a request asks for a summary first; None if it does not. Raises RequestError."""
    managed = validate.mappings(validate.optional_array(body.get(_MANAGED), _MANAGED), _MANAGED)
    limits: list[int] = []
    for i, entry in enumerate(managed):
        if entry.get("type") != "compaction":
            raise RequestError(f"Invalid value: {_MANAGED}[{i}].type must be 'compaction'.", f"{_MANAGED}[{i}].type")
        limit = entry.get("compact_threshold")
        if limit is not None and (type(limit) is not int or limit < 1):
            raise validate.wrong_type(f"{_MANAGED}[{i}].compact_threshold", "a positive integer", limit)
        if limit is not None:
            limits.append(limit)
    return min(limits, default=None)


_MANAGED = "context_management"


def summary_request(body: dict[str, Any]) -> dict[str, Any]:
    """Return the request for a summary of all that *body* says."""
    fields = {name: value for name, value in body.items() if name != _MANAGED}
    return {**fields, "store": False, "input": [*body["input"], {"type": "compaction_trigger"}]}


def kept_places(items: list[dict[str, Any]]) -> tuple[list[int], list[int]]:
    """Return the places of what stays in front of a summary, and behind it.

    Instructions stay, and the last turn, which is to be answered; if it is the only one, it is what was too long.
    """
    front = [i for i, item in enumerate(items) if truncation.stays(item) and not records.is_compaction(item)]
    turns = truncation.turns_of(items)
    return front, turns[-1] if len(turns) > 1 else []


def has_trigger(body: Any) -> bool:
    """Whether the last input item of a request is a `compaction_trigger`."""
    items = body.get("input") if isinstance(body, dict) else None
    last = items[-1] if isinstance(items, list) and items else None
    return isinstance(last, dict) and last.get("type") == "compaction_trigger"


def request(body: dict[str, Any]) -> dict[str, Any]:
    """Return the request for the summary; tools stay declared, so that cached prefixes hold, but are not called."""
    fields = {name: value for name, value in body.items() if name not in _NOT_FOR_SUMMARIES}
    asking = {"type": "message", "role": "user", "content": PROMPT}
    items = [_unformatted(item) for item in body["input"][:-1]]
    return {**fields, "input": [*items, asking], "tool_choice": "none"}


def _unformatted(item: Any) -> Any:
    """Return *body* without an output format: it is for the next answer, not for the summary."""
    is_update = isinstance(item, dict) and item.get("type") == "configuration_update"
    return {**item, "text": None} if is_update else item


def with_trigger(body: Any) -> dict[str, Any]:
    """Return the Responses request for the body of a `POST /responses/compact`."""
    body = validate.mapping(body, "body")
    validate.text(body.get("model"), "model")
    conversation = body.get("input")
    items = [{"role": "user", "content": conversation}] if isinstance(conversation, str) else conversation
    return {**body, "input": [*validate.array(items, "input"), {"type": "compaction_trigger"}]}


def answer(body: dict[str, Any], summary: dict[str, Any], new_id: Callable[[str], str]) -> dict[str, Any]:
    """Return the `response.compaction` object: the user's messages as output items, then the `compaction` item."""
    messages = [item for item in body["input"] if isinstance(item, dict) and item.get("role") == "user"]
    return {
        "id": summary["id"],
        "object": "response.compaction",
        "created_at": summary["created_at"],
        "output": [*(history.kept(item, new_id) for item in messages), *summary["output"]],
        "usage": summary["usage"],
    }
