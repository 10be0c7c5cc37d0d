"""The access log: one line for every request; translated requests write their own."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from time import monotonic
from typing import Any, Literal

import anyio

from ..asgi.types import CLIENT_GONE, KEY_NAME, App, Message, Receive, Scope, Send
from . import endings
from .observers import observers
from .record import MAX_TEXT

_log = logging.getLogger("diglot.access")
_KEY = "diglot.access"

Handled = Literal["passed", "translated", "here"]


class _Access:
    """What happened to one request."""

    handled: Handled = "here"
    level = logging.INFO
    status = 0
    complete = False
    headers: Iterable[tuple[bytes, bytes]] = ()


def mark(scope: Scope, handled: Handled, level: int = logging.INFO) -> None:
    """Note how a request is handled: passed through, translated, or answered here."""
    access: _Access | None = scope.get(_KEY)
    if access is not None:
        access.handled, access.level = handled, level
    for observer in observers(scope):
        observer.handled(handled)


class AccessLog:
    """Logs every request that *app* has not translated. Streams that pass through it ends, when the server stops."""

    def __init__(self, app: App) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        access = scope[_KEY] = _Access()
        began = monotonic()

        async def observe(message: Message) -> None:
            if message["type"] == "http.response.body":  # first, because each chunk of a stream comes through here
                access.complete = not message.get("more_body")
            elif "status" in message:
                access.status, access.headers = message["status"], message.get("headers", ())
            await send(message)

        try:
            await self._app(scope, receive, observe)
        except anyio.get_cancelled_exc_class():
            if access.handled == "passed" and access.status and not access.complete:
                await endings.end(scope, access.headers, send)
            raise
        finally:
            if access.handled != "translated" and _log.isEnabledFor(access.level):
                self._write(access, scope, monotonic() - began)

    def _write(self, access: _Access, scope: Scope, duration: float) -> None:
        fields: dict[str, Any] = {
            "handled": access.handled,
            "method": scope.get("method", "WEBSOCKET")[:MAX_TEXT],
            "path": scope["path"][:MAX_TEXT],
            "status": access.status or CLIENT_GONE,
            "duration_ms": round(duration * 1000, 1),
            "complete": access.complete,
            **({"key": scope[KEY_NAME]} if KEY_NAME in scope else {}),
        }
        _log.log(
            access.level, "%s %s %d", fields["method"], fields["path"], fields["status"], extra={"exchange": fields}
        )
