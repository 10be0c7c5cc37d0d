"""Which turn a request is, and what its client is told when that fails."""

from __future__ import annotations

import logging
from typing import Any

from ...translator import TranslationError, state
from ..asgi.types import Headers, Scope
from ..store import StoreError
from .chat_turn import ChatTurn
from .keeper import Keeper
from .responses_turn import ResponsesTurn
from .turn import Turn

_log = logging.getLogger("diglot")
_CHAT, _RESPONSES = "/chat/completions", "/responses"
_SOON: Headers = [(b"retry-after", b"1")]
_LOCKED: Headers = [(b"x-should-retry", b"true"), *_SOON]
"""What makes both SDKs try again after a 400 (protocol 9.E)."""


async def turn_of(keeper: Keeper, scope: Scope, endpoint: str, body: dict[str, Any]) -> Turn:
    """Return the turn that a request to *endpoint* is; raises RequestError (also 401) and StoreError."""
    session = await keeper.begin()
    tenant = await session.tenant_of(scope)
    seals, store = session.seals(tenant), session.store
    if store is None:
        return Turn(seals)
    if endpoint == _CHAT:
        is_kept = state.needs.stores(body) and body.get("store") is not None
        return ChatTurn(store, tenant.key, seals, keeper.limits, body) if is_kept else Turn(seals)
    needs, stores = state.needs.of(body), endpoint == _RESPONSES and state.needs.stores(body)
    if not (stores or needs.anything):
        return Turn(seals)
    return ResponsesTurn(store, tenant.key, seals, keeper.limits, needs, process=keeper.process, stores=stores)


def refusal(error: Exception) -> tuple[TranslationError, Headers]:
    """Return the error and the headers for a client whose request the store could not serve."""
    if isinstance(error, state.records.DamagedRecord):
        _log.error("%s", error)
        return error, []
    if isinstance(error, TranslationError):
        return error, _LOCKED if error.code == "conversation_locked" else []
    if isinstance(error, StoreError):
        _log.error("The store could not be read: %s", error)
    return TranslationError("The store cannot be reached. Try again.", code="store_unavailable", status=503), _SOON
