"""The end of what passes through and is ended here, when the server stops: an error, not a mere cut.

Translated answers end by themselves (`client_writer`). An error is added only where it will be read as one: to events
that are not compressed, whose length nobody has promised.
"""

from __future__ import annotations

from collections.abc import Iterable

import anyio

from ...translator import UpstreamError, encode_json
from ..asgi.types import Scope, Send, connection_close, send_error
from . import diagnostics
from .routes import ENDPOINTS, endpoint_of_path

_PATIENCE = 1.0
_EVENTS = b"text/event-stream"
_STOPPED = UpstreamError("The server was stopped before the answer ended.", code="server_stopped", status=503)


def can_add(headers: Iterable[tuple[bytes, bytes]]) -> bool:
    """Whether an event can be added to an answer with these headers."""
    found = {bytes(name).lower(): bytes(value) for name, value in headers}
    is_plain = found.get(b"content-encoding", b"identity") == b"identity" and b"content-length" not in found
    return is_plain and found.get(b"content-type", b"").lower().startswith(_EVENTS)


def last_event(path: str) -> bytes:
    """Return the error as the clients of an endpoint know it; an event that was cut before it is nothing."""
    if endpoint_of_path(path) in (None, ENDPOINTS["chat"]):
        return b"\n\ndata: %b\n\n" % encode_json(_STOPPED.body())
    event = {"type": "error", "code": _STOPPED.code, "message": _STOPPED.message, "param": None}
    return b"\n\nevent: error\ndata: %b\n\n" % encode_json(event)


async def end(scope: Scope, headers: Iterable[tuple[bytes, bytes]], send: Send) -> None:
    """End a stream that has begun, although its task was cancelled."""
    if not can_add(headers):
        return
    with anyio.CancelScope(shield=True), anyio.move_on_after(_PATIENCE):
        await send({"type": "http.response.body", "body": last_event(scope["path"]), "more_body": False})


async def refuse(scope: Scope, send: Send) -> None:
    """Answer a request that has no answer yet, although its task was cancelled."""
    with anyio.CancelScope(shield=True), anyio.move_on_after(_PATIENCE):
        await send_error(send, diagnostics.shutting_down(), connection_close(scope))
