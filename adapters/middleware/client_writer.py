"""The client's end of one exchange: what was sent already, and one writer at a time."""

from __future__ import annotations

from contextlib import suppress
from time import monotonic

import anyio

from ...translator import TranslationError, encode_json
from ..asgi.types import Headers, Message, Send, send_body, send_error

CLIENT_GONE = 499
"""The status of an answer that nobody waited for."""


class ClientGone(OSError):
    """Nobody listens any more (ASGI asks for an OSError)."""


class Outlet:
    """Writes to the client and remembers what it wrote.

    The application writes through it for every chunk, the watch now and then. The chunks must not pay for that:
    the watch only starts when nobody is *busy*, and while it writes, the application waits for its *turn*.
    """

    def __init__(self, send: Send) -> None:
        self._send = send
        self.turn: anyio.Event | None = None
        self.status = 0
        self.done = False
        self.busy_since = 0.0
        self.gone = False
        self.sent_at = monotonic()

    @property
    def started(self) -> bool:
        """Whether the client has a status line: from then on errors belong into the body."""
        return self.status != 0

    @property
    def busy(self) -> bool:
        """Whether something is being written."""
        return self.busy_since != 0

    async def open(self, status: int, headers: Headers) -> None:
        """Send the status and the headers."""
        await self._head({"type": "http.response.start", "status": status, "headers": headers})

    async def write(self, data: bytes, more: bool = True) -> None:
        """Send one piece of the body; the last one has *more* false."""
        if self.gone:
            raise ClientGone("the client has gone")
        self.done = not more
        send = self._send  # a name of its own is faster than a call through self
        self.busy_since = monotonic()
        try:
            await send({"type": "http.response.body", "body": data, "more_body": more})
        except OSError:
            self.gone = True
            raise
        finally:
            self.busy_since = 0.0
            self.sent_at = monotonic()

    async def json(self, status: int, value: object, headers: Headers) -> None:
        """Send a whole JSON answer."""
        await self.body(status, encode_json(value), headers)

    async def body(self, status: int, body: bytes, headers: Headers) -> None:
        """Send a whole JSON answer that is encoded already."""
        await send_body(self._pass, status, body, headers)

    async def error(self, error: TranslationError, headers: Headers) -> None:
        """Send a whole error."""
        await send_error(self._pass, error, headers)

    async def _pass(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            await self._head(message)
        else:
            await self.write(message["body"], message["more_body"])

    async def _head(self, message: Message) -> None:
        if self.gone:
            raise ClientGone("the client has gone")
        self.status = message["status"]
        self.busy_since = monotonic()
        try:
            await self._send(message)
        except OSError:
            self.gone, self.status = True, 0
            raise
        finally:
            self.busy_since = 0.0

    async def close(self) -> None:
        """End the cycle of a client that left before it had anything.

        Nobody gets that, but some hosts (`BaseHTTPMiddleware`) take it for a fault when nothing is sent at all (W43).
        """
        if self.gone and not self.status:
            with suppress(OSError):
                await send_body(self._send, CLIENT_GONE, b"", [])

    async def free(self) -> None:
        """Wait until the watch has written what it is writing."""
        while self.turn is not None:
            await self.turn.wait()

    def take_turn(self) -> None:
        """Make the others wait in free()."""
        self.turn = anyio.Event()

    def give_turn(self) -> None:
        """Let the others go on."""
        if self.turn is not None:
            self.turn.set()
            self.turn = None
