"""The middleware: an application that serves one of the two APIs serves the other as well."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from time import monotonic
from typing import Any, Literal

import msgspec

from ..translator import Profile, preset
from .asgi_types import App, Receive, Scope, Send
from .call import Call
from .endpoints import PATHS, SERVED, Api, asked
from .limits import Limits
from .probe import Probe, Unclear
from .record import Record, of_call

_log = logging.getLogger("diglot")
_access = logging.getLogger("diglot.access")


class TranslationMiddleware:
    """Adds to an ASGI application the one of OpenAI's two text APIs that it lacks; *upstream_api* is the one it has.

    `chat`: the application serves ``POST .../chat/completions``, and gets ``POST .../responses`` (and
    ``.../responses/compact``: the model writes the summary). `responses`: the other way round. `auto`: it is asked,
    once and in a way that nothing can come of. Everything else goes through untouched.

    *profile* (or the name of a preset) says what the upstream behind *app* is like; what it turns out to refuse is
    remembered here. With *strict*, a request that would lose something is refused. *on_exchange* is called with the
    :class:`Record` of every translated exchange when it is over; it must not block.
    """

    def __init__(
        self,
        app: App,
        *,
        profile: Profile | str = "default",
        upstream_api: Api | Literal["auto"] = "chat",
        strict: bool = False,
        limits: Limits | None = None,
        on_exchange: Callable[[Record], object] | None = None,
    ) -> None:
        if upstream_api not in (*PATHS, "auto"):
            raise ValueError(f"upstream_api must be one of {', '.join(PATHS)}, auto; not {upstream_api!r}")
        self.app = app
        self.profile = preset(profile) if isinstance(profile, str) else profile
        self.strict = strict
        self.limits = limits or Limits()
        self.on_exchange = on_exchange
        self._api = upstream_api
        self._probe = Probe(app, self.limits) if upstream_api == "auto" else None
        self._behind = self._probe or app
        self._learned: set[str] = set()

    @property
    def upstream_api(self) -> str:
        """What the application is known to have: `chat`, `responses`, `both` or `unknown`."""
        return self._api if self._probe is None else self._probe.found

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        endpoint = asked(scope)
        if endpoint is None:
            await self.app(scope, receive, send)
            return
        began, unclear = monotonic(), None
        try:
            translated = await self._translates(endpoint, scope)
        except Unclear as error:
            translated, unclear = True, error
        if not translated:
            await self._behind(scope, receive, send)
            return
        call = Call(self._behind, scope, receive, send, self.limits, endpoint)
        try:
            await (
                call.run(self.profile, self.strict) if unclear is None else call.refuse(unclear.error, unclear.headers)
            )
        finally:
            self._remember(call.lessons)
            self._tell(of_call(call, scope["method"], scope["path"], monotonic() - began))

    async def _translates(self, endpoint: str, scope: Scope) -> bool:
        if self._probe is not None:
            return await self._probe.translates(endpoint, scope)
        return SERVED[endpoint].endpoint == PATHS[self._api]

    def _remember(self, lessons: Mapping[str, Any]) -> None:
        """What an upstream has taught us holds for all requests that follow; each setting changes once, sets grow."""
        new = {name: self._grown(name, value) for name, value in lessons.items() if name not in self._learned}
        new = {name: value for name, value in new.items() if value != getattr(self.profile, name)}
        if new:
            _log.warning("The upstream refused what was added for it; changed from now on: %s", ", ".join(new))
            self.profile = msgspec.structs.replace(self.profile, **new)
            self._learned.update(name for name, value in new.items() if not isinstance(value, frozenset))

    def _grown(self, name: str, value: Any) -> Any:
        return value | getattr(self.profile, name) if isinstance(value, frozenset) else value

    def _tell(self, record: Record) -> None:
        if _access.isEnabledFor(logging.INFO):
            _access.info("%s %s %d", record.method, record.path, record.status, extra={"exchange": record.fields()})
        if self.on_exchange is None:
            return
        try:
            self.on_exchange(record)
        except Exception:
            _log.exception("on_exchange raised")
