"""Items that a request refers to by their ids, which say where they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from ...translator import state
from ..store import HistoryTooLarge, Store, Stored
from .request import off_the_loop

_PORTION = 50
Item = dict[str, Any]


async def referenced_items(store: Store, tenant: str, ids: Sequence[str], limit: int) -> Mapping[str, Item]:
    """Return those of the items that are there, by id.

    Raises StoreUnavailable, DamagedRecord, and HistoryTooLarge if what holds them has more than *limit* bytes.
    """
    keys = list({key: None for ident in ids if (key := state.ids.key_of(ident))})
    found: dict[str, Item] = {}
    records: set[str] = set()
    size = 0
    for start in range(0, len(keys), _PORTION):
        portion = await store.read(tenant, keys[start : start + _PORTION])
        more = sum(state.records.size(stored.body or b"") for stored in portion)
        size = _within(limit, size + more)
        records.update(stored.key for stored in portion)
        found.update(await off_the_loop(more, partial(_items_of, portion, frozenset(ids))))
    for ident in ids:  # the others are of a conversation, or of nobody
        key = state.ids.key_of(ident)
        if key and key not in records and (body := await store.item(tenant, key, ident)) is not None:
            size = _within(limit, size + state.records.size(body))
            found[ident] = state.records.decode_item(ident, body)
    return {ident: found[ident] for ident in ids if ident in found}


def _within(limit: int, size: int) -> int:
    if size > limit:
        raise HistoryTooLarge(size)
    return size


def _items_of(records: Sequence[Stored], ids: frozenset[str]) -> Mapping[str, Item]:
    found: dict[str, Item] = {}
    for stored in records:
        past = state.records.decode_past(f"resp_{stored.key}", stored.body or b"")
        found.update((item["id"], item) for item in (*past.input, *past.output) if item.get("id") in ids)
    return found
