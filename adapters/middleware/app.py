"""The middleware: an application that serves one of the two APIs also serves the other."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

from ...translator import Adaptation, AnswerReader, Profile, ProfilePatch, RequestError, preset
from ..asgi import media_type
from ..asgi.types import MODEL_ROUTE, App, Receive, Scope, Send
from ..limits import Limits
from ..stateful.keeper import Keeper
from ..stateful.tenants import Callback
from ..store import Opened, Store
from . import access_log, native, token_count
from .call import TranslatedRequest
from .client_writer import ClientWriter
from .detection import Detection, place_of
from .endpoint_check import DetectionError
from .model_apis import ModelApis, Trial
from .observers import observed
from .record import Record
from .recording import Recording
from .routes import ENDPOINTS, EXCHANGES, Api, ServedPaths

if TYPE_CHECKING:
    from .model_route import ModelRoute

_log = logging.getLogger("diglot")


class TranslationMiddleware:
    """Adds the OpenAI text API that an ASGI application lacks; *upstream_api* names the one that it implements.

    `chat`: the application serves ``POST .../chat/completions``, and the middleware adds ``POST .../responses`` (and
    ``.../responses/compact``, where the model writes the summary). `responses`: the other way round. `auto`: the
    middleware finds out, with requests from which nothing can be generated. It then also translates what few Responses
    servers support, unless the profile trusts this one (`native_responses`), and requests whose model is only
    available at the other endpoint. Everything else goes through untouched.

    The endpoints are served directly below a version (``/v1/responses``), below ``/openai``, at the root, and below
    *paths*: ``["/ai"]`` adds ``/ai/responses``; a ``*`` stands for any one segment.

    *profile* (a `Profile` or the name of a preset) describes the upstream behind *app*; what the upstream refuses is
    learned for each model. With *strict*, a request that would lose something is refused. *on_exchange* is called with
    the `Record` of every translated exchange when it is over; it must not block. When the application raises, the
    client gets an error, and the exception is raised again for your handlers and monitors.

    With a *store* (a URL: `memory`, `sqlite:///FILE`, `postgresql://...`, `redis://...`; or a `Store`), what was said
    is kept: `previous_response_id`, `conversation` and `item_reference` work, and answers can be retrieved. *tenant*
    says whose it is: `credential` (the default: whoever has the same API key), `header:NAME` (set by a gateway in
    front), `none` (there is one user), or a function of the ASGI scope, which may raise `RequestError` with status
    401. *seal* are keys that encrypt reasoning, the newest first; by default, the store keeps one. The store is opened
    and closed with the application, by ASGI's lifespan; a host without one uses `running()`, or lets the first request
    open it.
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
        store: Store | str | None = None,
        tenant: str | Callback = "credential",
        seal: Sequence[str] = (),
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
        has_state = store is not None or seal
        self._keeper = Keeper(store, tenant=tenant, seal=seal, limits=self.limits) if has_state else None
        self._adaptation = Adaptation()
        self._models = ModelApis()

    @property
    def upstream_api(self) -> str:
        """Which API the application implements, as far as is known: `chat`, `responses`, `both` or `unknown`."""
        return self._api if self._detection is None else self._detection.found

    @property
    def believed(self) -> dict[str, dict[str, Any]]:
        """What `auto` has found out about each API: whether it exists, why that is believed, and since when."""
        return {} if self._detection is None else self._detection.findings()

    @property
    def learned(self) -> list[dict[str, Any]]:
        """Which settings were changed because of refusals, to which values, and for how many models."""
        return self._adaptation.summary()

    @property
    def opened(self) -> Opened | None:
        """What the store is and promises; None without one, and before it is open."""
        return None if self._keeper is None else self._keeper.opened

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Keep the store open while the context lasts, for a host that has no lifespan.

        Raises StoreRefused or StoreUnavailable if it cannot be opened.
        """
        if self._keeper is None:
            yield
            return
        async with self._keeper.running():
            yield

    def profile_for(self, upstream: str, model: object) -> Profile:
        """Return the profile with what was learned from refusals of *model* at the path *upstream*."""
        return self._adaptation.profile_for(upstream, model, self.profile)

    def _profiles(self, scope: Scope) -> Callable[[object], Profile]:
        """What returns the profile of a model for the request in *scope*, by the model's name in the body."""
        route: ModelRoute | None = scope.get(MODEL_ROUTE)
        if route is None:
            return partial(self.profile_for, scope["path"])
        return lambda model: self._adaptation.profile_for(scope["path"], route.model, route.profile)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        endpoint = self._served.endpoint_of(scope)
        if endpoint is None and self._keeper is not None:
            await self._serve_stateful(self._keeper, scope, receive, send)
        elif endpoint is None:
            await self.app(scope, receive, send)
        elif self._detection is None or endpoint not in ENDPOINTS.values():
            await self._serve_once(endpoint, scope, receive, send)
        else:
            await self._serve_with_trial(endpoint, scope, receive, send)

    async def _serve_stateful(self, keeper: Keeper, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve what is none of the translated endpoints: stored state, or a request for the application."""
        target = self._served.target_of(scope) if keeper.has_store else None
        api = "responses" if target is None else target.route.api
        counts = target is None and keeper.has_store and self._served.counts_tokens(scope)
        if scope["type"] == "lifespan":
            await self.app(scope, receive, keeper.following(send))
        elif not (target or counts) or not await self._lacks(api, scope):
            await self.app(scope, receive, send)
        elif target is not None:
            access_log.mark(scope, "here")
            await keeper.serve(target, scope, receive, send)
        else:
            access_log.mark(scope, "here")
            await token_count.serve(keeper, self._inner, self._profiles(scope), scope, receive, send)

    async def _keeper_for(self, endpoint: str, scope: Scope) -> Keeper | None:
        """Whoever keeps the answers of an API; what the application has is its own, however a request is served."""
        if self._keeper is None or self._detection is None:
            return self._keeper
        try:
            return self._keeper if await self._detection.translates(endpoint, scope) else None
        except DetectionError:  # it was known when the request was routed
            return None

    async def _lacks(self, api: Api, scope: Scope) -> bool:
        """Whether the application lacks an API, so that what is stored for its clients is stored here."""
        if self._detection is None:
            return api != self._api
        try:
            endpoint = ENDPOINTS[api]
            return await self._detection.translates(endpoint, self._served.api_scope(scope, endpoint))
        except DetectionError:
            return False

    async def _serve_with_trial(self, endpoint: str, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request; if it is refused because its model is at the other endpoint, try that one."""
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
        if second.refused:  # there is no such endpoint: the first refusal says more
            access_log.mark(scope, "translated" if translated else "passed")
            await trial.release()
            trial.leave_record()
        elif second.accepted:
            served = endpoint if translated else EXCHANGES[endpoint].endpoint
            self._models.remember(place, body, served)
            _log.warning("The upstream serves a model at POST %s only; requests for it go there from now on", served)

    async def _serve_once(
        self, endpoint: str, scope: Scope, receive: Receive, send: Send, trial: Trial | None = None
    ) -> bool:
        """Serve a request according to what is known of the upstream; return whether it was translated."""
        failure = None
        try:
            translated, receive = await self._translates(endpoint, scope, receive)
        except DetectionError as error:
            translated, failure = True, error
        if trial is not None and translated:
            trial.goes_to(EXCHANGES[endpoint].endpoint)
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
        """Translate a request or let it through; the record of a refused *trial* is left to the trial."""
        if not translated:
            access_log.mark(scope, "passed")
            await observed(self._inner, scope)(scope, receive, send)
            return
        access_log.mark(scope, "translated")
        recording = Recording(scope, self.on_exchange)
        scope, writer = recording.scope, ClientWriter(send)
        keeper = await self._keeper_for(endpoint, scope) if self._keeper and not failure else None
        request = TranslatedRequest(
            self._inner, scope, receive, writer, self.limits, endpoint, AnswerReader.of, keeper=keeper
        )
        try:
            await self._serve(request, scope, failure)
        finally:
            leave_record = recording.end(request, writer, self.profile, self._keep_patch(request, scope))
            if trial is not None and trial.refused:
                trial.hold_record(leave_record)
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
            await request.run(self._profiles(scope), self.strict)

    async def _translates(self, endpoint: str, scope: Scope, receive: Receive) -> tuple[bool, Receive]:
        """Return whether to translate a request, and the channel to read it from; raises DetectionError."""
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
        except DetectionError:  # the endpoint that exists is better than an error
            return False, receive

    def _raise_app_error(self, error: Exception) -> None:
        """Raise what the application raised, for the handlers and monitors of its host (W45)."""
        raise error

    def _keep_patch(self, request: TranslatedRequest[bytes], scope: Scope) -> ProfilePatch:
        """Keep what was learned from refusals, for later requests to the same model; return what is new."""
        patch = request.patch
        if not patch:
            return {}
        route: ModelRoute | None = scope.get(MODEL_ROUTE)
        model, profile = (request.body.get("model"), self.profile) if route is None else (route.model, route.profile)
        new = self._adaptation.add(scope["path"], model, profile, patch)
        if new:
            changes = ", ".join(f"{name}={_plain(value)!r}" for name, value in new.items())
            _log.warning("The upstream refused a request; settings changed for this model from now on: %s", changes)
        return new


def _plain(value: Any) -> Any:
    return sorted(value) if isinstance(value, frozenset) else value
