"""Refuses what no transport can do, in words that say what to do instead: stored state, and WebSockets."""

from __future__ import annotations

import re

from ...translator import RequestError
from ..asgi.types import Scope
from ..asgi.websocket import is_websocket
from ..stateful.routes import BEGINNINGS, target_of

_BELOW_BASE = re.compile(rf".*?((?:{'|'.join(sum(BEGINNINGS.values(), ()))})(?:/.*)?)", re.S)
_TOKEN_COUNT = "/responses/input_tokens"


def refusal(scope: Scope, upstream_api: str) -> RequestError | None:
    """Return the error for a request that needs what there is only behind a server; None for all others."""
    match = _BELOW_BASE.fullmatch(scope["path"])
    if match is None:
        return None
    below = match[1].rstrip("/")
    if is_websocket(scope):
        message = "WebSockets are not supported by a transport; use POST."
        return RequestError(message, code="websockets_unsupported", status=426)
    if below == _TOKEN_COUNT and upstream_api == "chat":
        return _missing(
            "Tokens cannot be counted: the upstream implements Chat Completions, which has no such endpoint."
        )
    target = target_of(below, scope["method"])
    if target is None or target.route.api == upstream_api:
        return None
    return _missing(
        f"{scope['method']} {target.route.path} needs stored state, and a transport stores nothing: send the whole "
        "conversation with each request, or use `diglot serve --store`."
    )


def _missing(message: str) -> RequestError:
    return RequestError(message, code="not_found", status=404)
