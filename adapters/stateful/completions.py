"""Stored chat completions (protocol 6.1)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from ...translator import state
from ..store import Completion, Filter, NoSuchItem
from .request import StatefulRequest, off_the_loop


async def list_completions(request: StatefulRequest) -> dict[str, Any]:
    """`GET /chat/completions`: a page, oldest first unless the client wants it the other way round."""
    query = state.completions.query(request.query)
    page = query.page
    wanted = Filter(query.model, query.metadata, page.after, page.limit + 1, page.descending)
    try:
        found = await request.store.completions(request.tenant, wanted)
    except NoSuchItem:
        raise state.completions.not_found(str(page.after)) from None
    size = sum(state.records.size(each.body) for each in found)
    shown = await off_the_loop(size, partial(_all_shown, found[: page.limit]))
    return state.pages.page(shown, has_more=len(found) > page.limit)


async def retrieve(request: StatefulRequest) -> dict[str, Any]:
    """`GET /chat/completions/{id}`."""
    return _shown(await _read(request))


async def update(request: StatefulRequest) -> dict[str, Any]:
    """`POST /chat/completions/{id}`: replaces the metadata."""
    completion_id = _named(request)
    metadata = state.conversations.new_metadata(request.body)
    if not await request.store.label_completion(request.tenant, completion_id, metadata):
        raise state.completions.not_found(completion_id)
    return _shown(await _read(request))


async def delete(request: StatefulRequest) -> dict[str, Any]:
    """`DELETE /chat/completions/{id}`."""
    completion_id = _named(request)
    if not await request.store.delete_completion(request.tenant, completion_id):
        raise state.completions.not_found(completion_id)
    return state.completions.deleted(completion_id)


async def messages(request: StatefulRequest) -> dict[str, Any]:
    """`GET /chat/completions/{id}/messages`: a page of what the client sent, oldest first."""
    page = state.completions.messages_query(request.query)
    found = await _read(request)
    return state.completions.messages(found.id, state.completions.decode(found.id, found.body), page)


async def _read(request: StatefulRequest) -> Completion:
    completion_id = _named(request)
    found = await request.store.completion(request.tenant, completion_id)
    if found is None:
        raise state.completions.not_found(completion_id)
    return found


def _named(request: StatefulRequest) -> str:
    """Return the id of the completion: any text that is not too long, since upstreams make them."""
    completion_id = request.ids[0]
    if len(completion_id) > state.completions.LONGEST_ID:
        raise state.refusals.too_long("completion_id", state.completions.LONGEST_ID, len(completion_id))
    return completion_id


def _all_shown(completions: Sequence[Completion]) -> list[dict[str, Any]]:
    return [_shown(completion) for completion in completions]


def _shown(completion: Completion) -> dict[str, Any]:
    return state.completions.shown(state.completions.decode(completion.id, completion.body), completion.metadata)
