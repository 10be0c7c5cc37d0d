"""One request that goes to an upstream as it is, and the answer that comes back, within the same limits as others."""

from __future__ import annotations

import logging
from contextlib import aclosing
from functools import partial
from time import monotonic

import anyio

from ...translator import RequestError, TranslationError, UpstreamError
from ..asgi.late_task import start_late
from ..asgi.request_body import late
from ..asgi.types import Headers, Message, Receive, Scope, Send, hang_up, send_error, without
from ..limits import Limits
from ..middleware import diagnostics
from .client import Answer, Client, cause
from .upload import Upload

_log = logging.getLogger("diglot")
_NOT_KEPT = frozenset({b"date", b"server", b"alt-svc"})  # they are about the other server; ours adds its own


class PassThrough:
    """One exchange with the upstream at *place*. Errors before the answer begins become an answer; later ones are
    raised, because a cut must look like one.
    """

    def __init__(
        self, scope: Scope, receive: Receive, send: Send, limits: Limits, declared: int | None, place: str
    ) -> None:
        self._scope = scope
        self._receive = receive
        self._send = send
        self._limits = limits
        self._declared = declared
        self._place = place
        self._upload = Upload(receive, declared, limits.max_body)
        self._overdue: TranslationError | None = None
        self._began = monotonic()
        self._heard_at = 0.0  # when the upstream last said something
        self._sending_since = 0.0  # the client is to take something
        self._shortest = min(limits.request, limits.first_byte, limits.idle, limits.stalled)

    async def run(self, client: Client, url: str, headers: Headers) -> None:
        """Send the request, and hand on what comes back."""
        failure: BaseException | None = None
        over = False
        with anyio.CancelScope() as scope:
            stop = start_late(partial(self._watch, scope))
            try:
                await self._exchange(client, url, headers)
            except Exception as error:  # raised below, where nobody cancels any more
                failure = error
            finally:
                stop()
            over = True
        if not over:
            failure = self._overdue
        if failure is not None and not self._upload.gone:
            await self._fail(failure)

    async def _fail(self, failure: BaseException) -> None:
        """Answer with the error, or break off in the middle of the answer."""
        if isinstance(failure, TranslationError):
            self._tell(failure)
            if not self._heard_at:
                await send_error(self._send, failure, hang_up(self._scope) if isinstance(failure, RequestError) else [])
                return
        raise failure

    async def _exchange(self, client: Client, url: str, headers: Headers) -> None:
        content = await self._upload.content()
        length = len(content) if isinstance(content, bytes) else self._declared if content else None
        if length is not None:
            headers = [*headers, (b"content-length", b"%d" % length)]
        try:
            answer = await client.open(self._scope["method"], url, headers, content)
        except TranslationError:
            raise
        except Exception as error:  # what the layers below the client package let through
            _log.error("The upstream call to %s raised %s", self._place, cause(error))
            raise UpstreamError("The upstream call failed.") from None
        try:
            await self._pass_on(answer)
        finally:
            await answer.aclose()

    async def _pass_on(self, answer: Answer) -> None:
        """Hand the bytes on as they are: the headers that describe them stay true."""
        if not 200 <= answer.status <= 599:
            raise UpstreamError(f"The upstream answered with {answer.status}, which ends no request.")
        headers = without(answer.headers, _NOT_KEPT)
        self._heard_at = monotonic()
        await self._hand({"type": "http.response.start", "status": answer.status, "headers": headers})
        async with aclosing(answer.pieces()) as pieces:
            async for piece in pieces:
                if self._upload.gone:  # a flood outruns being cancelled, which waits for a pause
                    return
                await self._hand({"type": "http.response.body", "body": piece, "more_body": True})
        await self._hand({"type": "http.response.body", "body": b"", "more_body": False})

    async def _hand(self, message: Message) -> None:
        self._sending_since = monotonic()
        await self._send(message)
        self._sending_since = 0.0
        self._heard_at = monotonic()

    def _tell(self, error: TranslationError) -> None:
        """Let the operator know where the network failed, and how; the client only learns that it did."""
        if error.__cause__ is not None:
            _log.warning("Upstream %s: %s (%s)", self._place, error, cause(error.__cause__))
        elif self._heard_at:
            _log.warning("Upstream %s: %s", self._place, error)

    # the watch

    async def _watch(self, exchange: anyio.CancelScope) -> None:
        """End the *exchange* when the client goes away, or somebody takes too long."""
        while True:
            due, self._overdue = self._deadline()
            left = due - monotonic()
            if left <= 0:
                break
            with anyio.move_on_after(min(left, self._shortest)):  # until then, nothing new can have become due
                await self._until_gone()
                self._upload.gone = True
                break
        exchange.cancel()

    async def _until_gone(self) -> None:
        await self._upload.done.wait()
        while (await self._receive())["type"] != "http.disconnect":
            pass

    def _deadline(self) -> tuple[float, TranslationError | None]:
        """When the exchange ends, as things stand, and the error that it ends with; None: nobody would read it."""
        limits = self._limits
        if self._sending_since:
            return self._sending_since + limits.stalled, None
        if self._heard_at:
            return self._heard_at + limits.idle, diagnostics.too_slow()
        if not self._upload.done_at:
            return self._began + limits.request, late(limits)
        return self._upload.done_at + limits.first_byte, diagnostics.too_slow()
