"""The tap: two ASGI wrappers, around the middleware and around each call of the upstream, which fill the ring.

The outer one puts an observer into the scope; the middleware asks it for the inner one.
"""

from __future__ import annotations

from collections.abc import Awaitable
from time import monotonic

from ..asgi.types import App, Message, Receive, Scope, Send
from ..middleware.observers import with_observer
from ..middleware.record import Record
from .ring import Exchange, KeptBody, Ring, Side


class Tap:
    """Keeps both wires of what clients post to *app*, somewhere behind which is a `TranslationMiddleware`."""

    def __init__(self, app: App, ring: Ring) -> None:
        self._app, self._ring = app, ring

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http" or scope["method"] != "POST":
            await self._app(scope, receive, send)
            return
        ring = self._ring
        exchange = ring.begin(scope["method"], scope["path"], scope.get("query_string", b""), scope["headers"])
        client = exchange.client
        try:
            await self._app(
                with_observer(scope, _Watching(exchange, ring)),
                _receive(receive, client.request, exchange),
                _send(send, client),
            )
        finally:
            ring.end(exchange)


class _Watching:
    """The observer of one exchange."""

    def __init__(self, exchange: Exchange, ring: Ring) -> None:
        self._exchange, self._ring = exchange, ring

    def around(self, app: App) -> App:
        """Return *app* so that what it gets and sends is kept."""
        exchange, ring = self._exchange, self._ring

        async def tapped(scope: Scope, receive: Receive, send: Send) -> None:
            side = ring.attempt(exchange, scope["path"], scope["headers"])
            if side is None:
                await app(scope, receive, send)
                return
            try:
                await app(scope, _receive(receive, side.request, exchange), _send(send, side))
            except Exception as error:
                side.error = f"{type(error).__name__}: {error}"
                raise
            finally:
                side.ended = monotonic()

        return tapped

    def handled(self, how: str) -> None:
        """Note how the request is handled."""
        self._exchange.handled = how

    def finished(self, record: Record) -> None:
        """Keep the record."""
        self._ring.record(self._exchange, record)


def _receive(receive: Receive, body: KeptBody, exchange: Exchange) -> Receive:
    take = body.take

    async def received() -> Message:
        message = await receive()
        if message["type"] == "http.request":
            if data := message.get("body"):
                take(data)
            if not message.get("more_body"):
                body.clean(exchange.redaction)
        return message

    return received


def _send(send: Send, side: Side) -> Send:
    """Return a *send* that keeps what goes through. It is no coroutine itself: each chunk would pay for that."""
    take = side.answer.take

    def sent(message: Message) -> Awaitable[None]:
        if data := message.get("body"):
            take(data)
        elif message["type"] == "http.response.start":
            side.start_answer(message["status"], message.get("headers", ()))
        return send(message)

    return sent
