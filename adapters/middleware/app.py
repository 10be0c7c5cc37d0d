"""The middleware: an application that serves one of the two APIs serves the other as well."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from functools import partial
from time import monotonic
from typing import Any, Literal

from ...translator import Profile, RequestError, preset
from ..asgi import media_type
from ..asgi.types import App, Receive, Scope, Send
from ..limits import Limits
from . import access_log, native
from .adaptation import Learned
from .call import Call
from .detection import Probe, place_of
from .endpoint_check import Unclear
from .model_apis import ModelApis, Trial
from .record import Record, of_call
from .routes import PATHS, SERVED, Api, Served

_log = logging.getLogger("diglot")
_access = logging.getLogger("diglot.access")


class TranslationMiddleware:
    """Adds to an ASGI application the one of OpenAI's two text APIs that it lacks; *upstream_api* is the one it has.

    `chat`: the application serves ``POST .../chat/completions``, and gets ``POST .../responses`` (and
    ``.../responses/compact``: the model writes the summary). `responses`: the other way round. `auto`: it is asked,
    once and in a way that nothing can come of; what only few Responses servers take is translated even so, unless the
    profile trusts this one (`native_responses`), and so is what a model is refused for at its own endpoint. Everything
    else goes through untouched.

    Served is what stands directly below a version (``/v1/responses``), below ``/openai`` or at the root, and below
    *paths*: ``["/ai"]`` serves ``/ai/responses``; a ``*`` stands for any one segment.

    *profile* (or the name of a preset) says what the upstream behind *app* is like; what it turns out to refuse is
    remembered here for each model. With *strict*, a request that would lose something is refused. *on_exchange* is
    called with the `Record` of every translated exchange when it is over; it must not block. When the
    application raises, its client is told, and then the exception goes on, to whoever watches over the application.
    """

    def __init__(
        self,
        app: App,
        profile: Profile | str = "default",
        *,
        upstream_api: Api | Literal["auto"] = "chat",
        strict: bool = False,
        limits: Limits | None = None,
        paths: Iterable[str] = (),
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
        self._served = Served(paths)
        self._probe = Probe(app, self.limits) if upstream_api == "auto" else None
        self._behind = self._probe or app
        self._learned = Learned()
        self._models = ModelApis()

    @property
    def upstream_api(self) -> str:
        """What the application is known to have: `chat`, `responses`, `both` or `unknown`."""
        return self._api if self._probe is None else self._probe.found

    @property
    def believed(self) -> dict[str, dict[str, Any]]:
        """What was found out of each API with `auto`: whether it is there, why that is believed, and since when."""
        return {} if self._probe is None else self._probe.believed()

    @property
    def learned(self) -> list[dict[str, Any]]:
        """Which settings refusals have changed, to which values, and for how many models."""
        return self._learned.told()

    def profile_for(self, model: object) -> Profile:
        """Return the profile with what refusals have taught about *model*."""
        return self._learned.profile_for(model, self.profile)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        endpoint = self._served.asked(scope)
        if endpoint is None:
            await self.app(scope, receive, send)
        elif self._probe is None or endpoint not in PATHS.values():
            await self._once(endpoint, scope, receive, send)
        else:
            await self._by_model(endpoint, scope, receive, send)

    async def _by_model(self, endpoint: str, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request whose model may be at the other endpoint than others: a refusal that says so is held back."""
        place, known = place_of(scope, endpoint), None
        if self._models:
            heard = native.Heard(scope, receive)
            known, receive = self._models.get(place, await heard.body(self.limits)), heard.receive
        if known is not None:
            await self._route(known != endpoint, endpoint, scope, receive, send)
            return
        trial = Trial(receive, send, endpoint)
        translated = await self._once(endpoint, scope, trial.receive, trial.send, trial)
        if not trial.refused:
            return
        heard = native.Heard(scope, trial.again)
        body = await heard.body(self.limits)
        second = Trial(heard.receive, send, endpoint, second=True)
        await self._route(not translated, endpoint, scope, second.receive, second.send, second)
        if second.refused:  # nobody is there: the first refusal says more
            await trial.let_go()
            trial.tell()
        elif second.accepted:
            served = endpoint if translated else SERVED[endpoint].endpoint
            self._models.remember(place, body, served)
            _log.warning("The upstream has a model at POST %s only: it is asked for there from now on", served)

    async def _once(
        self, endpoint: str, scope: Scope, receive: Receive, send: Send, trial: Trial | None = None
    ) -> bool:
        """Serve a request as it is known of the upstream; return whether it was translated."""
        unclear = None
        try:
            translated, receive = await self._translates(endpoint, scope, receive)
        except Unclear as error:
            translated, unclear = True, error
        if trial is not None and translated:
            trial.endpoint = SERVED[endpoint].endpoint
        await self._route(translated, endpoint, scope, receive, send, trial, unclear)
        return translated

    async def _route(
        self,
        translated: bool,
        endpoint: str,
        scope: Scope,
        receive: Receive,
        send: Send,
        trial: Trial | None = None,
        unclear: Unclear | None = None,
    ) -> None:
        """Translate a request, or let it through; a *trial* that was refused leaves no record unless it must do."""
        if not translated:
            access_log.mark(scope, "passed")
            await self._behind(scope, receive, send)
            return
        began = monotonic()
        access_log.mark(scope, "translated")
        call = Call(self._behind, scope, receive, send, self.limits, endpoint)
        try:
            await self._serve(call, scope, unclear)
        finally:
            self._remember(call)
            tell = partial(self._tell, of_call(call, scope["method"], scope["path"], monotonic() - began))
            if trial is not None and trial.refused:
                trial.tell = tell
            else:
                tell()
        await call.outlet.close()
        if call.raised is not None:
            self._pass_on(call.raised)

    async def _serve(self, call: Call, scope: Scope, unclear: Unclear | None) -> None:
        if unclear is not None:
            await call.refuse(unclear.error, unclear.headers)
            return
        try:
            media_type.check(scope)
        except RequestError as error:
            await call.refuse(error)
        else:
            await call.run(self.profile_for, self.strict)

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

    def _pass_on(self, error: Exception) -> None:
        """What the application raised is for its host, which has monitors and handlers of its own (W45)."""
        raise error

    def _remember(self, call: Call) -> None:
        """What an upstream has taught us holds for all requests that follow and ask for the same model."""
        lessons = call.lessons
        new = self._learned.add(call.body.get("model"), self.profile, lessons) if lessons else {}
        if new:
            told = ", ".join(f"{name}={_plain(value)!r}" for name, value in new.items())
            _log.warning("The upstream refused what it was sent; changed for this model from now on: %s", told)

    def _tell(self, record: Record) -> None:
        if _access.isEnabledFor(logging.INFO):
            _access.info("%s %s %d", record.method, record.path, record.status, extra={"exchange": record.fields()})
        if self.on_exchange is None:
            return
        try:
            self.on_exchange(record)
        except Exception:
            _log.exception("on_exchange raised")


def _plain(value: Any) -> Any:
    return sorted(value) if isinstance(value, frozenset) else value
