"""The rules of conversations: what may be created and added, and how it is shown (protocol 6.1, 6.2)."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from ..errors import RequestError
from ..wire import validate
from . import history, ids, needs, refusals
from .records import Item

MOST_ITEMS = 20
"""So many items may come with one call."""
MOST_ENTRIES, LONGEST_NAME, LONGEST_VALUE = 16, 64, 512
_ITEMS = frozenset({*ids.PREFIXES, "additional_tools", "configuration_update", "agent_message", "program_output"})


def metadata(body: dict[str, Any]) -> dict[str, str]:
    """Return the `metadata` of a body; raises RequestError for too much of it."""
    given = body.get("metadata")
    if given is None:
        return {}
    entries = validate.mapping(given, "metadata")
    if len(entries) > MOST_ENTRIES:
        raise refusals.too_many_properties("metadata", MOST_ENTRIES, len(entries))
    for name, value in entries.items():
        if len(name) > LONGEST_NAME:
            raise refusals.name_too_long("metadata", LONGEST_NAME, len(name))
        if len(validate.text(value, f"metadata.{name}")) > LONGEST_VALUE:
            raise refusals.too_long(f"metadata.{name}", LONGEST_VALUE, len(value))
    return entries


def new_metadata(body: dict[str, Any]) -> dict[str, str]:
    """Return the `metadata` that replace others, null for none; raises RequestError if they are left out."""
    if "metadata" not in body:
        raise validate.missing("metadata")
    return metadata(body)


def new_items(body: dict[str, Any], new_id: ids.NewId, *, required: bool = False) -> list[Item]:
    """Return the `items` of a body as they are kept; raises RequestError for what is no item, and for one too many."""
    given = body.get("items")
    if given is None and not required:
        return []
    sent = validate.array(given, "items")
    if len(sent) > MOST_ITEMS:
        raise refusals.too_many_members("items", MOST_ITEMS, len(sent))
    made = [history.kept(_item(item, i), new_id) for i, item in enumerate(sent)]
    expect_new(made, ())
    return made


def expect_new(items: list[Item], there: Collection[str]) -> None:
    """Raise RequestError for an item that comes twice, or whose id is *there* already."""
    seen: set[str] = set()
    for item in items:
        if item["id"] in seen or item["id"] in there:
            raise refusals.duplicate_item(item["id"])
        seen.add(item["id"])


def _item(item: Any, place: int) -> Item:
    if not isinstance(item, dict):
        raise _no_item(place, f"expected an object, but got {validate.json_type_name(item)} instead")
    kind = item.get("type", "message" if "role" in item else None)
    if needs.is_reference(item):
        raise _no_item(place, "a reference is no item")
    if not isinstance(kind, str):
        raise _no_item(place, "it has no 'type'")
    if kind not in _ITEMS and ":" not in kind:
        raise _no_item(place, f"{validate.safe_token(kind)} is no type of items")
    if kind == "message" and not (isinstance(item.get("role"), str) and isinstance(item.get("content"), (str, list))):
        raise _no_item(place, "a message has a role and content")
    if item.get("id") is not None:
        ids.checked(item["id"], f"items[{place}].id")
    return item


def _no_item(place: int, why: str) -> RequestError:
    return RequestError(f"Invalid 'items[{place}]': {why}.", "item", "invalid_item")


def shown(conversation_id: str, created_at: int, entries: dict[str, str]) -> dict[str, Any]:
    """Return the conversation object."""
    return {"id": conversation_id, "object": "conversation", "created_at": created_at, "metadata": entries}


def deleted(conversation_id: str) -> dict[str, Any]:
    return {"id": conversation_id, "object": "conversation.deleted", "deleted": True}
