"""What is noted of one exchange while it runs, in its ASGI scope: for its log line, metrics and traces."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from time import monotonic
from typing import Any, Literal, NamedTuple, Protocol

from ...translator import Exchange, TranslationError
from ..asgi.types import Scope

_KEY = "diglot.notes"
ABANDONED = "abandoned"
"""The result of a call that was given up because the client had left before the upstream answered."""
LOST, REFUSED, TIMEOUT = "lost", "refused", "timeout"
_RESULTS = {"upstream_unreachable": REFUSED, "upstream_timeout": TIMEOUT}

Handled = Literal["passed", "translated", "here"]


class Attempt(NamedTuple):
    """One call of the upstream."""

    upstream: str
    """Name of the upstream in the settings, or its host and port; empty for an application that is no `Upstream`."""
    result: str
    """`ok`, the class of another status (`4xx`), `refused`, `timeout`, `lost`, or `abandoned` by the client."""
    replica: str = ""
    """The address of the replica, where the upstream has several."""


class TracedCall(Protocol):
    """The span of one call of the upstream. Nothing here may raise or wait."""

    @property
    def scope(self) -> Scope:
        """The scope of the call, with the context of the trace in its headers."""
        ...

    def first_token(self) -> None:
        """Note the first piece of the stream."""
        ...

    def end(self, answer: dict[str, Any], error: str | None, attempts: list[Attempt]) -> None:
        """End the span; *answer* is the client's, *error* a code."""
        ...


class CallTracer(Protocol):
    """Makes the spans of one exchange."""

    def begin(self, exchange: Exchange, body: dict[str, Any], scope: Scope) -> TracedCall:
        """Begin the span of one call; *body* is the client's request."""
        ...


class Notes:
    """The notes of one exchange."""

    handled: Handled = "here"
    level: int = logging.INFO
    status: int = 0
    """Of the answer to the client; 0 if there was none."""
    complete: bool = False
    request_id: str = ""
    trace_id: str = ""
    recorded: int = 0
    """How many attempts are in a `Record` that was handed out."""
    first_token: float | None = None
    """Seconds until the client's stream had its first piece of text, reasoning or arguments."""
    request_seconds: float = 0.0
    """How long it took to translate the request, every time."""
    answer_seconds: float = 0.0
    """How long it took to translate the answer, if it was no stream."""
    losses: int = 0
    """How many there were."""
    replica: str = ""
    """The replica that is being called, where the upstream has several."""
    tracer: CallTracer | None = None

    def __init__(self) -> None:
        self.began: float = monotonic()
        self.attempts: list[Attempt] = []

    def note_first_token(self) -> None:
        """Note that the client's stream has its first piece; later calls change nothing."""
        if self.first_token is None:
            self.first_token = monotonic() - self.began

    @property
    def upstream(self) -> str:
        """Whom the last call went to; empty if there was none."""
        return self.attempts[-1].upstream if self.attempts else ""

    def fields(self) -> dict[str, Any]:
        """Return what lines of the log have of it."""
        return {
            "request_id": self.request_id or None,
            "trace_id": self.trace_id or None,
            **upstream_fields(self.attempts),
        }


def upstream_fields(attempts: Sequence[Attempt]) -> dict[str, Any]:
    """Return what lines of the log have of the calls of an upstream: whom the last one went to, and how many."""
    last = attempts[-1] if attempts else Attempt("", "")
    replica = {"replica": last.replica} if last.replica else {}
    return {"upstream": last.upstream or None, **replica, "attempts": len(attempts)}


def notes_of(scope: Scope) -> Notes | None:
    """Return the notes of the exchange that a scope belongs to, if somebody takes any."""
    return scope.get(_KEY)


def with_notes(scope: Scope, notes: Notes) -> Scope:
    """Return *scope* with these notes."""
    return {**scope, _KEY: notes}


def without_notes(scope: Scope) -> Scope:
    """Return *scope* for a call that is not part of the client's exchange."""
    return {name: value for name, value in scope.items() if name != _KEY}


def result_of(status: int, failure: BaseException | None) -> str:
    """Return the result of a call that got this *status* (0: none) and ended with *failure*, if it failed."""
    if isinstance(failure, TranslationError):
        return _RESULTS.get(failure.code or "", LOST)
    if status >= 400:  # however it ended: the rest of an error is often not read
        return f"{status // 100}xx"
    if failure is not None:
        return LOST
    return "ok" if status else ABANDONED
