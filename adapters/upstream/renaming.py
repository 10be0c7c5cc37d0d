"""Requests that pass through untranslated under another name of their model, and their answers under the first one."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import anyio

from ...translator import Buffer, RequestBody, RequestError, decode_json, encode_json
from ..asgi.types import (
    ABOUT_THE_BODY,
    DECODED_BODY,
    MODEL_ROUTE,
    App,
    Message,
    Receive,
    Scope,
    Send,
    beginning_with,
    send_error,
)
from ..limits import Limits
from .model_lines import ModelLines

if TYPE_CHECKING:
    from ..middleware.model_route import ModelRoute

_LARGE = 2**20
"""The size in bytes from which work on a body belongs in a thread."""
_REPLACED = frozenset({b"content-length", b"content-encoding", b"content-md5", b"content-digest", b"digest"})
_ABOUT_THE_ANSWER = ABOUT_THE_BODY - {b"content-type"}


class Renaming:
    """The application in front of *app*, an upstream: translated requests have the right name already."""

    def __init__(self, app: App, limits: Limits) -> None:
        self._app = app
        self._limits = limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        route: ModelRoute | None = scope.get(MODEL_ROUTE)
        if route is None or not route.asked:
            await self._app(scope, receive, send)
            return
        message = await receive()
        decoded: RequestBody | None = message.get(DECODED_BODY)
        if decoded is None:
            await self._app(scope, beginning_with([message], receive), send)
            return
        try:
            scope, message = await _renamed(route, decoded, scope, message)
        except RequestError as error:
            await send_error(send, error)
            return
        answer = _Answer(route.asked, self._limits, send)
        del decoded
        await self._app(scope, beginning_with([message], receive), answer.take)


async def _renamed(route: ModelRoute, decoded: RequestBody, scope: Scope, message: Message) -> tuple[Scope, Message]:
    """Return a request with the name at the upstream; its answer must not be compressed. Raises RequestError."""
    headers = [pair for pair in scope["headers"] if pair[0] != b"accept-encoding"]
    headers.append((b"accept-encoding", b"identity"))
    if route.model == route.asked:
        return {**scope, "headers": headers}, {**message, DECODED_BODY: None}
    replace = partial(_replaced, decoded, route.model)
    body = await anyio.to_thread.run_sync(replace) if decoded.is_large else replace()
    headers = [pair for pair in headers if pair[0] not in _REPLACED]
    headers.append((b"content-length", b"%d" % len(body)))
    return {**scope, "headers": headers}, {"type": "http.request", "body": body, "more_body": False}


def _replaced(decoded: RequestBody, model: str) -> bytes:
    pieces: Sequence[Buffer] = decoded.replaced(model=model)
    return b"".join(pieces)


class _Answer:
    """An answer on its way to the client, who *asked* for the model under this name."""

    def __init__(self, asked: str, limits: Limits, send: Send) -> None:
        self._asked = asked
        self._limits = limits
        self._send = send
        self._lines: ModelLines | None = None
        self._held: list[Message] = []
        self._size = 0

    async def take(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            await self._start(message)
        elif self._lines is not None:
            data, more = self._lines.feed(message.get("body", b"")), message.get("more_body", False)
            if data or not more:
                await self._send({**message, "body": data if more else data + self._lines.finish()})
        elif self._held:
            await self._collect(message)
        else:
            await self._send(message)

    async def _start(self, message: Message) -> None:
        headers = {bytes(name).lower(): bytes(value) for name, value in message.get("headers", ())}
        kind = headers.get(b"content-type", b"").partition(b";")[0].strip().lower()
        is_plain = 200 <= message["status"] < 300 and headers.get(b"content-encoding", b"identity") == b"identity"
        if is_plain and kind == b"text/event-stream":
            self._lines = ModelLines(self._asked, self._limits.max_line)
            message = _without_length(message)
        elif is_plain and kind == b"application/json":
            self._held = [message]
            return
        await self._send(message)

    async def _collect(self, message: Message) -> None:
        """Hold an answer back until it is whole; one that is too large goes through as it is."""
        self._held.append(message)
        self._size += len(message.get("body", b""))
        if self._size <= self._limits.max_answer and message.get("more_body"):
            return
        held, self._held = self._held, []
        if self._size <= self._limits.max_answer:
            held = await self._named(held)
        for each in held:
            await self._send(each)

    async def _named(self, held: list[Message]) -> list[Message]:
        start, *pieces = held
        data = b"".join(piece.get("body", b"") for piece in pieces)
        name = partial(_with_name, data, self._asked)
        body = await anyio.to_thread.run_sync(name) if len(data) > _LARGE else name()
        if body is None:
            return held
        start = _without_length(start)
        start["headers"].append((b"content-length", b"%d" % len(body)))
        return [start, {"type": "http.response.body", "body": body, "more_body": False}]


def _without_length(start: Message) -> Message:
    headers = [pair for pair in start.get("headers", ()) if bytes(pair[0]).lower() not in _ABOUT_THE_ANSWER]
    return {**start, "headers": headers}


def _with_name(data: bytes, asked: str) -> bytes | None:
    """Return a finished answer with the name that was asked for; None if it names no other."""
    try:
        value: Any = decode_json(data)
        if isinstance(value, dict) and isinstance(value.get("model"), str) and value["model"] != asked:
            return encode_json({**value, "model": asked})
    except (ValueError, RecursionError):
        pass
    return None
