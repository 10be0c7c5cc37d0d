"""Checks whether an upstream has an endpoint, with a request from which nothing can be generated.

An endpoint exists if it answers differently from a path that cannot exist: many servers read the JSON before they look
at the path, or have one page for everything.
"""

from __future__ import annotations

import logging
import re

import anyio

from ...translator import TranslationError, explain_status
from ..asgi.types import ABOUT_THE_BODY, LAST_ON_CONNECTION, App, Headers, Message, Scope, without
from ..limits import Limits
from . import diagnostics
from .notes import without_notes
from .upstream_scope import upstream_scope

_log = logging.getLogger("diglot")

NOT_JSON = b"diglot asks whether there is such an endpoint; this is no JSON, and no request"
EMPTY = b"{}"
CONTROL_PATH = "/diglot-control-question"
"""A path that cannot exist."""
MISSING = (404, 405, 501)
_DECIDED_BEFORE_ROUTING = (401, 402, 403, 407, 408, 429)  # sent before the path matters
_REFUSAL = re.compile(rb'\s*\{\s*"error"')  # LM Studio says so with a 200
_MAX_TEXT = 65536


class DetectionError(Exception):
    """The check failed; ``error`` and ``headers`` are for the client."""

    def __init__(self, error: TranslationError, headers: Headers | None = None) -> None:
        super().__init__(str(error))
        self.error = error
        self.headers: Headers = headers or []


class EndpointCheck:
    """Sends one body to several paths, with the credentials of one client."""

    def __init__(self, app: App, limits: Limits, scope: Scope, endpoint: str, body: bytes) -> None:
        self._app = app
        self._limits = limits
        self._scope = scope
        self._endpoint = endpoint
        self._body = body

    async def compare(self, paths: tuple[str, str]) -> dict[str, bool] | None:
        """Return whether the first of two *paths* exists, else the second; nothing if neither; None if unclear.

        Raises DetectionError.
        """
        first, second = paths
        call = await self._call(first)
        if call.exists():
            control = await self._call(CONTROL_PATH, self._limits.probe / 4)
            self._log_finding(first, call, "has" if control.status != call.status else "is unclear about")
            return {first: True} if control.status != call.status else None
        self._log_finding(first, call, "lacks")
        call = await self._call(second)
        there = call.exists()
        self._log_finding(second, call, "has" if there else "lacks")
        return {first: False, second: True} if there else {}

    def _log_finding(self, path: str, call: CheckCall, what: str) -> None:
        _log.info("The upstream %s POST %s (it answered %d)", what, path, call.status)

    async def _call(self, path: str, seconds: float = float("inf")) -> CheckCall:
        call = CheckCall(self._body, seconds, self._limits.shutdown)
        with call.scope:
            try:
                scope = upstream_scope(without_notes(self._scope), self._endpoint, path, len(self._body), streams=False)
                scope["extensions"] = {**scope["extensions"], LAST_ON_CONNECTION: {}}
                await self._app(scope, call.receive, call.send)
            except (TranslationError, OSError):
                pass  # that says nothing about the endpoint
            except Exception as error:
                _log.debug("The application raised during an endpoint check", exc_info=error)
                call.status = call.status or 500  # as any server would answer
        return call


class CheckCall:
    """A request that no server can act on, and its answer."""

    def __init__(self, body: bytes, seconds: float, body_timeout: float) -> None:
        self.scope: anyio.CancelScope = anyio.CancelScope(deadline=anyio.current_time() + seconds)
        self.status: int = 0
        self._body_timeout = body_timeout
        self._headers: Headers = []
        self._text = b""
        self._messages: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]
        self._is_full = anyio.Event()

    async def receive(self) -> Message:
        if self._messages:
            return self._messages.pop()
        await self._is_full.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        """Note the status; the text of an error gets only a moment, and little room."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self._headers = without(message.get("headers", ()), ())
            self.scope.deadline = anyio.current_time() + self._body_timeout
        else:
            self._text += message.get("body", b"")[: _MAX_TEXT - len(self._text)]
            if len(self._text) == _MAX_TEXT:
                self._is_full.set()

    def exists(self) -> bool:
        """Whether the endpoint exists; raises DetectionError."""
        status, kind = self.status, dict(self._headers).get(b"content-type", b"").lower()
        good = 200 <= status < 300
        if status in MISSING or (good and (b"html" in kind or _REFUSAL.match(self._text))):
            return False
        if good or status == 500 or (400 <= status < 500 and status not in _DECIDED_BEFORE_ROUTING):
            return True
        location = dict(self._headers).get(b"location", b"").decode("latin-1")
        error = explain_status(status, self._text, location)
        raise DetectionError(diagnostics.during_detection(error), without(self._headers, ABOUT_THE_BODY))
