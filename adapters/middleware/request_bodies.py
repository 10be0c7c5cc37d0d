"""The body of one request, as received and as sent, kept until the upstream accepts it."""

from __future__ import annotations

from collections.abc import Sequence

import anyio

from ...translator import Buffer, RequestBody

_RECORDED_FIELDS = ("model", "stream")


class RequestBodies:
    """What the client sent, and what the upstream is sent for it."""

    def __init__(self) -> None:
        self.received: RequestBody = RequestBody({})
        self.request: Sequence[Buffer] = ()

    def take(self, received: RequestBody, encoded: Sequence[Buffer] = ()) -> None:
        """Take the client's request, and bytes that its translation may equal."""
        self.received, self.request = received, encoded

    def send(self, request: Sequence[Buffer]) -> None:
        """Note what goes to the upstream: of bytes that are there already, no second copy is kept."""
        if request != self.request:
            self.request = request

    def release(self) -> None:
        """Keep only what the record of the exchange needs."""
        body = self.received.body
        self.received, self.request = RequestBody({name: body[name] for name in _RECORDED_FIELDS if name in body}), ()

    async def check(self) -> None:
        """Raise RequestError if payloads that were not decoded are not valid JSON strings."""
        if self.received.is_large:
            await anyio.to_thread.run_sync(self.received.check)
        else:
            self.received.check()
