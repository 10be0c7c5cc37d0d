"""Stored responses: retrieve, delete, list their input, cancel (protocol 6.1, 6.2)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from ...translator import state
from ..store import ConversationGone, Stored, StoredItem
from .request import StatefulRequest, off_the_loop

_FLAGS = ("true", "false")

Item = dict[str, Any]


async def retrieve(request: StatefulRequest) -> dict[str, Any]:
    """`GET /responses/{id}`: the Response object."""
    response_id, key = _named(request)
    include = state.pages.include(request.query)
    streamed = _is_streamed(request)
    found = await _read(request, response_id, key)
    if streamed:
        raise state.refusals.not_background()
    body = found.body or b""
    decode = partial(state.records.decode, response_id, body, found.settings)
    return state.views.retrieved(await off_the_loop(len(body), decode), include)


async def delete(request: StatefulRequest) -> dict[str, Any]:
    """`DELETE /responses/{id}`: its content is gone at once, and what continues it cannot be continued."""
    response_id, key = _named(request)
    if not await request.store.delete(request.tenant, key):
        raise state.refusals.no_response(response_id)
    return state.views.deleted(response_id)


async def cancel(request: StatefulRequest) -> dict[str, Any]:
    """`POST /responses/{id}/cancel`: what was not created in the background is there only when it has ended."""
    response_id, key = _named(request)
    await _read(request, response_id, key)
    raise state.refusals.not_cancellable()


async def input_items(request: StatefulRequest) -> dict[str, Any]:
    """`GET /responses/{id}/input_items`: all that a response was made from, of its chain and its conversation."""
    response_id, key = _named(request)
    page = state.pages.query(request.query)
    chain = await request.store.chain(request.tenant, key, request.max_history)
    if not chain:
        raise state.refusals.no_response(response_id)
    for stored in chain:
        if stored.body is None:
            raise state.refusals.no_previous(_id_of(stored.key))
    before = await _said_before(request, chain[0])
    size = sum(len(stored.body or b"") for stored in chain) + sum(len(item.body) for item in before)
    return await off_the_loop(size, partial(_page, before, chain, page))


async def _said_before(request: StatefulRequest, first: Stored) -> list[StoredItem]:
    """What a conversation held when the *first* response of a chain was added to it."""
    if first.conversation is None:
        return []
    try:
        return await request.store.context(request.tenant, first.conversation, request.max_history, first.position)
    except ConversationGone:
        raise state.refusals.no_conversation(f"{state.ids.CONVERSATION}_{first.conversation}") from None


def _page(before: Sequence[StoredItem], chain: Sequence[Stored], page: state.pages.Query) -> dict[str, Any]:
    *pasts, own = [state.records.decode_past(_id_of(stored.key), stored.body or b"") for stored in chain]
    first = state.history.contributed(pasts[0]) if pasts else own.input
    if any(map(state.records.is_compaction, first)):
        before = ()
    said = [state.records.decode_item(item.id, item.body) for item in before]
    inherited: list[Item] = [*state.history.of_conversation(said), *state.history.of_chain(pasts)]
    return state.views.input_items(inherited, own.input, page)


async def _read(request: StatefulRequest, response_id: str, key: str) -> Stored:
    found = await request.store.read(request.tenant, [key])
    if not found:
        raise state.refusals.no_response(response_id)
    return found[0]


def _named(request: StatefulRequest) -> tuple[str, str]:
    """Return the id of the response and its key; an id that was not made here has one that nothing is kept under."""
    response_id = state.ids.checked(request.ids[0], "response_id", f"{state.ids.RESPONSE}_")
    key = state.ids.key_of(response_id)
    return response_id, key if response_id == _id_of(key) else ""


def _id_of(key: str) -> str:
    return f"{state.ids.RESPONSE}_{key}"


def _is_streamed(request: StatefulRequest) -> bool:
    flag = dict(request.query).get("stream") or "false"
    if flag not in _FLAGS:
        raise state.refusals.unsupported("stream", flag, _FLAGS)
    return flag == "true"
