"""The middleware: an application that serves Chat Completions serves Responses as well."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from time import monotonic
from typing import Any

import msgspec

from ..translator import Profile, preset
from .asgi_types import App, Receive, Scope, Send
from .call import ENDPOINTS, Call
from .limits import Limits
from .record import Record, of_call

_log = logging.getLogger("diglot")
_access = logging.getLogger("diglot.access")


class ResponsesMiddleware:
    """Adds ``POST .../responses`` to an ASGI application that serves ``POST .../chat/completions``.

    ``POST .../responses/compact`` comes with it: the model writes the summary.
    Everything else goes through untouched. *profile* (or the name of a preset) says what the upstream behind *app* is
    like; what it turns out to refuse is remembered here. With *strict*, a request that would lose something is refused.
    *on_exchange* is called with the :class:`Record` of every exchange when it is over; it must not block.
    """

    def __init__(
        self,
        app: App,
        profile: Profile | str = "default",
        *,
        strict: bool = False,
        limits: Limits | None = None,
        on_exchange: Callable[[Record], object] | None = None,
    ) -> None:
        self.app = app
        self.profile = preset(profile) if isinstance(profile, str) else profile
        self.strict = strict
        self.limits = limits or Limits()
        self.on_exchange = on_exchange
        self._learned: set[str] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        endpoint = _endpoint(scope)
        if endpoint is None:
            await self.app(scope, receive, send)
        else:
            await self._serve(scope, receive, send, endpoint)

    async def _serve(self, scope: Scope, receive: Receive, send: Send, endpoint: str) -> None:
        began = monotonic()
        call = Call(self.app, scope, receive, send, self.limits, endpoint)
        try:
            await call.run(self.profile, self.strict)
        finally:
            self._remember(call.lessons)
            self._tell(of_call(call, scope["method"], scope["path"], monotonic() - began))

    def _remember(self, lessons: Mapping[str, Any]) -> None:
        """What an upstream has taught us holds for all requests that follow; each setting changes once, and stays."""
        new = {name: value for name, value in lessons.items() if name not in self._learned}
        if new:
            _log.warning("The upstream refused what was added for it; changed from now on: %s", ", ".join(new))
            self.profile = msgspec.structs.replace(self.profile, **new)
            self._learned.update(new)

    def _tell(self, record: Record) -> None:
        if _access.isEnabledFor(logging.INFO):
            _access.info("%s %s %d", record.method, record.path, record.status, extra={"exchange": record.fields()})
        if self.on_exchange is None:
            return
        try:
            self.on_exchange(record)
        except Exception:
            _log.exception("on_exchange raised")


def _endpoint(scope: Scope) -> str | None:
    if scope["type"] != "http" or scope["method"] != "POST":
        return None
    path: str = scope["path"]
    return next((endpoint for endpoint in ENDPOINTS if path.endswith(endpoint)), None)
