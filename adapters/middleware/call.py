"""One request that is translated: read it, call the upstream's application, once more if it taught us something."""

from __future__ import annotations

import logging
import secrets
import time
import traceback
from collections.abc import Callable
from functools import partial
from typing import Any

import anyio
import msgspec

from ...translator import Buffer, Exchange, Loss, Profile, RequestBody, RequestError, TranslationError, UpstreamError
from ..asgi.request_body import Disconnected, Unreadable, read_object
from ..asgi.types import App, Headers, Receive, Scope, Send, hang_up
from ..limits import Limits
from . import deployments, diagnostics
from .attempt import Relay, learn_nothing
from .client_writer import Outlet
from .deadlines import Watch
from .fan_out import FanOut
from .routes import SERVED
from .upstream_scope import upstream_receive, upstream_scope

_log = logging.getLogger("diglot")
_MOST_RETRIES = 2


class Call:
    """The life of one request. :meth:`run` returns when the client has its answer, or has gone."""

    def __init__(
        self,
        app: App,
        scope: Scope,
        receive: Receive,
        send: Send,
        limits: Limits,
        endpoint: str,
        *,
        is_copy: bool = False,
    ) -> None:
        self.outlet = Outlet(send)
        self.exchange: Exchange | None = None
        self.relay: Relay | None = None
        self.profile: Profile | None = None
        self._app = app
        self._sent = _Sent()
        self._scope = scope
        self._receive = receive
        self._limits = limits
        self._endpoint = endpoint
        self._is_repeated = is_copy  # the upstream gets more than one request for the client's one
        self.raised: Exception | None = None
        """What the application raised, unless it was dismissed: it is for the host."""
        self._error: TranslationError | None = None
        self._lessons: dict[str, Any] = {}
        self._watch = Watch(self.outlet, limits)
        self._fan_out: FanOut | None = None

    @property
    def body(self) -> dict[str, Any]:
        """The client's request; payloads in it may be missing."""
        return self._sent.received.body

    @property
    def lessons(self) -> dict[str, Any]:
        """The settings of the profile that had to be others, once the upstream has accepted a request with them."""
        if self._fan_out is not None:
            return self._fan_out.lessons
        return self._lessons if self.relay is not None and self.relay.accepted else {}

    @property
    def answer(self) -> dict[str, Any]:
        """What the client was told, as one body; empty if it was an error."""
        teller = self._fan_out or self.relay
        return teller.answer if teller else {}

    @property
    def error(self) -> TranslationError | None:
        """Why there is no answer, or not all of one."""
        teller = self._fan_out or self.relay
        return self._error or (teller.error if teller else None)

    @property
    def losses(self) -> list[Loss]:
        """What could not be carried over."""
        return list(self.exchange.report if self.exchange else getattr(self._error, "losses", ()))

    async def run(self, profile_for: Callable[[object], Profile], strict: bool) -> None:
        """Serve the request; *profile_for* says what the upstream is like with a model, ``lessons`` afterwards what it
        is like, too.
        """
        try:
            self._sent.received = await read_object(self._scope, self._receive, self._limits)
        except Disconnected:
            self.outlet.gone = True
        except Unreadable as unreadable:
            await self.refuse(unreadable.error, hang_up(self._scope))
        except TranslationError as error:
            await self.refuse(error)
        else:
            await self._serve(profile_for(self.body.get("model")), strict)

    async def serve(self, received: RequestBody, profile: Profile, strict: bool, like: list[Buffer]) -> None:
        """Serve a request that has been read. If its translation is *like* bytes that are there, these are sent."""
        self._sent.received, self._sent.request = received, like
        await self._serve(profile, strict)

    async def _serve(self, profile: Profile, strict: bool) -> None:
        self.profile = profile
        try:
            exchange = await self._translate(strict)
        except TranslationError as error:
            await self.refuse(error)
        else:
            await (self._watched(strict) if exchange.copies == 1 else self._several(exchange.copies, strict))

    async def refuse(self, error: TranslationError, headers: Headers | None = None) -> None:
        """Answer with an error of ours."""
        self._error = error
        try:
            await self.outlet.error(error, headers or [])
        except OSError:
            self.outlet.gone = True

    async def _translate(self, strict: bool) -> Exchange:
        """Start anew with the profile as it is known now; what is large is translated beside the event loop."""
        assert self.profile is not None
        serve = partial(SERVED[self._endpoint], profile=self.profile, strict=strict, new_id=new_id, clock=time.time)
        sent, named = self._sent, self._deployment()
        translate = partial(sent.received.translate, serve if named is None else _for_model(named, serve))
        try:
            made = await anyio.to_thread.run_sync(translate) if sent.received.is_large else translate()
        except RecursionError:
            raise RequestError("The request is nested too deeply.") from None
        except TranslationError:
            raise
        except Exception as error:  # a mistake of ours: the client gets an answer all the same
            log_without_words(_log, "The translation", error)
            raise TranslationError("The request could not be translated.") from None
        self.exchange, request = made
        sent.request = sent.request if request == sent.request else request
        return self.exchange

    async def _several(self, copies: int, strict: bool) -> None:
        """Send the request several times: each branch is a call of its own, for one choice."""
        assert self.exchange is not None
        assert self.profile is not None
        profile, request, received = self.profile, self._sent.request, RequestBody({**self.body, "n": 1})
        self._fan_out = fan_out = FanOut(self.exchange, self.outlet, self._limits)
        limits = _shared_by(copies, self._limits)
        branches = [
            Call(self._app, self._scope, fan_out.receive, fan_out.send_of(branch), limits, self._endpoint, is_copy=True)
            for branch in range(copies)
        ]
        await fan_out.run(branches, self._receive, lambda branch: branch.serve(received, profile, strict, request))
        self.raised = next((branch.raised for branch in branches if branch.raised), None)

    async def _watched(self, strict: bool) -> None:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._watch.run, self._receive, tasks.cancel_scope)
            try:
                await self._attempts(strict)
            except TranslationError as error:  # only a changed profile in strict mode gets here
                await self.refuse(error)
            except OSError:
                self.outlet.gone = True
            self._watch.end()

    async def _attempts(self, strict: bool) -> None:
        """Call the application; up to two times more if a refusal taught us how it takes the request."""
        retries, relay = 0, await self._attempt(may_learn=True)
        while relay.learned is not None and not self.outlet.gone:
            retries += 1
            self.profile, self._is_repeated = relay.learned, True
            await self._translate(strict)
            relay = await self._attempt(may_learn=retries < _MOST_RETRIES)

    async def _attempt(self, may_learn: bool) -> Relay:
        assert self.exchange is not None
        assert self.profile is not None
        watch = self._watch
        # no methods of this call: that would be a cycle
        sent = self._sent
        learn = partial(_learned, sent, self.exchange, self.profile, self._lessons) if may_learn else learn_nothing
        relay = self.relay = Relay(self.exchange, self.outlet, self._limits, watch.changed, learn, sent.release)
        failure: TranslationError = UpstreamError("The upstream ended without a complete answer.")
        watch.begin(relay)
        with watch.inner:
            try:
                await self._app(self._inner_scope(), upstream_receive(sent.request, watch.dismissed), relay.send)
            except Exception as error:
                failure = self._reason(error, relay.complete or not watch.dismissed.is_set())
            except anyio.get_cancelled_exc_class():
                if not watch.inner.cancel_called:
                    await self._farewell(relay)
                raise
        await self.outlet.free()
        if not relay.over and not self.outlet.gone:
            await relay.fail(failure)
        return relay

    def _reason(self, raised: Exception, is_news: bool) -> TranslationError:
        """What the client is told when the application raises; what it raises when dismissed says only that."""
        error = raised
        while isinstance(error, ExceptionGroup) and len(error.exceptions) == 1:
            error = error.exceptions[0]
        if isinstance(error, TranslationError):
            return error
        if is_news and not self.outlet.gone:
            self.raised = raised
        return UpstreamError("The application behind this server failed.")

    async def _farewell(self, relay: Relay) -> None:
        """The server ends this task: a stream must not look as if it had only been cut."""
        with anyio.CancelScope(shield=True), anyio.move_on_after(self._limits.shutdown):
            try:
                await relay.fail(diagnostics.shutting_down())
            except OSError:
                self.outlet.gone = True

    # What the application sees

    def _inner_scope(self) -> Scope:
        assert self.exchange is not None
        theirs, size = self.exchange.endpoint, sum(map(len, self._sent.request))
        streams, is_repeated = self.exchange.request.get("stream") is True, self._is_repeated
        inner = upstream_scope(self._scope, self._endpoint, theirs, size, streams=streams, is_repeated=is_repeated)
        if self.profile is not None and self.profile.deployments:
            return deployments.moved(inner, theirs, self.exchange.request.get("model"))
        return inner

    def _deployment(self) -> str | None:
        """The model that the path names, where paths do that."""
        if self.profile is None or not self.profile.deployments:
            return None
        return deployments.named(self._scope["path"], self._endpoint)


def _for_model(model: str, serve: Callable[[Any], Exchange]) -> Callable[[Any], Exchange]:
    """*serve* for a request whose path names the model: then its body need not."""
    return lambda body: serve({**body, "model": model} if isinstance(body, dict) else body)


class _Sent:
    """A request as it was received and as it is sent, until the upstream has accepted it."""

    def __init__(self) -> None:
        self.received = RequestBody({})
        self.request: list[Buffer] = []

    def release(self) -> None:
        """Keep only what the record of the exchange tells."""
        body = self.received.body
        self.received, self.request = RequestBody({name: body[name] for name in _TOLD if name in body}), []


_TOLD = ("model", "stream")


async def _learned(
    sent: _Sent, exchange: Exchange, profile: Profile, known: dict[str, Any], status: int, body: bytes
) -> Profile | None:
    """A profile to try again with: nothing is changed twice, so trying has an end. (Sets may grow.)"""
    if sent.received.is_large:
        await anyio.to_thread.run_sync(sent.received.check)
    else:
        sent.received.check()
    learned = exchange.learned(status, body)
    lessons = {} if learned is None else differences(profile, learned)
    again = [name for name in lessons if name in known and not isinstance(lessons[name], frozenset)]
    if not lessons or again:
        return None
    known.update(lessons)
    return learned


def _shared_by(copies: int, limits: Limits) -> Limits:
    """The branches together may need as much memory as one call."""
    shared = {name: max(1, getattr(limits, name) // copies) for name in ("max_answer", "max_stream", "max_error")}
    return msgspec.structs.replace(limits, **shared)


def log_without_words(log: logging.Logger, who: str, error: Exception) -> None:
    """Log where *error* happened, without what the exception says: that may be anybody's words."""
    log.error("%s raised %s\n%s", who, type(error).__qualname__, "".join(traceback.format_tb(error.__traceback__)))
    log.debug("The same in full", exc_info=error)


def differences(before: Profile, after: Profile) -> dict[str, Any]:
    """The settings of *after* that are others than in *before*."""
    values = {name: getattr(after, name) for name in Profile.__struct_fields__}
    return {name: value for name, value in values.items() if value != getattr(before, name)}


def new_id(prefix: str) -> str:
    """Return a fresh identifier that nobody can guess."""
    return f"{prefix}_{secrets.token_hex(16)}"
