"""What a client is told when a store does not give what it should."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import anyio

from ...translator import RequestError, TranslationError, state
from ..asgi.types import Headers
from ..error_log import log_without_message
from ..store import DamagedEntry, HistoryTooLarge, StoreUnavailable

_log = logging.getLogger("diglot")
PATIENCE = 5.0
"""Seconds that a store may take for what a request needs."""


@contextmanager
def in_time() -> Iterator[None]:
    """Wait for a store, but not for long: raises StoreUnavailable."""
    try:
        with anyio.fail_after(PATIENCE):
            yield
    except TimeoutError:
        raise StoreUnavailable(f"no answer within {PATIENCE:g} seconds") from None


class Failure(NamedTuple):
    """An error for the client, and the headers that go with it."""

    error: TranslationError
    headers: Headers


def failure_of(error: Exception, max_history: int) -> Failure:
    """Return what a client is told of an *error*; what is not its own fault is logged, without any content."""
    if isinstance(error, (state.records.DamagedRecord, DamagedEntry)):
        _log.error("A record cannot be read: %s", error)
        return Failure(_DAMAGED, [(b"x-should-retry", b"false")])
    if isinstance(error, RequestError):
        return Failure(error, _LOCKED if error.code == "conversation_locked" else [])
    if isinstance(error, HistoryTooLarge):
        return Failure(state.refusals.history_too_large(error.size, max_history), [])
    if isinstance(error, StoreUnavailable):
        _log.error("The store is not available")
        return Failure(_UNAVAILABLE, [(b"retry-after", b"1")])
    log_without_message(_log, "An endpoint of stored state", error)
    return Failure(_BROKEN, [])


_LOCKED: Headers = [(b"x-should-retry", b"true"), (b"retry-after", b"1")]
"""With these, both SDKs try again after a 400 (protocol 6.1)."""
_DAMAGED = TranslationError("What is stored under this id cannot be read.", code="damaged_record")
_UNAVAILABLE = TranslationError(
    "The store cannot be reached at the moment. Please retry in a few seconds.", status=503, code="store_unavailable"
)
_BROKEN = TranslationError("The request failed because of an internal error.", code="internal_error")
