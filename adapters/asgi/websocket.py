"""Refuses WebSockets with a 426, on which clients fall back to POST at once."""

from __future__ import annotations

from collections.abc import Iterable

from ...translator import RequestError, TranslationError
from .types import Message, Receive, Scope, Send, header, send_error

_UPGRADE = [(b"upgrade", b"HTTP/1.1"), (b"connection", b"upgrade")]


def is_websocket(scope: Scope) -> bool:
    """Whether a client wants a WebSocket; a server without support for them passes it on as a GET."""
    if scope["type"] == "http":
        return header(scope, b"upgrade").lower() == b"websocket"
    return scope["type"] == "websocket"


async def refuse(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer 426; if the server cannot answer a WebSocket with a status, close it."""
    refusal = RequestError("WebSockets are not supported here; use POST.", code="websockets_unsupported", status=426)
    await deny(scope, receive, send, refusal, _UPGRADE if scope["type"] == "http" else ())


async def deny(
    scope: Scope, receive: Receive, send: Send, error: TranslationError, headers: Iterable[tuple[bytes, bytes]] = ()
) -> None:
    """Answer with an error, also a WebSocket that is not open yet; if the server cannot do that, close it."""
    if scope["type"] == "http":
        await send_error(send, error, headers)
        return
    await receive()
    if "websocket.http.response" not in (scope.get("extensions") or {}):
        await send({"type": "websocket.close", "code": 1000})
        return

    async def send_http(message: Message) -> None:
        await send({**message, "type": f"websocket.{message['type']}"})

    await send_error(send_http, error, headers)
