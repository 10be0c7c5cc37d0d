"""The access log: one line for every request; translated requests write their own."""

from __future__ import annotations

import logging
from time import monotonic
from typing import Any

import anyio

from ..asgi.trace_headers import (
    answer_with_request_id,
    new_request_id,
    request_id_of,
    trace_id_of,
    with_request_id,
)
from ..asgi.types import CLIENT_GONE, KEY_NAME, App, Headers, Message, Receive, Scope, Send
from . import endings
from .notes import Handled, Notes, notes_of, with_notes
from .observers import observers
from .record import MAX_TEXT

_log = logging.getLogger("diglot.access")


def mark(scope: Scope, handled: Handled, level: int = logging.INFO) -> None:
    """Note how a request is handled: passed through, translated, or answered here."""
    notes = notes_of(scope)
    if notes is not None:
        notes.handled, notes.level = handled, level
    for observer in observers(scope):
        observer.handled(handled)


class AccessLog:
    """Logs every request that *app* has not translated, and gives each an id, which both sides get.

    What passes through it ends, when the server stops.
    """

    def __init__(self, app: App) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        notes = Notes()
        request_id = notes.request_id = request_id_of(scope["headers"]) or new_request_id()
        notes.trace_id = trace_id_of(scope)

        headers: Headers = []

        async def observe(message: Message) -> None:
            nonlocal headers
            if message["type"] == "http.response.body":  # first, because each chunk of a stream comes through here
                notes.complete = not message.get("more_body")
            elif "status" in message:
                notes.status = message["status"]
                message = answer_with_request_id(message, request_id)
                headers = message["headers"]
            await send(message)

        inner = {**with_notes(scope, notes), "headers": with_request_id(scope["headers"], request_id)}
        try:
            await self._app(inner, receive, observe)
        except anyio.get_cancelled_exc_class():
            if not notes.status:
                await endings.refuse(inner, observe)
            elif notes.handled == "passed" and not notes.complete:
                await endings.end(scope, headers, send)
            raise
        finally:
            if notes.handled != "translated" and _log.isEnabledFor(notes.level):
                self._write(notes, inner, monotonic() - notes.began)

    def _write(self, notes: Notes, scope: Scope, duration: float) -> None:
        fields: dict[str, Any] = {
            "handled": notes.handled,
            "method": scope.get("method", "WEBSOCKET")[:MAX_TEXT],
            "path": scope["path"][:MAX_TEXT],
            "status": notes.status or CLIENT_GONE,
            "duration_ms": round(duration * 1000, 1),
            "complete": notes.complete,
            **notes.fields(),
            **({"key": scope[KEY_NAME]} if KEY_NAME in scope else {}),
        }
        _log.log(
            notes.level, "%s %s %d", fields["method"], fields["path"], fields["status"], extra={"exchange": fields}
        )
