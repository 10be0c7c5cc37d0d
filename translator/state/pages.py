"""Pages of lists: what a client asks for in a query, and what both SDKs' pagers accept (protocol 6.1, 6.2)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from . import ids, refusals

MOST, USUAL = 100, 20
_ORDERS = ("asc", "desc")
_DIGITS = 18

INCLUDABLE = (
    "file_search_call.results",
    "web_search_call.results",
    "web_search_call.action.sources",
    "message.input_image.image_url",
    "computer_call_output.output.image_url",
    "code_interpreter_call.outputs",
    "reasoning.encrypted_content",
    "message.output_text.logprobs",
)
"""What `include` may name."""


class Query(NamedTuple):
    """One page of a list."""

    after: str | None = None
    limit: int = USUAL
    descending: bool = True
    include: frozenset[str] = frozenset()


def query(pairs: Iterable[tuple[str, str]], default_order: str = "desc") -> Query:
    """Read the decoded *pairs* of a query string; raises RequestError for values that there are not.

    Arrays may be spelled with brackets or without; names that are not known are left alone.
    """
    pairs = list(pairs)
    last = dict(pairs)
    after = last.get("after") or None
    order = last.get("order") or default_order
    if order not in _ORDERS:
        raise refusals.unsupported("order", order, _ORDERS)
    limit = _limit(last["limit"]) if last.get("limit") else USUAL
    return Query(ids.checked(after, "after") if after else None, limit, order == "desc", include(pairs))


def include(pairs: Iterable[tuple[str, str]]) -> frozenset[str]:
    """Return what a query string asks to include; raises RequestError for what nobody knows."""
    named = [value for name, value in pairs if name in ("include", "include[]")]
    for i, value in enumerate(named):
        if value not in INCLUDABLE:
            raise refusals.unsupported(f"include[{i}]", value, INCLUDABLE)
    return frozenset(named)


def _limit(value: str) -> int:
    digits = value.removeprefix("-")
    if not (digits.isascii() and digits.isdecimal()):
        raise refusals.no_integer("limit")
    limit = int(value[:_DIGITS])
    if limit < 1:
        raise refusals.below("limit", 1, limit)
    if limit > MOST:
        raise refusals.above("limit", MOST, limit)
    return limit


def cut(items: Sequence[dict[str, Any]], asked: Query) -> dict[str, Any]:
    """Return the page of *items*, which come oldest first; raises RequestError if what it is to follow is not there."""
    ordered = list(reversed(items)) if asked.descending else list(items)
    start = 0
    if asked.after is not None:
        places = (i for i, item in enumerate(ordered) if item.get("id") == asked.after)
        start = next(places, -1) + 1
        if start == 0:
            raise refusals.no_item(asked.after, "after")
    end = start + asked.limit
    return page(ordered[start:end], has_more=end < len(ordered))


def page(items: Sequence[dict[str, Any]], *, has_more: bool) -> dict[str, Any]:
    """Return a list object of *items* that are the page already."""
    return {
        "object": "list",
        "data": list(items),
        "first_id": items[0]["id"] if items else None,
        "last_id": items[-1]["id"] if items else None,
        "has_more": has_more,
    }
