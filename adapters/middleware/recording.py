"""One translated exchange is recorded: notes from its beginning, and at its end a `Record` for whoever wants one."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from functools import partial
from time import monotonic

from ...translator import Profile
from ..asgi.trace_headers import request_id_of, trace_id_of
from ..asgi.types import Scope
from .call import TranslatedRequest
from .client_writer import ClientWriter
from .notes import Notes, notes_of, with_notes
from .observers import observers
from .record import Record, record_of

OnExchange = Callable[[Record], object]
_log = logging.getLogger("diglot")
_access = logging.getLogger("diglot.access")


class Recording:
    """Begins with the exchange in *scope*. A record is for the access log, for observers, and for *on_exchange*."""

    def __init__(self, scope: Scope, on_exchange: OnExchange | None) -> None:
        self._began = monotonic()
        if (notes := notes_of(scope)) is None and (on_exchange is not None or _access.isEnabledFor(logging.INFO)):
            notes = Notes()
            notes.request_id, notes.trace_id = request_id_of(scope["headers"]), trace_id_of(scope)
            scope = with_notes(scope, notes)
        if notes is not None:
            notes.began = self._began  # both times of a record count from here
        self.scope: Scope = scope
        """The scope of the exchange, with its notes."""
        self._notes = notes
        self._on_exchange = on_exchange

    def end(
        self, request: TranslatedRequest[bytes], writer: ClientWriter, profile: Profile, adaptations: Iterable[str]
    ) -> Callable[[], None]:
        """Note how the exchange ended; return what leaves its record. *profile* is that of a request without one."""
        if self._notes is not None:
            self._notes.status, self._notes.losses = writer.status, request.loss_count
        return partial(self._leave, request, writer, profile, adaptations, monotonic() - self._began)

    def _leave(
        self,
        request: TranslatedRequest[bytes],
        writer: ClientWriter,
        profile: Profile,
        adaptations: Iterable[str],
        duration: float,
    ) -> None:
        logs, watching = _access.isEnabledFor(logging.INFO), observers(self.scope)
        if not (logs or watching) and self._on_exchange is None:
            return
        record = record_of(request, writer, self.scope, duration, request.profile or profile, adaptations)
        if logs:
            _access.info("%s %s %d", record.method, record.path, record.status, extra={"exchange": record.fields()})
        for observer in watching:
            observer.finished(record)
        if self._on_exchange is None:
            return
        notes = self._notes or Notes()
        notes.recorded = len(notes.attempts)
        try:
            self._on_exchange(record)
        except Exception:
            _log.exception("on_exchange raised")
