"""What came before a response, out of a store: its chain, and the conversation that this may have begun in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...translator import state
from ..store import HistoryTooLarge, Store, Stored, StoredItem

Item = dict[str, Any]


async def said_before(store: Store, tenant: str, first: Stored, limit: int) -> list[StoredItem]:
    """Return what a conversation held when the *first* response of a chain was added to it.

    Raises ConversationGone, HistoryTooLarge and StoreUnavailable.
    """
    if first.conversation is None:
        return []
    return await said_in(store, tenant, first.conversation, limit, first.position)


async def said_in(
    store: Store, tenant: str, conversation: str, limit: int, until: int | None = None
) -> list[StoredItem]:
    """Return what a conversation holds, or held; a store does not know how large its items are when unpacked.

    Raises ConversationGone, HistoryTooLarge and StoreUnavailable.
    """
    said = await store.context(tenant, conversation, limit, until)
    size = size_of([], said)
    if size > limit:
        raise HistoryTooLarge(size)
    return said


def size_of(chain: Sequence[Stored], said: Sequence[StoredItem]) -> int:
    """Return how many bytes are to be decoded."""
    return sum(state.records.size(each.body or b"") for each in (*chain, *said))


def history_of(chain: Sequence[Stored], said: Sequence[StoredItem]) -> list[Item]:
    """Return the items that a conversation *said*, then those of a chain, without what a compaction replaced.

    Raises DamagedRecord.
    """
    pasts = [state.records.decode_past(f"resp_{stored.key}", stored.body or b"") for stored in chain]
    if pasts and any(map(state.records.is_compaction, state.history.contributed(pasts[0]))):
        said = ()
    before = [state.records.decode_item(item.id, item.body) for item in said]
    return [*state.history.of_conversation(before), *state.history.of_chain(pasts)]
