"""Why an upstream has not answered, for those who ask it themselves: clients only hear that it has not."""

from __future__ import annotations

import os
import socket
import ssl
from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

from ...translator import TranslationError
from ..asgi.types import Scope

_KEY = "diglot.failure"
_DEEPEST = 20  # causes may go round in a circle
_NO_NAME = frozenset({socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME)})  # BSD and Windows: one


class Failure(NamedTuple):
    """What came instead of an answer."""

    code: str
    """The code of the error: `upstream_unreachable`, `upstream_timeout`, ..."""
    reason: str
    """A few words without the URL; "" if nothing is known."""


def note_failure(scope: Scope, error: TranslationError) -> None:
    """Leave it in the *scope*: the words alone, because an error would keep its frames, and with them the scope."""
    scope[_KEY] = Failure(error.code or "", reason(error.__cause__) if error.__cause__ is not None else "")


def failure_of(scope: Scope) -> Failure | None:
    """Return what came instead of an answer of the upstream; None if it has answered."""
    return scope.get(_KEY)


def reason(error: BaseException) -> str:
    """Return what went wrong, by the innermost cause of *error* that says so."""
    causes = [*islice(_causes(error), _DEEPEST)]
    return next(filter(None, map(_words, reversed(causes))), type(error).__name__)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        several = error.exceptions if isinstance(error, BaseExceptionGroup) else ()  # one for each address of a host
        error = several[0] if several else error.__cause__ or error.__context__


def _words(error: BaseException) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"TLS, {error.verify_message}"
    if isinstance(error, ssl.SSLError):
        return f"TLS, {(getattr(error, 'reason', None) or 'no handshake').lower().replace('_', ' ')}"
    if isinstance(error, socket.gaierror):
        return "unknown host" if error.errno in _NO_NAME else "the name of the host cannot be looked up"
    if isinstance(error, OSError) and error.errno:
        return os.strerror(error.errno).lower()
    return "no connection in time" if isinstance(error, TimeoutError) else ""
