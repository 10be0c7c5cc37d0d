"""The record of an exchange, for logs and metrics: small, and without anything that users wrote."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Protocol

import msgspec

from ...translator import Loss, Profile, TranslationError
from ..asgi.types import CLIENT_GONE, KEY_NAME, Scope
from .notes import Attempt, Notes, notes_of, upstream_fields
from .routes import endpoint_of_path

_MAX_LOSSES = 50
MAX_TEXT = 200
_ENDINGS = {None: "failed", "content_filter": "incomplete", "length": "incomplete"}  # by finish reason; the worst first


class Recorded(Protocol):
    """A finished request, as far as its record needs it."""

    @property
    def body(self) -> dict[str, Any]: ...
    @property
    def answer(self) -> dict[str, Any]: ...
    @property
    def error(self) -> TranslationError | None: ...
    @property
    def losses(self) -> list[Loss]: ...


class RecordedClient(Protocol):
    """The client of such a request."""

    @property
    def status(self) -> int: ...
    @property
    def gone(self) -> bool: ...


class Record(msgspec.Struct, frozen=True):
    """One exchange. It holds no texts, values, headers or keys."""

    method: str
    path: str
    status: int
    """HTTP status; 499 if the client disconnected before it got one."""
    model: str | None
    streaming: bool
    duration: float
    """Seconds."""
    usage: dict[str, Any]
    outcome: str
    """How the answer ended (`completed`, `incomplete`, `failed`), or `refused`, or `disconnected`."""
    error: str | None
    """Code or type of the error, or None."""
    losses: tuple[Loss, ...]
    """What could not be carried over; the values are left out."""
    key: str | None = None
    """The name of the client's key, where the server checks keys."""
    endpoint: str = ""
    """The end of the path that says what was asked for, for example `/responses`."""
    profile: str = ""
    """The name of the upstream's profile."""
    response_model: str | None = None
    """The model that answered, as the answer names it."""
    request_id: str = ""
    trace_id: str = ""
    attempts: tuple[Attempt, ...] = ()
    """Each call of the upstream, in order: several after a refusal that taught something, or for several choices."""
    first_token: float | None = None
    """Seconds until a stream had its first piece of text, reasoning or arguments."""
    request_seconds: float = 0.0
    """How long it took to translate the request."""
    answer_seconds: float = 0.0
    """How long it took to translate the answer, if it was no stream."""
    adaptations: tuple[str, ...] = ()
    """The settings of the profile that this exchange has changed for later ones."""

    @property
    def upstream(self) -> str:
        """Whom the last call went to; empty if there was none, or if the application is no `Upstream`."""
        return self.attempts[-1].upstream if self.attempts else ""

    def fields(self) -> dict[str, Any]:
        """Return the record as plain values for a log, of limited size whatever a client sends."""
        return {
            "handled": "translated",
            "method": self.method,
            "path": self.path[:MAX_TEXT],
            "status": self.status,
            "model": self.model and self.model[:MAX_TEXT],
            "stream": self.streaming,
            "duration_ms": round(self.duration * 1000, 1),
            "first_token_ms": None if self.first_token is None else round(self.first_token * 1000, 1),
            "request_id": self.request_id or None,
            "trace_id": self.trace_id or None,
            **upstream_fields(self.attempts),
            "input_tokens": self._tokens("input_tokens", "prompt_tokens"),
            "output_tokens": self._tokens("output_tokens", "completion_tokens"),
            "outcome": self.outcome,
            "error": self.error,
            "losses": [
                {"path": loss.place, "kind": loss.kind, "why": loss.why[:MAX_TEXT]}
                for loss in self.losses[:_MAX_LOSSES]
            ],
            **({"key": self.key} if self.key else {}),
            **({"losses_more": more} if (more := len(self.losses) - _MAX_LOSSES) > 0 else {}),
        }

    def _tokens(self, *names: str) -> Any:
        """A count by its name in either dialect."""
        return next((self.usage[name] for name in names if name in self.usage), None)


def record_of(
    request: Recorded,
    client: RecordedClient,
    scope: Scope,
    duration: float,
    profile: Profile | None = None,
    adaptations: Iterable[str] = (),
) -> Record:
    """Return the record of a finished request, as its *client* sees it."""
    answer, error, notes = request.answer, request.error, notes_of(scope) or Notes()
    model, usage, response_model = request.body.get("model"), answer.get("usage"), answer.get("model")
    return Record(
        method=scope["method"],
        path=scope["path"],
        status=client.status or CLIENT_GONE,
        model=model if isinstance(model, str) else None,
        streaming=request.body.get("stream") is True,
        duration=duration,
        usage=usage if isinstance(usage, dict) else {},
        outcome=_outcome(client, answer),
        error=None if error is None else code_of(error),
        losses=tuple(Loss(path, kind, why) for path, kind, why, _ in request.losses),
        key=scope.get(KEY_NAME),
        endpoint=endpoint_of_path(scope["path"]) or "",
        profile="" if profile is None else profile.name,
        response_model=response_model if isinstance(response_model, str) else None,
        request_id=notes.request_id,
        trace_id=notes.trace_id,
        attempts=tuple(notes.attempts[notes.recorded :]),
        first_token=notes.first_token,
        request_seconds=notes.request_seconds,
        answer_seconds=notes.answer_seconds,
        adaptations=tuple(adaptations),
    )


def code_of(error: TranslationError) -> str:
    """Return the code or type if it is a plain word; anything else may be text of the upstream."""
    return next((word for word in (error.code, error.type) if word and _WORD.fullmatch(word)), "error")


_WORD = re.compile(r"[\w.:-]{1,64}", re.ASCII)


def _outcome(client: RecordedClient, answer: dict[str, Any]) -> str:
    if client.gone:
        return "disconnected"
    if not answer:
        return "failed" if client.status == 200 else "refused"
    if "choices" in answer:
        endings = {choice.get("finish_reason") for choice in answer["choices"]}
        return next((outcome for reason, outcome in _ENDINGS.items() if reason in endings), "completed")
    status = answer.get("status", "completed")  # a compaction has none
    return status if isinstance(status, str) else "refused"
