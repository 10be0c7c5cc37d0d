"""A summary in front of an answer (`context_management`): a request of its own, of which the client sees no answer."""

from __future__ import annotations

from collections.abc import Sequence
from time import monotonic
from typing import Any

from ...translator import Body, Summary, TranslationError
from ..asgi.answer_headers import STREAM_HEADERS
from ..asgi.types import Headers
from .sink import ClientGone, Sink

Event = dict[str, Any]


def summary_in(answer: dict[str, Any]) -> Summary | None:
    """Return the summary that an answer consists of; None if there is none, or it is not whole."""
    output = answer.get("output") or [{}]
    is_whole = answer.get("status") == "completed" and output[-1].get("type") == "compaction"
    return Summary(output[-1], answer.get("usage")) if is_whole else None


class SummarySink:
    """Takes the summary for the *client*, whose connection is kept alive meanwhile."""

    def __init__(self, client: Sink[Any]) -> None:
        self.started: bool = False
        self.done: bool = False
        self.busy_since: float = 0.0
        self.sent_at: float = monotonic()
        self._client = client

    @property
    def gone(self) -> bool:
        """Whether the client has disconnected."""
        return self._client.gone

    def leave(self) -> None:
        """The client has disconnected."""
        self._client.leave()

    async def open(self, headers: Headers, frames: Sequence[Event], more: bool = True) -> None:
        """Take the beginning of a stream."""
        self.started = True
        await self.write(frames, more)

    async def write(self, frames: Sequence[Event], more: bool = True) -> None:
        """Take events: what counts is the answer that they make."""
        if self.gone:
            raise ClientGone("the client has disconnected")
        self.done, self.sent_at = not more, monotonic()

    async def keep_alive(self) -> None:
        """Keep the client's connection alive, if it waits for a stream."""
        if not self._client.started:
            await self._client.open(STREAM_HEADERS, [])
        await self._client.keep_alive()
        self.sent_at = monotonic()

    async def json(self, body: Body, headers: Headers) -> None:
        """Take a whole summary."""
        self.started = self.done = True

    async def error(self, error: TranslationError, headers: Headers) -> None:
        """There will be no summary."""
        self.started = self.done = True
