"""What a Responses request needs from a store before it can be translated."""

from __future__ import annotations

from typing import Any, NamedTuple

from ..errors import RequestError
from ..wire import validate
from . import ids, refusals


class Needs(NamedTuple):
    """What to fetch for a request."""

    previous: str | None = None
    """The id of the response that it continues."""
    conversation: str | None = None
    references: tuple[str, ...] = ()
    """Ids of items, each once, in the order of the input."""

    @property
    def anything(self) -> bool:
        return self != NOTHING


NOTHING = Needs()


def of(body: dict[str, Any]) -> Needs:
    """Return what a Responses request needs; raises RequestError for what is no id, and for two histories at once."""
    previous, conversation = body.get("previous_response_id"), body.get("conversation")
    items = body.get("input")
    references = _references(items) if isinstance(items, list) else ()
    if previous is None and conversation is None and not references:
        return NOTHING
    if previous is not None and conversation is not None:
        raise refusals.mutually_exclusive("previous_response_id", "conversation")
    if previous is not None:
        previous = ids.checked(previous, "previous_response_id", ids.RESPONSE)
    return Needs(previous, conversation_of(conversation), references)


def are_none(body: dict[str, Any]) -> bool:
    """Whether nothing is to be stored for a Responses request, and nothing to be fetched: seen without judging it."""
    if body.get("store") is not False or not (body.get("previous_response_id") is body.get("conversation") is None):
        return False
    items = body.get("input")
    return not isinstance(items, list) or not _has_reference(items)


def stores(body: dict[str, Any]) -> bool:
    """Whether the answer to a request is to be stored: yes, unless it says no; raises RequestError."""
    value = body.get("store")
    if value is not None and not isinstance(value, bool):
        raise validate.wrong_type("store", "a boolean", value)
    return value is not False


def conversation_of(value: Any) -> str | None:
    """Return the id of a `conversation`: a string, or an object with an `id`."""
    if value is None:
        return None
    if isinstance(value, dict):
        return ids.checked(value.get("id"), "conversation.id", ids.CONVERSATION)
    if not isinstance(value, str):
        raise validate.wrong_type("conversation", "a string or an object", value)
    return ids.checked(value, "conversation", ids.CONVERSATION)


def is_reference(item: Any) -> bool:
    """Whether an item names another one: what has an id, and neither type nor role, does so, too (protocol 1.2)."""
    if not isinstance(item, dict):
        return False
    kind = item.get("type")
    return kind == "item_reference" or (kind is None and "id" in item and "role" not in item)


def _has_reference(items: list[Any]) -> bool:
    for item in items:  # there may be thousands: most are seen to be none without a call
        kind = item.get("type", "message" if "role" in item else None) if isinstance(item, dict) else "none"
        if kind in _OF_REFERENCES and is_reference(item):
            return True
    return False


_OF_REFERENCES = (None, "item_reference")


def _references(items: list[Any]) -> tuple[str, ...]:
    named = {ids.checked(item.get("id"), f"input[{i}].id"): None for i, item in enumerate(items) if is_reference(item)}
    if len(named) > MOST_REFERENCES:
        raise RequestError(f"At most {MOST_REFERENCES:,} items can be referred to in one request.", "input")
    return tuple(named)


MOST_REFERENCES = 2_000
