"""A request that can be read again, as long as nobody has begun to answer it."""

from __future__ import annotations

import anyio

from ..asgi.types import Message, Receive

_A_MOMENT = 0.001  # some hosts take a turn of the loop to say so


class RepeatableRequest:
    """Keeps what was read of a request until `forget`; `rewind` begins again."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._messages: list[Message] = []
        self._next = 0
        self._keeps = True
        self._gone = False

    async def receive(self) -> Message:
        """Return the next message, which may have been read before."""
        if self._next < len(self._messages):
            message = self._messages[self._next]
            self._next += 1
            return message
        message = await self._receive()
        self._note(message)
        return message

    def _note(self, message: Message) -> None:
        if message["type"] == "http.disconnect":
            self._gone = True
        elif self._keeps:
            self._messages.append(message)
            self._next = len(self._messages)

    def rewind(self) -> None:
        """Begin again with the first message."""
        self._next = 0

    def forget(self) -> None:
        """Keep nothing: it will not be read again."""
        self._keeps = False
        self._messages = []
        self._next = 0

    async def is_gone(self) -> bool:
        """Whether the client has disconnected by now."""
        with anyio.move_on_after(_A_MOMENT):
            while not self._gone:
                self._note(await self._receive())
        return self._gone
