"""One call of the upstream by a translated request, as it is noted and traced."""

from __future__ import annotations

import logging
from typing import Any

from ...translator import Exchange, TranslationError
from ..asgi.types import Scope
from ..error_log import harmless
from .attempt import UpstreamAttempt
from .notes import LOST, Attempt, Notes, TracedCall, notes_of, result_of, with_notes
from .record import code_of

_log = logging.getLogger("diglot")
_WHO = "What traces a call"


def noted(exchange: Exchange, body: dict[str, Any], scope: Scope, attempt: UpstreamAttempt[Any]) -> NotedCall | None:
    """Return the call as it is noted, if anybody takes notes."""
    notes = notes_of(scope)
    return None if notes is None else NotedCall(exchange, body, scope, attempt, notes)


class NotedCall:
    """Begins with the call of *exchange*, whose request from the client is *body*."""

    def __init__(
        self, exchange: Exchange, body: dict[str, Any], scope: Scope, attempt: UpstreamAttempt[Any], notes: Notes
    ) -> None:
        self._notes = notes
        self._own = Notes()  # an `Upstream` notes there how its calls end; other calls may run at the same time
        self.scope: Scope = with_notes(scope, self._own)
        """What the application gets."""
        self._attempt = attempt
        self._traced: TracedCall | None = None
        if notes.tracer is not None:
            with harmless(_log, _WHO):
                self._traced = notes.tracer.begin(exchange, body, self.scope)
                self.scope = self._traced.scope
        attempt.reader.on_first_token = self._note_first_token

    def end(self, failure: TranslationError | None, client_left: bool) -> None:
        """Note how it ended; *failure* is what the application raised, unless that was because the client left."""
        failure = None if client_left else failure
        notes, attempt, reader = self._notes, self._attempt, self._attempt.reader
        reader.on_first_token = None  # it would keep all of this alive in a circle
        notes.answer_seconds += attempt.read_seconds
        attempts = self._own.attempts
        if not attempts:
            left = client_left or attempt.disconnect.is_set
            is_whole = attempt.complete or reader.ended or left or not reader.status
            attempts.append(Attempt("", result_of(reader.status, failure) if failure or is_whole else LOST))
        notes.attempts += attempts
        if self._traced is not None:
            with harmless(_log, _WHO):
                self._traced.end(reader.answer, self._error(failure, client_left), attempts)

    def _note_first_token(self) -> None:
        self._notes.note_first_token()
        if self._traced is not None:
            with harmless(_log, _WHO):
                self._traced.first_token()

    def _error(self, failure: TranslationError | None, client_left: bool) -> str | None:
        """Why there is no answer, as a code; None if there is one, or if the client has left."""
        reader = self._attempt.reader
        if (error := reader.error or failure) is not None:
            return code_of(error)
        if reader.ended and not self._attempt.retry:
            return None
        if not reader.accepted and reader.status:
            return str(reader.status)
        return None if client_left or self._attempt.disconnect.is_set else "incomplete"
