"""The middleware: an application that serves one of the two APIs serves the other as well."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from time import monotonic
from typing import Any, Literal

import msgspec

from ..translator import BadRequest, Profile, preset
from . import access, media_type, native
from .asgi_types import App, Receive, Scope, Send
from .call import Call
from .endpoints import PATHS, SERVED, Api, asked
from .limits import Limits
from .probe import Probe
from .question import Unclear
from .record import Record, of_call

_log = logging.getLogger("diglot")
_access = logging.getLogger("diglot.access")


class TranslationMiddleware:
    """Adds to an ASGI application the one of OpenAI's two text APIs that it lacks; *upstream_api* is the one it has.

    `chat`: the application serves ``POST .../chat/completions``, and gets ``POST .../responses`` (and
    ``.../responses/compact``: the model writes the summary). `responses`: the other way round. `auto`: it is asked,
    once and in a way that nothing can come of; what only few Responses servers take is translated even so, unless the
    profile trusts this one (`native_responses`). Everything else goes through untouched.

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
        self.profile: Profile = preset(profile) if isinstance(profile, str) else profile
        self.strict = strict
        self.limits: Limits = limits or Limits()
        self.on_exchange = on_exchange
        self._api = upstream_api
        self._probe = Probe(app, self.limits) if upstream_api == "auto" else None
        self._behind = self._probe or app
        self._learned: set[str] = set()

    @property
    def upstream_api(self) -> str:
        """What the application is known to have: `chat`, `responses`, `both` or `unknown`."""
        return self._api if self._probe is None else self._probe.found

    @property
    def believed(self) -> dict[str, dict[str, Any]]:
        """What was found out of each API with `auto`: whether it is there, why that is believed, and since when."""
        return {} if self._probe is None else self._probe.believed()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        endpoint = asked(scope)
        if endpoint is None:
            await self.app(scope, receive, send)
            return
        began, unclear = monotonic(), None
        try:
            translated, receive = await self._translates(endpoint, scope, receive)
        except Unclear as error:
            translated, unclear = True, error
        if not translated:
            await self._behind(scope, receive, send)
            return
        access.mark(scope, "translated")
        call = Call(self._behind, scope, receive, send, self.limits, endpoint)
        try:
            await self._serve(call, scope, unclear)
        finally:
            self._remember(call.lessons)
            self._tell(of_call(call, scope["method"], scope["path"], monotonic() - began))

    async def _serve(self, call: Call, scope: Scope, unclear: Unclear | None) -> None:
        if unclear is not None:
            await call.refuse(unclear.error, unclear.headers)
            return
        try:
            media_type.check(scope)
        except BadRequest as error:
            await call.refuse(error)
        else:
            await call.run(self.profile, self.strict)

    async def _translates(self, endpoint: str, scope: Scope, receive: Receive) -> tuple[bool, Receive]:
        """Whether a request is to be translated, and where to read it from then; raises Unclear."""
        probe, trust = self._probe, self.profile.native_responses
        theirs = SERVED[endpoint].endpoint
        if probe is None:
            return theirs == PATHS[self._api], receive
        if await probe.translates(endpoint, scope):
            return True, receive
        if trust == "trusted" or theirs != PATHS["chat"]:
            return False, receive
        if trust == "plain":
            heard = native.Heard(scope, receive)
            receive = heard.receive
            if not native.asks_for_more(endpoint, await heard.body(self.limits)):
                return False, receive
        try:
            return await probe.translates(endpoint, scope, native_last=True), receive
        except Unclear:  # what is there serves better than an error
            return False, receive

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
