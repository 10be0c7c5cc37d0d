"""One translated request: read it, call the upstream's application, and retry after a refusal that can be avoided."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from time import monotonic
from typing import Any, Generic, TypeVar

import anyio
import msgspec

from ...translator import (
    AnswerReader,
    Buffer,
    Exchange,
    Loss,
    Profile,
    ProfilePatch,
    ProtocolMisuse,
    Report,
    RequestBody,
    Retries,
    TranslationError,
    UpstreamError,
)
from ..asgi.request_body import Disconnected, Unreadable, read_object, timeout_error
from ..asgi.types import App, Headers, Receive, Scope, connection_close
from ..limits import Limits
from ..stateful.failures import failure_of
from ..stateful.keeper import Keeper
from ..stateful.turns import seals_alone, turn_of
from . import deployments, diagnostics
from .attempt import Keep, UpstreamAttempt
from .deadlines import Supervisor
from .fan_out import FanOut
from .noted_call import noted
from .notes import notes_of
from .observers import observed
from .sink import Sink
from .summary import SummarySink, summary_in
from .translation import Translation
from .upstream_scope import upstream_receive, upstream_scope

_log = logging.getLogger("diglot")
Frame = TypeVar("Frame")


class TranslatedRequest(Generic[Frame]):
    """The life of one request. :meth:`run` returns when the client has its answer or has disconnected.

    *read_answer* makes the reader of an answer: `AnswerReader.of`, or `AnswerReader.of_events` for one of several
    choices.
    """

    def __init__(
        self,
        app: App,
        scope: Scope,
        receive: Receive,
        sink: Sink[Frame],
        limits: Limits,
        endpoint: str,
        read_answer: Callable[..., AnswerReader[Frame]],
        *,
        is_copy: bool = False,
        keeper: Keeper | None = None,
    ) -> None:
        self.sink: Sink[Frame] = sink
        self.attempt: UpstreamAttempt[Frame] | None = None
        self.app_error: Exception | None = None
        """What the application raised before it was told to stop: for the host."""
        self._app = app
        self._translation = Translation(scope, endpoint)
        self._bodies = self._translation.bodies
        self._scope = scope
        self._receive = receive
        self._limits = limits
        self._endpoint = endpoint
        self._read_answer = read_answer
        self._keeper = keeper
        self._is_repeated = is_copy  # the upstream gets several requests for the client's one
        self._error: TranslationError | None = None
        self._failure: TranslationError | None = None
        self._retries = Retries()
        self._supervisor = Supervisor(receive, sink, limits)
        self._fan_out: FanOut | None = None

    @property
    def exchange(self) -> Exchange | None:
        """The request as it was last translated."""
        return self._translation.exchange

    @property
    def profile(self) -> Profile | None:
        """The profile with which it was translated."""
        return self._translation.profile

    @property
    def body(self) -> dict[str, Any]:
        """The client's request; large payloads may be missing."""
        return self._bodies.received.body

    @property
    def patch(self) -> ProfilePatch:
        """The settings that had to change, once the upstream has accepted a request with them."""
        if self._fan_out is not None:
            return self._fan_out.patch
        return self._retries.patch if self.attempt is not None and self.attempt.reader.accepted else {}

    @property
    def answer(self) -> dict[str, Any]:
        """What the client got, as one body; empty after an error."""
        if self._fan_out is not None:
            return self._fan_out.answer
        return self.attempt.reader.answer if self.attempt is not None else {}

    @property
    def error(self) -> TranslationError | None:
        """Why there is no answer, or no complete one."""
        if self._error is None and self._fan_out is not None:
            return self._fan_out.error
        return self._error or (self.attempt.reader.error if self.attempt is not None else None)

    @property
    def losses(self) -> list[Loss]:
        """What could not be carried over."""
        return list(self._losses)

    @property
    def loss_count(self) -> int:
        """How many of them there are."""
        return len(self._losses)

    @property
    def _losses(self) -> Report | tuple[Loss, ...]:
        exchange = self._translation.exchange
        return exchange.report if exchange else getattr(self._error, "losses", ())

    async def run(self, profile_for: Callable[[object], Profile], strict: bool) -> None:
        """Serve the request; *profile_for* returns the profile of a model, ``patch`` afterwards what was learned."""

        async def read_and_serve(scope: anyio.CancelScope) -> None:
            if await self._read() and (self._keeper is None or await self._load(self._keeper)):
                await self._serve(profile_for(self.body.get("model")), strict, scope)

        try:
            await self._supervised(read_and_serve, strict)
        finally:
            if (turn := self._translation.turn) is not None:
                await turn.release()

    async def serve(self, received: RequestBody, profile: Profile, strict: bool, encoded: Sequence[Buffer]) -> None:
        """Serve a request that has been read; if its translation equals *encoded*, those bytes are sent."""
        self._bodies.take(received, encoded)
        self._supervisor.has_request()
        await self._supervised(lambda scope: self._serve(profile, strict, scope), strict)

    async def _supervised(self, work: Callable[[anyio.CancelScope], Awaitable[None]], strict: bool) -> None:
        """Do *work*, and what follows from it, while somebody looks at the clock and at the client."""
        try:
            with anyio.CancelScope() as scope:
                self._supervisor.begin(scope)
                await work(scope)
            if self._supervisor.is_late and not self.sink.started:
                await self.refuse(timeout_error(self._limits), connection_close(self._scope))
            await self._settle(strict)
        except anyio.get_cancelled_exc_class():
            await self._end_on_shutdown()
            raise
        finally:
            await self._supervisor.end()

    async def refuse(self, error: TranslationError, headers: Headers | None = None) -> None:
        """Answer with an error of ours."""
        self._error = error
        await self._tell(self.sink.error(error, headers or []))

    async def _tell(self, telling: Coroutine[Any, Any, None]) -> None:
        """Tell the client how it ended, unless it takes too long to listen."""
        scope = anyio.move_on_after(self._limits.stalled)
        try:
            with scope:
                await telling
        except OSError:
            self.sink.leave()
        if scope.cancelled_caught:
            self.sink.leave()

    async def _read(self) -> bool:
        """Read the request; return whether it can be served."""
        try:
            received = await read_object(self._scope, self._receive, self._limits)
            self._supervisor.has_request()
            self._bodies.take(received)
        except Disconnected:
            self.sink.leave()
        except Unreadable as unreadable:
            self._supervisor.has_request()
            await self.refuse(unreadable.error, connection_close(self._scope))
        except TranslationError as error:
            self._supervisor.has_request()
            await self.refuse(error)
        else:
            return True
        return False

    async def _load(self, keeper: Keeper) -> bool:
        """Load what the request continues; return whether it can be served."""
        seals = seals_alone(keeper, self._scope, self._endpoint, self.body)
        if seals is not None:
            self._translation.seals = seals
            return True
        try:
            turn = await turn_of(keeper, self._scope, self._endpoint, self.body)
            self._translation.turn, self._translation.seals = turn, turn.seals
            await turn.load()
        except Exception as error:
            await self.refuse(*failure_of(error, self._limits.max_history))
            return False
        return True

    async def _serve(self, profile: Profile, strict: bool, scope: anyio.CancelScope) -> None:
        """Translate the request and call the upstream, inside *scope*, which the supervisor may cancel."""
        self.attempt = None
        try:
            began = monotonic()
            exchange = await self._translation.make(profile, strict)
            if (notes := notes_of(self._scope)) is not None:
                notes.request_seconds += monotonic() - began
            if exchange.manages_context and (summarized := self._translation.summary_request()) is not None:
                exchange = await self._translate_behind_summary(summarized, profile, strict)
            if self.sink.gone:  # while a large request was translated, or summarized
                return
            if exchange.copies == 1:
                await self._call(exchange, profile, scope)
            else:
                await self._supervisor.end()  # each copy has its own
                await self._send_copies(exchange, profile, strict)
        except TranslationError as error:
            await self.refuse(error)

    async def _settle(self, strict: bool) -> None:
        """End an answer that is not complete; retry as long as a refusal leads to a better profile."""
        while (attempt := self.attempt) is not None and not self.sink.gone:
            if not attempt.ended_at:
                error = self._failure or UpstreamError("The upstream ended without a complete answer.")
                await self._tell(attempt.fail(error))
            if attempt.retry is None:
                return
            self._translation.leave_out(attempt.retry.left_out)
            self._is_repeated = True
            with anyio.CancelScope() as scope:
                await self._serve(attempt.retry.profile, strict, scope)

    async def _translate_behind_summary(self, summarized: dict[str, Any], profile: Profile, strict: bool) -> Exchange:
        """Have the history summarized, and translate the request again; without a summary, the history stays."""
        received = self._bodies.received
        if received.has_payloads:
            await anyio.to_thread.run_sync(received.whole)
            await self._translation.make(profile, strict)
            summarized = self._translation.summary_request() or summarized
        asking = self._another("/responses", self._receive, SummarySink(self.sink), self._limits)
        await asking.serve(RequestBody(summarized), profile, strict, ())
        self._retries.patch.update(asking.patch)
        return await self._translation.behind(summary_in(asking.answer), asking.profile or profile, strict)

    async def _send_copies(self, exchange: Exchange, profile: Profile, strict: bool) -> None:
        """Send the request once per choice: each branch is a request of its own."""
        request, received = self._bodies.request, RequestBody({**self.body, "n": 1})
        if exchange.own_id:  # it is kept here, once
            received.body["store"] = False
        self._fan_out = fan_out = FanOut(exchange, self.sink, self._limits, self._keep)
        limits = _shared_by(exchange.copies, self._limits)
        branches = [self._another(self._endpoint, fan_out.receive, sink, limits) for sink in fan_out.sinks]
        await fan_out.run(branches, self._receive, lambda branch: branch.serve(received, profile, strict, request))
        self.app_error = next((branch.app_error for branch in branches if branch.app_error), None)

    def _another(
        self, endpoint: str, receive: Receive, sink: Sink[dict[str, Any]], limits: Limits
    ) -> TranslatedRequest[dict[str, Any]]:
        """Return another request of the same client, whose answer is read as events."""
        made = TranslatedRequest(
            self._app, self._scope, receive, sink, limits, endpoint, AnswerReader.of_events, is_copy=True
        )
        made._translation.seals = self._translation.seals
        return made

    async def _call(self, exchange: Exchange, profile: Profile, scope: anyio.CancelScope) -> None:
        """Call the application once."""
        bodies, supervisor = self._bodies, self._supervisor
        attempt = self.attempt = UpstreamAttempt(
            self._read_answer(exchange, self._limits, self._retries),
            self.sink,
            self._limits,
            changed=supervisor.changed,
            check=bodies.check,
            release=bodies.release,
            keep=self._keep if self._translation.turn is not None else None,
        )
        self._failure = None
        inner, receive = self._inner_scope(exchange, profile), upstream_receive(bodies.request, attempt.disconnect)
        supervisor.watch(attempt, scope)
        if (
            self._translation.is_summarized and self.sink.started
        ):  # to keep the connection alive while a summary was written
            await attempt.begin()
        call = noted(exchange, self.body, inner, attempt)
        try:
            outer = inner if call is None else call.scope
            await observed(self._app, outer)(outer, receive, attempt.send)
        except Exception as error:
            self._failure = self._error_for_client(error, attempt.complete or not attempt.disconnect.is_set)
        finally:
            if call is not None:
                call.end(self._failure, self.sink.gone)

    def _error_for_client(self, app_error: Exception, is_unexpected: bool) -> TranslationError:
        """Return the error for the client when the application raises; keep the exception if it is unexpected."""
        error = app_error
        while isinstance(error, ExceptionGroup) and len(error.exceptions) == 1:
            error = error.exceptions[0]
        if isinstance(error, TranslationError) and not isinstance(error, ProtocolMisuse):  # a body before its head
            return error
        if is_unexpected and not self.sink.gone:
            self.app_error = app_error
        return UpstreamError("The application behind this server failed.")

    async def _end_on_shutdown(self) -> None:
        """The server cancels this task: the client gets an error instead of a cut."""
        attempt = self.attempt
        with anyio.CancelScope(shield=True), anyio.move_on_after(self._limits.shutdown):
            try:
                if attempt is not None and not attempt.ended_at:
                    await attempt.fail(diagnostics.shutting_down())
                elif not self.sink.started and not self.sink.gone:
                    await self.refuse(diagnostics.shutting_down())
            except OSError:
                self.sink.leave()

    @property
    def _keep(self) -> Keep | None:
        turn = self._translation.turn
        return turn.keep if turn is not None and turn.keeps else None

    # What the application gets

    def _inner_scope(self, exchange: Exchange, profile: Profile) -> Scope:
        endpoint, size = exchange.endpoint, sum(map(len, self._bodies.request))
        streams, is_repeated = exchange.request.get("stream") is True, self._is_repeated
        inner = upstream_scope(self._scope, self._endpoint, endpoint, size, streams=streams, is_repeated=is_repeated)
        return deployments.relocate(inner, endpoint, exchange.request.get("model")) if profile.deployments else inner


def _shared_by(copies: int, limits: Limits) -> Limits:
    """Share the limits on memory among the branches."""
    shared = {name: max(1, getattr(limits, name) // copies) for name in ("max_answer", "max_stream", "max_error")}
    return msgspec.structs.replace(limits, **shared)
