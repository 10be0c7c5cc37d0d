"""Websockets are refused, in the one way that clients understand at once: 426, and they go on with POST."""

from __future__ import annotations

from ..translator import BadRequest
from .asgi_types import Message, Receive, Scope, Send, header, send_error

_UPGRADE = [(b"upgrade", b"HTTP/1.1"), (b"connection", b"upgrade")]


def is_websocket(scope: Scope) -> bool:
    """Whether a client wants a websocket; a server without support for them hands it on as a GET."""
    if scope["type"] == "http":
        return header(scope, b"upgrade").lower() == b"websocket"
    return scope["type"] == "websocket"


async def refuse(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer 426; where a server cannot do that to a websocket, close it."""
    refusal = BadRequest("There are no websockets here; use POST.", code="websockets_unsupported", status=426)
    if scope["type"] == "http":
        await send_error(send, refusal, _UPGRADE)
        return
    await receive()
    if "websocket.http.response" not in (scope.get("extensions") or {}):
        await send({"type": "websocket.close", "code": 1000})
        return

    async def send_http(message: Message) -> None:
        await send({**message, "type": f"websocket.{message['type']}"})

    await send_error(send_http, refusal)
