"""What changes in the ring, as server-sent events for one viewer."""

from __future__ import annotations

from time import monotonic
from typing import Any

import anyio

from ...translator import encode_json
from ..asgi.types import Message, Receive, Scope, Send
from ..observe.detail import summary
from ..observe.ring import Ring

PAUSE = 0.25
"""Seconds between two messages: what happens meanwhile is in the next one."""
LIFETIME = 5.0
"""Seconds after which a feed ends and the page asks for another one: a server that stops does not wait for longer."""
MAX_VIEWERS = 200


class Feed:
    """Sends viewers what changed.

    Nothing waits in a queue: a viewer that is slow gets the present state of what has changed since it last listened.
    """

    def __init__(self, ring: Ring) -> None:
        self.viewers: int = 0
        self._ring = ring
        self._looked_at = 0.0

    async def serve(self, scope: Scope, receive: Receive, send: Send, headers: dict[str, str], after: int) -> None:
        """Send what changed after the revision *after*, for a while."""
        self.viewers += 1
        try:
            with anyio.move_on_after(2 * LIFETIME):  # a viewer that does not read at all
                await send(_head(headers))
                await self._send_changes(send, after)
        except OSError:  # it has left
            pass
        finally:
            self.viewers -= 1

    async def _send_changes(self, send: Send, after: int) -> None:
        ring, end = self._ring, monotonic() + LIFETIME
        is_first = True
        while True:
            ring.look(self._is_due)
            is_last = monotonic() > end
            if is_first or ring.revision != after:
                message = self._message(after)
                after, is_first = ring.revision, False
                await send(_body(b"data: %b\n\n" % encode_json(message)))
            if is_last:
                await send(_body(b"", more=False))
                return
            await anyio.sleep(PAUSE)

    def _message(self, after: int) -> dict[str, Any]:
        ring = self._ring
        changed = [summary(exchange) for exchange in ring.changed_since(after)]
        return {"revision": ring.revision, "oldest": ring.oldest, "exchanges": changed}

    def _is_due(self) -> bool:
        """Whether it is time to look again, for all viewers together."""
        now = monotonic()
        if now - self._looked_at < PAUSE / 2:
            return False
        self._looked_at = now
        return True


def _head(headers: dict[str, str]) -> Message:
    named = {**headers, "content-type": "text/event-stream; charset=utf-8", "x-accel-buffering": "no"}
    return {
        "type": "http.response.start",
        "status": 200,
        "headers": [(name.encode(), value.encode()) for name, value in named.items()],
    }


def _body(data: bytes, more: bool = True) -> Message:
    return {"type": "http.response.body", "body": data, "more_body": more}
