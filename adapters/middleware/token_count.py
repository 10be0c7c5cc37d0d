"""`POST /responses/input_tokens`: how many tokens a request would have, its history included."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import Any

import anyio

from ...translator import Profile, Report, ServeResponses, state
from ..asgi.types import MODEL_ROUTE, App, Headers, Receive, Scope, Send
from ..ids import new_id
from ..stateful import counting, endpoints
from ..stateful.keeper import Keeper
from ..stateful.turns import turn_of
from .routes import TOKEN_COUNT


async def serve(
    keeper: Keeper, app: App, profile_for: Callable[[object], Profile], scope: Scope, receive: Receive, send: Send
) -> None:
    """Answer a request for a count; *app* is the upstream's application."""

    async def make(body: dict[str, Any]) -> tuple[dict[str, Any], Headers]:
        return counting.answer(await _count(keeper, app, profile_for(body.get("model")), scope, body))

    await endpoints.reply(make, scope, receive, send, keeper.limits)


async def _count(keeper: Keeper, app: App, profile: Profile, scope: Scope, body: dict[str, Any]) -> state.tokens.Count:
    """Count what the request stands for; what the last response of a chain has used is a better start than a guess."""
    wanted = state.tokens.request_to_count(body, profile, Report())
    turn = await turn_of(keeper, scope, TOKEN_COUNT, wanted)
    await turn.load()
    if (route := scope.get(MODEL_ROUTE)) is not None:
        wanted["model"] = route.model
    make = partial(ServeResponses, wanted, profile=profile, new_id=new_id, clock=time.time, **turn.options)
    exchange = await anyio.to_thread.run_sync(make)
    count = await counting.count(app, scope, exchange.request, profile, keeper.limits)
    usage = turn.usage_before() if count.way == "estimate" else None
    if usage is None:
        return count
    own = wanted["input"]
    added = own if isinstance(own, list) else [{"role": "user", "content": own}]
    return state.tokens.estimate_after(usage, added) or count
