"""Conversations and their items (protocol 6.1)."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from functools import partial
from typing import Any

from ...translator import state
from ..store import Conversation, ConversationGone, DuplicateItem, NewItem, NoSuchItem, StoredItem
from .request import StatefulRequest, off_the_loop

Item = dict[str, Any]


async def create(request: StatefulRequest) -> dict[str, Any]:
    """`POST /conversations`: a new one, with its first items if there are any."""
    key = secrets.token_hex(16)
    metadata = state.conversations.metadata(request.body)
    items = state.conversations.new_items(request.body, _item_ids(key))
    made = Conversation(key, int(request.clock()), state.records.packed(metadata))
    await request.store.create_conversation(request.tenant, made, _new_items(items))
    return state.conversations.shown(_id_of(key), made.created, metadata)


async def retrieve(request: StatefulRequest) -> dict[str, Any]:
    """`GET /conversations/{id}`."""
    return await _shown(request, *_named(request))


async def update(request: StatefulRequest) -> dict[str, Any]:
    """`POST /conversations/{id}`: replaces the metadata."""
    conversation_id, key = _named(request)
    metadata = state.conversations.new_metadata(request.body)
    if not await request.store.set_metadata(request.tenant, key, state.records.packed(metadata)):
        raise state.refusals.no_conversation(conversation_id)
    return await _shown(request, conversation_id, key)


async def delete(request: StatefulRequest) -> dict[str, Any]:
    """`DELETE /conversations/{id}`: takes its items away, too; responses of it stay."""
    conversation_id, key = _named(request)
    if not await request.store.delete_conversation(request.tenant, key):
        raise state.refusals.no_conversation(conversation_id)
    return state.conversations.deleted(conversation_id)


async def add_items(request: StatefulRequest) -> dict[str, Any]:
    """`POST /conversations/{id}/items`: all of them, or none; returns them."""
    conversation_id, key = _named(request)
    include = state.pages.include(request.query)
    items = state.conversations.new_items(request.body, _item_ids(key), required=True)
    try:
        await request.store.add_items(request.tenant, key, _new_items(items))
    except ConversationGone:
        raise state.refusals.no_conversation(conversation_id) from None
    except DuplicateItem as error:
        raise state.refusals.duplicate_item(error.item_id) from None
    return state.pages.page(state.views.shown(items, include), has_more=False)


async def list_items(request: StatefulRequest) -> dict[str, Any]:
    """`GET /conversations/{id}/items`: a page, newest first unless the client wants it the other way round."""
    conversation_id, key = _named(request)
    page = state.pages.query(request.query)
    try:
        found = await request.store.items(
            request.tenant, key, after=page.after, limit=page.limit + 1, descending=page.descending
        )
    except ConversationGone:
        raise state.refusals.no_conversation(conversation_id) from None
    except NoSuchItem:
        raise state.refusals.no_item(str(page.after), "after") from None
    size = sum(state.records.size(item.body) for item in found)
    items = await off_the_loop(size, partial(_decoded, found[: page.limit]))
    return state.pages.page(state.views.shown(items, page.include), has_more=len(found) > page.limit)


async def retrieve_item(request: StatefulRequest) -> dict[str, Any]:
    """`GET /conversations/{id}/items/{item_id}`."""
    _, key = _named(request)
    item_id = state.ids.checked(request.ids[1], "item_id")
    include = state.pages.include(request.query)
    found = await request.store.item(request.tenant, key, item_id)
    if found is None:
        raise state.refusals.no_item(item_id, None)
    return state.views.one(state.records.decode_item(item_id, found), include)


async def delete_item(request: StatefulRequest) -> dict[str, Any]:
    """`DELETE /conversations/{id}/items/{item_id}`: returns the conversation."""
    conversation_id, key = _named(request)
    item_id = state.ids.checked(request.ids[1], "item_id")
    if not await request.store.delete_item(request.tenant, key, item_id):
        raise state.refusals.no_item(item_id, None)
    return await _shown(request, conversation_id, key)


async def _shown(request: StatefulRequest, conversation_id: str, key: str) -> dict[str, Any]:
    found = await request.store.conversation(request.tenant, key)
    if found is None:
        raise state.refusals.no_conversation(conversation_id)
    metadata = state.records.unpacked(conversation_id, found.metadata)
    return state.conversations.shown(conversation_id, found.created, metadata)


def _named(request: StatefulRequest) -> tuple[str, str]:
    """Return the id of the conversation and its key; an id that was not made here has one that nothing has."""
    conversation_id = state.ids.checked(request.ids[0], "conversation_id", f"{state.ids.CONVERSATION}_")
    key = state.ids.key_of(conversation_id)
    return conversation_id, key if conversation_id == _id_of(key) else ""


def _item_ids(key: str) -> state.ids.ItemIds:
    """Return what makes the ids of new items: it numbers them from anywhere on, as it does not know those there are."""
    return state.ids.ItemIds(key, secrets.randbits(64))


def _new_items(items: Sequence[Item]) -> list[NewItem]:
    return [NewItem(item["id"], state.records.encode_item(item), state.records.is_compaction(item)) for item in items]


def _decoded(items: Sequence[StoredItem]) -> list[Item]:
    return [state.records.decode_item(item.id, item.body) for item in items]


def _id_of(key: str) -> str:
    return f"{state.ids.CONVERSATION}_{key}"
