"""Which turn a request is, or that it is none."""

from __future__ import annotations

from typing import Any

from ...translator import Seals, state
from ..asgi.types import Scope
from .chat_turn import ChatTurn
from .failures import in_time
from .keeper import Keeper
from .responses_turn import ResponsesTurn
from .turn import Turn

_CHAT, _RESPONSES = "/chat/completions", "/responses"


def seals_alone(keeper: Keeper, scope: Scope, endpoint: str, body: dict[str, Any]) -> Seals | None:
    """Return what seals for a request that has nothing to do with the store: it pays for nothing else.

    None if it is for `turn_of`.
    """
    is_apart = not body.get("store") if endpoint == _CHAT else state.needs.are_none(body)
    return keeper.seals_at_once(scope) if is_apart or not keeper.has_store else None


async def turn_of(keeper: Keeper, scope: Scope, endpoint: str, body: dict[str, Any]) -> Turn:
    """Return the turn that a request to *endpoint* is; raises RequestError (also 401) and StoreError."""
    with in_time():
        session = await keeper.begin()
    tenant = await session.tenant_of(scope)
    seals, store, leases = session.seals(tenant), session.store, session.leases
    if store is None or leases is None:
        return Turn(seals)
    if endpoint == _CHAT:
        is_kept = state.needs.stores(body) and body.get("store") is not None
        return ChatTurn(store, tenant.key, seals, keeper.limits, body) if is_kept else Turn(seals)
    needs, stores = state.needs.of(body), endpoint == _RESPONSES and state.needs.stores(body)
    if not (stores or needs.anything):
        return Turn(seals)
    if stores:
        state.conversations.metadata(body)  # what is kept has bounds
    return ResponsesTurn(store, tenant.key, seals, keeper.limits, needs, leases=leases, stores=stores)
