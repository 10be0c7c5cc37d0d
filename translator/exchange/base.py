"""What both directions share: one call, from the client's request to the end of the answer."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from functools import cached_property
from typing import Any, Protocol

from ..errors import UpstreamError
from ..losses import Report
from ..parts import upstream_errors
from ..profiles import Profile
from ..wire import sse
from . import refusals
from .actions import Body
from .frames import EventStream, FrameStream


class AnswerFastPath(Protocol):
    """A shortcut from the bytes of a finished answer to the client's; None for those that must go the general path."""

    def take(self, data: bytes, /) -> Body | None: ...


class Exchange(ABC):
    """One call. Send ``request`` to the upstream's ``endpoint``; hand what comes back to ``answer``, ``stream`` or
    ``error``. The losses are in ``report``.
    """

    endpoint = ""
    """The path of the translated request, below the upstream's `/v1`."""
    answer_kind = ""
    """What the upstream is expected to answer with, for messages."""

    request: dict[str, Any]
    """The translated request."""
    streaming: bool
    """Whether the client asked for a stream."""
    can_collect_stream: bool = True
    """Whether the ``answer`` of a finished ``stream`` is what ``answer()`` would have returned."""
    copies: int = 1
    """How often to send the request: the other API may not support several choices."""
    manages_context: bool = False
    """Whether a summary may have to come first."""
    to_keep: list[Any] | None = None
    """What a store keeps of the request: resolved input items, or messages; None if nothing is to be kept."""
    kept: bytes = b""
    """The same as JSON, once `RequestBody.translate` has made it."""
    own_id: str = ""
    """The id of the answer, if it is not made from the upstream's."""
    profile: Profile
    report: Report

    @cached_property
    @abstractmethod
    def fast_path(self) -> AnswerFastPath | None:
        """The shortcut for finished answers that are plain, if some are: what ``answer`` returns, encoded."""

    @abstractmethod
    def answer(self, finished: Any) -> dict[str, Any]:
        """Return the finished answer in the caller's dialect; raises UpstreamError."""

    @abstractmethod
    def stream(self, max_line: int = sse.MAX_LINE) -> FrameStream:
        """Return the transducer from the upstream's bytes to the client's frames."""

    @abstractmethod
    def events(self, max_line: int = sse.MAX_LINE) -> EventStream:
        """Return the transducer from the upstream's bytes to the client's events, not encoded."""

    @property
    @abstractmethod
    def caller_path(self) -> Callable[[str], str | None]:
        """A function from a path in the upstream's request to the one in the caller's; None once it is released.

        It holds no reference to the exchange, to avoid a cycle with the reader of the answer.
        """

    def release(self) -> None:
        """Release the request: the upstream has accepted it, and its stream is under way.

        From now on, errors do not name a place in the request.
        """
        self.request = {}
        self.to_keep = None
        self.report.forget()

    def echoed_values(self) -> list[Any]:
        """Return the values of the request that may be repeated in the answer or in the report."""
        return [loss.value for loss in self.report]

    def not_stored(self, answer: dict[str, Any]) -> dict[str, Any]:
        """Return an answer that could not be stored as the client gets it."""
        return answer

    def shortened(self, status: int, body: bytes) -> frozenset[int] | None:
        """Return the places of input items to leave out, if the context is too long and the client allows it."""
        return None

    def summary_request(self, usage_before: Callable[[], dict[str, Any] | None]) -> dict[str, Any] | None:
        """Return the request for a summary that must come first; the usage is that of the answer that it continues."""
        return None

    def error(self, status: int, body: bytes) -> UpstreamError:
        """Return the error in an upstream's HTTP answer, with its path in the caller's dialect (protocol 7.2)."""
        return upstream_errors.with_caller_path(upstream_errors.read(status, body), self.caller_path)

    def learned(self, status: int, body: bytes) -> Profile | None:
        """Return a profile that avoids what the upstream refused; None if nothing was learned."""
        return refusals.learned(self.profile, self.request, status, body)
