"""A request of our own to an upstream's application: a GET with the credentials of a client."""

from __future__ import annotations

from typing import Any, NamedTuple
from urllib.parse import quote

import anyio

from ...translator import decode_json
from ..asgi.types import ABOUT_THE_BODY, App, Message, Scope, without
from ..limits import Limits
from .failure import Failure, failure_of

_REPLACED = ABOUT_THE_BODY | {b"accept", b"accept-encoding", b"if-none-match", b"if-modified-since", b"range"}


class Reply(NamedTuple):
    """The answer."""

    status: int
    """504 if there was none in time."""
    body: bytes
    failure: Failure | None = None
    """Why the status is not the upstream's own."""

    @property
    def json(self) -> Any:
        """The body; None if it is no JSON."""
        try:
            return decode_json(self.body)
        except ValueError:
            return None


async def get(app: App, scope: Scope, path: str, limits: Limits) -> Reply:
    """Return what *app* answers to `GET path`; *scope* is that of a client, whose headers it gets."""
    status, body, ended = 0, bytearray(), anyio.Event()
    request: list[Message] = [{"type": "http.request", "body": b"", "more_body": False}]

    async def receive() -> Message:
        if request:
            return request.pop()
        await ended.wait()
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        nonlocal status
        if message["type"] == "http.response.start":
            status = message["status"]
        else:
            body.extend(message.get("body", b"")[: limits.max_answer - len(body)])
            if not message.get("more_body"):
                ended.set()

    headers = [
        *without(scope["headers"], _REPLACED),
        (b"accept", b"application/json"),
        (b"accept-encoding", b"identity"),
    ]
    asking = {**scope, "method": "GET", "path": path, "raw_path": quote(path).encode(), "query_string": b""}
    asking |= {"headers": headers, "extensions": {}}
    failure = None
    with anyio.move_on_after(limits.probe):
        try:
            await app(asking, receive, send)
        except Exception:  # it broke off its answer
            status, failure = 502, Failure("upstream_disconnected", "")
    if not ended.is_set() and status < 300:
        status, failure = 504, Failure("upstream_timeout", "")
    return Reply(status, bytes(body), failure_of(asking) or failure)
