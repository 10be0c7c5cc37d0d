"""Items that a request refers to by their ids, which say where they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ...translator import state
from ..store import Store

Item = dict[str, Any]


async def referenced_items(store: Store, tenant: str, ids: Sequence[str]) -> Mapping[str, Item]:
    """Return those of the items that are there, by id; raises StoreUnavailable, and DamagedRecord."""
    keys = {key: None for ident in ids if (key := state.ids.key_of(ident))}
    if not keys:
        return {}
    found: dict[str, Item] = {}
    records = set()
    for stored in await store.read(tenant, list(keys)):
        records.add(stored.key)
        past = state.records.decode_past(f"resp_{stored.key}", stored.body or b"")
        found.update((item["id"], item) for item in (*past.input, *past.output) if "id" in item)
    for ident in ids:  # the others are of a conversation, or of nobody
        key = state.ids.key_of(ident)
        if key and key not in records and (body := await store.item(tenant, key, ident)) is not None:
            found[ident] = state.records.decode_item(ident, body)
    return {ident: found[ident] for ident in ids if ident in found}
