"""What both directions have in common: one call, from the client's request to the end of the answer."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

from ..errors import UpstreamError
from ..losses import Report
from ..parts import upstream_errors
from ..profiles import Profile
from ..wire import sse
from . import refusals
from .frames import EventStream, FrameStream


class Exchange(ABC):
    """One call. ``request`` goes to the upstream's ``endpoint``; what comes back goes to ``answer``, ``stream`` or
    ``error``. What was lost is in ``report``.
    """

    endpoint = ""
    """Where the upstream takes the translated request, below its `/v1`."""
    answer_kind = ""
    """What the upstream answers with, in words for people."""

    request: dict[str, Any]
    """The translated request."""
    streaming: bool
    """Whether the client asked for a stream."""
    can_collect_stream: bool = True
    """Whether the ``answer`` of a finished ``stream`` is what ``answer()`` would have returned."""
    copies: int = 1
    """How often the request is to be sent: the other API may have no word for several choices."""
    profile: Profile
    report: Report

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
        """What returns the place in the caller's request for a place in the upstream's; None if nobody knows any more.

        It holds no exchange: what reads an answer has it, and is had by an exchange.
        """

    def release(self) -> None:
        """Let go of the request: the upstream has accepted it, and its stream is under way.

        An error that names a place in the request names none from now on.
        """
        self.request = {}
        self.report.forget()

    def echoed_values(self) -> list[Any]:
        """Return what of the request may be seen again: in the answer, or in the report."""
        return [loss.value for loss in self.report]

    def error(self, status: int, body: bytes) -> UpstreamError:
        """Return the error of an upstream's HTTP answer, its path in the caller's words (protocol 7.2)."""
        return upstream_errors.with_caller_path(upstream_errors.read(status, body), self.caller_path)

    def learned(self, status: int, body: bytes) -> Profile | None:
        """Return a profile without what was added here and the upstream refused; None if that was not the reason."""
        return refusals.learned(self.profile, self.request, status, body)
