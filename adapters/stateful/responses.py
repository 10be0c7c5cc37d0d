"""Stored responses: retrieve, delete, list their input, cancel (protocol 6.1, 6.2)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from ...translator import state
from ..store import ConversationGone, Stored, StoredItem
from .past import history_of, said_before, size_of
from .request import StatefulRequest, off_the_loop

_FLAGS = ("true", "false")


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
    return state.views.retrieved(await off_the_loop(state.records.size(body), decode), include)


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
    chain = await _chain(request, key)
    if not chain:
        raise state.refusals.no_response(response_id)
    for stored in chain:
        if stored.body is None:
            raise state.refusals.no_previous(_id_of(stored.key))
    try:
        said = await said_before(request.store, request.tenant, chain[0], request.max_history)
    except ConversationGone:
        raise state.refusals.no_conversation(f"{state.ids.CONVERSATION}_{chain[0].conversation}") from None
    return await off_the_loop(size_of(chain, said), partial(_page, said, chain, page))


async def _chain(request: StatefulRequest, key: str) -> list[Stored]:
    """A response behind what it was made from; what it compacted itself belongs to that."""
    chain = await request.store.chain(request.tenant, key, request.max_history)
    if len(chain) != 1 or chain[0].body is None:
        return chain
    body = chain[0].body
    decode = partial(state.records.decode_compacted, _id_of(key), body)
    previous = await off_the_loop(state.records.size(body), decode)
    if previous is None:
        return chain
    before = await request.store.chain(request.tenant, state.ids.key_of(previous), request.max_history)
    if not before:
        raise state.refusals.no_previous(previous)
    return [*before, *chain]


def _page(said: Sequence[StoredItem], chain: Sequence[Stored], page: state.pages.Query) -> dict[str, Any]:
    *before, last = chain
    own = state.records.decode_past(_id_of(last.key), last.body or b"").input
    if not before and any(map(state.records.is_compaction, own)):
        said = ()
    return state.views.input_items(history_of(before, said), own, page)


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
