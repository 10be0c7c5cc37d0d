"""The middleware: an application that serves one of the two APIs serves the other as well."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from functools import partial
from time import monotonic
from typing import Any, Literal

from ...translator import Adaptation, AnswerReader, Profile, RequestError, preset
from ..asgi import media_type
from ..asgi.types import App, Receive, Scope, Send
from ..limits import Limits
from . import access_log, native
from .call import TranslatedRequest
from .client_writer import ClientWriter
from .detection import Detection, place_of
from .endpoint_check import DetectionError
from .model_apis import ModelApis, Trial
from .record import Record, record_of
from .routes import ENDPOINTS, EXCHANGES, Api, ServedPaths

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
        if upstream_api not in (*ENDPOINTS, "auto"):
            raise ValueError(f"upstream_api must be one of {', '.join(ENDPOINTS)}, auto; not {upstream_api!r}")
        self.app = app
        self.profile: Profile = preset(profile) if isinstance(profile, str) else profile
        self.strict = strict
        self.limits: Limits = limits or Limits()
        self.on_exchange = on_exchange
        self._api = upstream_api
        self._served = ServedPaths(paths)
        self._detection = Detection(app, self.limits) if upstream_api == "auto" else None
        self._inner = self._detection or app
        self._adaptation = Adaptation()
        self._models = ModelApis()

    @property
    def upstream_api(self) -> str:
        """What the application is known to have: `chat`, `responses`, `both` or `unknown`."""
        return self._api if self._detection is None else self._detection.found

    @property
    def believed(self) -> dict[str, dict[str, Any]]:
        """What was found out of each API with `auto`: whether it is there, why that is believed, and since when."""
        return {} if self._detection is None else self._detection.findings()

    @property
    def learned(self) -> list[dict[str, Any]]:
        """Which settings refusals have changed, to which values, and for how many models."""
        return self._adaptation.summary()

    def profile_for(self, upstream: str, model: object) -> Profile:
        """Return the profile with what refusals have taught about *model* behind the path *upstream*."""
        return self._adaptation.profile_for(upstream, model, self.profile)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        endpoint = self._served.endpoint_of(scope)
        if endpoint is None:
            await self.app(scope, receive, send)
        elif self._detection is None or endpoint not in ENDPOINTS.values():
            await self._serve_once(endpoint, scope, receive, send)
        else:
            await self._serve_with_trial(endpoint, scope, receive, send)

    async def _serve_with_trial(self, endpoint: str, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request whose model may be at the other endpoint than others: a refusal that says so is held back."""
        place, known = place_of(scope, endpoint), None
        if self._models:
            peeked = native.PeekedBody(scope, receive)
            known, receive = self._models.get(place, await peeked.decode(self.limits)), peeked.receive
        if known is not None:
            await self._route(known != endpoint, endpoint, scope, receive, send)
            return
        trial = Trial(receive, send, endpoint)
        translated = await self._serve_once(endpoint, scope, trial.receive, trial.send, trial)
        if not trial.refused:
            return
        peeked = native.PeekedBody(scope, trial.replay)
        body = await peeked.decode(self.limits)
        second = Trial(peeked.receive, send, endpoint, second=True)
        await self._route(not translated, endpoint, scope, second.receive, second.send, second)
        if second.refused:  # nobody is there: the first refusal says more
            await trial.release()
            trial.leave_record()
        elif second.accepted:
            served = endpoint if translated else EXCHANGES[endpoint].endpoint
            self._models.remember(place, body, served)
            _log.warning("The upstream has a model at POST %s only: it is asked for there from now on", served)

    async def _serve_once(
        self, endpoint: str, scope: Scope, receive: Receive, send: Send, trial: Trial | None = None
    ) -> bool:
        """Serve a request as it is known of the upstream; return whether it was translated."""
        failure = None
        try:
            translated, receive = await self._translates(endpoint, scope, receive)
        except DetectionError as error:
            translated, failure = True, error
        if trial is not None and translated:
            trial.endpoint = EXCHANGES[endpoint].endpoint
        await self._route(translated, endpoint, scope, receive, send, trial, failure)
        return translated

    async def _route(
        self,
        translated: bool,
        endpoint: str,
        scope: Scope,
        receive: Receive,
        send: Send,
        trial: Trial | None = None,
        failure: DetectionError | None = None,
    ) -> None:
        """Translate a request, or let it through; a *trial* that was refused leaves no record unless it must do."""
        if not translated:
            access_log.mark(scope, "passed")
            await self._inner(scope, receive, send)
            return
        began = monotonic()
        access_log.mark(scope, "translated")
        writer = ClientWriter(send)
        request = TranslatedRequest(self._inner, scope, receive, writer, self.limits, endpoint, AnswerReader.of)
        try:
            await self._serve(request, scope, failure)
        finally:
            self._keep_patch(request, scope["path"])
            leave_record = partial(self._leave_record, request, writer, scope, monotonic() - began)
            if trial is not None and trial.refused:
                trial.leave_record = leave_record
            else:
                leave_record()
        await writer.close()
        if request.app_error is not None:
            self._raise_app_error(request.app_error)

    async def _serve(self, request: TranslatedRequest[bytes], scope: Scope, failure: DetectionError | None) -> None:
        if failure is not None:
            await request.refuse(failure.error, failure.headers)
            return
        try:
            media_type.check(scope)
        except RequestError as error:
            await request.refuse(error)
        else:
            await request.run(partial(self.profile_for, scope["path"]), self.strict)

    async def _translates(self, endpoint: str, scope: Scope, receive: Receive) -> tuple[bool, Receive]:
        """Whether a request is to be translated, and where to read it from then; raises DetectionError."""
        detection, trust = self._detection, self.profile.native_responses
        translated_endpoint = EXCHANGES[endpoint].endpoint
        if detection is None:
            return translated_endpoint == ENDPOINTS[self._api], receive
        if await detection.translates(endpoint, scope):
            return True, receive
        if trust == "trusted" or translated_endpoint != ENDPOINTS["chat"]:
            return False, receive
        if trust == "plain":
            peeked = native.PeekedBody(scope, receive)
            receive = peeked.receive
            if not native.asks_for_more(endpoint, await peeked.decode(self.limits)):
                return False, receive
        try:
            return await detection.translates(endpoint, scope, native_last=True), receive
        except DetectionError:  # what is there serves better than an error
            return False, receive

    def _raise_app_error(self, error: Exception) -> None:
        """What the application raised is for its host, which has monitors and handlers of its own (W45)."""
        raise error

    def _keep_patch(self, request: TranslatedRequest[bytes], upstream: str) -> None:
        """What an upstream has taught us holds for all requests that follow and ask for the same model."""
        patch = request.patch
        new = self._adaptation.add(upstream, request.body.get("model"), self.profile, patch) if patch else {}
        if new:
            changes = ", ".join(f"{name}={_plain(value)!r}" for name, value in new.items())
            _log.warning("The upstream refused what it was sent; changed for this model from now on: %s", changes)

    def _leave_record(
        self, request: TranslatedRequest[bytes], writer: ClientWriter, scope: Scope, duration: float
    ) -> None:
        logs = _access.isEnabledFor(logging.INFO)
        if not logs and self.on_exchange is None:
            return
        record = record_of(request, writer, scope, duration)
        if logs:
            _access.info("%s %s %d", record.method, record.path, record.status, extra={"exchange": record.fields()})
        if self.on_exchange is None:
            return
        try:
            self.on_exchange(record)
        except Exception:
            _log.exception("on_exchange raised")


def _plain(value: Any) -> Any:
    return sorted(value) if isinstance(value, frozenset) else value
