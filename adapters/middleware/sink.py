"""The client of one exchange, whatever it is: a connection, one of several branches, a run that nobody watches."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, TypeVar

from ...translator import Body, TranslationError
from ..asgi.types import Headers

Frame = TypeVar("Frame", contravariant=True)


class ClientGone(OSError):
    """Nobody listens any more (ASGI asks for an OSError)."""


class Sink(Protocol[Frame]):
    """Takes one answer: `open` and `write` for a stream, or one `json`, or one `error`.

    One at a time writes, and the others wait: that is hidden in the verbs. All of them raise ClientGone, or another
    OSError, when nobody listens any more; then ``gone`` is true.
    """

    @property
    def started(self) -> bool:
        """Whether anything has been sent: from then on, errors belong into the stream."""
        ...

    @property
    def gone(self) -> bool:
        """Whether nobody listens any more."""
        ...

    @property
    def done(self) -> bool:
        """Whether all has been sent."""
        ...

    @property
    def busy_since(self) -> float:
        """Since when somebody is writing (monotonic seconds), or 0."""
        ...

    @property
    def sent_at(self) -> float:
        """When something was sent last, in monotonic seconds."""
        ...

    def leave(self) -> None:
        """Nobody listens any more: everybody who writes, or wants to, is told."""

    async def open(self, headers: Headers) -> None:
        """Begin an event stream."""

    async def write(self, frames: Sequence[Frame], more: bool = True) -> None:
        """Send frames; the last ones have *more* false."""

    async def keep_alive(self) -> None:
        """Send what says nothing, so that no proxy closes the connection."""

    async def json(self, body: Body, headers: Headers) -> None:
        """Send a whole answer."""

    async def error(self, error: TranslationError, headers: Headers) -> None:
        """Send an error instead of an answer."""
