"""The client of one exchange as a protocol: a connection, or one of several branches."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, TypeVar

from ...translator import Body, TranslationError
from ..asgi.types import Headers

Frame = TypeVar("Frame", contravariant=True)


class ClientGone(OSError):
    """The client has disconnected (ASGI asks for an OSError)."""


class Sink(Protocol[Frame]):
    """Takes one answer: `open` and `write` for a stream, or one `json`, or one `error`.

    Calls take turns: a second writer waits inside the method. All of them raise ClientGone, or another OSError, when
    the client has disconnected; then ``gone`` is true.
    """

    @property
    def started(self) -> bool:
        """Whether anything has been sent: from then on, errors go into the stream."""
        ...

    @property
    def gone(self) -> bool:
        """Whether the client has disconnected."""
        ...

    @property
    def done(self) -> bool:
        """Whether everything has been sent."""
        ...

    @property
    def busy_since(self) -> float:
        """Since when a write has been running (monotonic seconds), or 0."""
        ...

    @property
    def sent_at(self) -> float:
        """When something was last sent, in monotonic seconds."""
        ...

    def leave(self) -> None:
        """The client has disconnected: current and later writers get an error."""

    async def open(self, headers: Headers, frames: Sequence[Frame], more: bool = True) -> None:
        """Begin an event stream with its first frames."""

    async def write(self, frames: Sequence[Frame], more: bool = True) -> None:
        """Send frames; the last ones have *more* false."""

    async def keep_alive(self) -> None:
        """Send a comment, so that no proxy closes the connection."""

    async def json(self, body: Body, headers: Headers) -> None:
        """Send a whole answer."""

    async def error(self, error: TranslationError, headers: Headers) -> None:
        """Send an error instead of an answer."""
