"""One request that is forwarded unchanged, and its answer, within the same limits as translated ones."""

from __future__ import annotations

import logging
from contextlib import aclosing
from functools import partial
from time import monotonic

import anyio

from ...translator import RequestError, TranslationError, UpstreamError
from ..asgi.late_task import start_late
from ..asgi.request_body import timeout_error
from ..asgi.types import (
    Headers,
    Message,
    Receive,
    Scope,
    Send,
    connection_close,
    send_error,
    without,
)
from ..limits import Limits
from ..middleware import diagnostics
from ..middleware.notes import Attempt, notes_of, result_of
from .client import Answer, Client, cause
from .failure import note_failure
from .masking import Masking
from .upload import Upload

_log = logging.getLogger("diglot")
_REPEATED = 0.05  # seconds
_NOT_KEPT = frozenset({b"date", b"server", b"alt-svc"})  # they describe the other server; ours adds its own


class PassThrough:
    """One exchange with the upstream that has these *names*: for notes, and of its host.

    Errors before the answer begins become an answer; later ones are raised, because a cut must look like one.
    """

    def __init__(
        self,
        scope: Scope,
        receive: Receive,
        send: Send,
        limits: Limits,
        declared: int | None,
        names: tuple[str, str],
        masking: Masking,
    ) -> None:
        self._scope = scope
        self._receive = receive
        self._send = send
        self._limits = limits
        self._declared = declared
        self._name, self._netloc = names
        self._masking = masking
        self._upload = Upload(receive, declared, limits.max_body)
        self._timeout_error: TranslationError | None = None
        self._started_at = monotonic()
        self._received_at = 0.0  # when the upstream last sent something
        self._status = 0  # the upstream's
        self._sending_since = 0.0  # since when the client has been asked to take something
        self._shortest = min(limits.request, limits.first_byte, limits.idle, limits.stalled)

    async def run(self, client: Client, url: str, headers: Headers) -> None:
        """Send the request, and pass on the answer."""
        failure: BaseException | None = None
        over = False
        try:
            with anyio.CancelScope() as scope:
                stop = start_late(partial(self._watch, scope))
                try:
                    await self._exchange(client, url, headers)
                except Exception as error:  # raised below, outside the scope
                    failure = error
                finally:
                    stop()
                over = True
            if not over:
                failure = self._timeout_error
        finally:
            self._note(None if self._upload.gone else failure)
        if failure is not None and not self._upload.gone:
            await self._fail(failure)

    def _note(self, failure: BaseException | None) -> None:
        """Note how this call of the upstream has ended, unless it was the request that failed."""
        notes = notes_of(self._scope)
        if notes is not None and not isinstance(failure, RequestError):
            notes.attempts.append(Attempt(self._name, result_of(self._status, failure), notes.replica))

    async def _fail(self, failure: BaseException) -> None:
        """Answer with the error, or break off the answer that has begun."""
        if isinstance(failure, TranslationError):
            self._log_failure(failure)
            if not self._received_at:
                is_ours = isinstance(failure, RequestError)
                headers = connection_close(self._scope) if is_ours else []
                if not is_ours:
                    note_failure(self._scope, failure)
                with anyio.move_on_after(self._limits.stalled):
                    await send_error(self._send, failure, headers)
                return
        raise failure

    async def _exchange(self, client: Client, url: str, headers: Headers) -> None:
        answer = await self._open(client, url, headers)
        try:
            await self._forward_answer(answer)
        finally:
            await answer.aclose()

    async def _open(self, client: Client, url: str, headers: Headers) -> Answer:
        """Send the request; its body is let go of before the answer, which may take minutes."""
        content = await self._upload.content()
        length = len(content) if isinstance(content, bytes) else self._declared if content else None
        if length is not None:
            headers = [*headers, (b"content-length", b"%d" % length)]
        try:
            return await client.open(self._scope["method"], url, headers, content)
        except TranslationError:
            raise
        except Exception as error:  # exceptions that the HTTP package does not wrap
            _log.error("The upstream call to %s raised %s", self._netloc, cause(error))
            raise UpstreamError("The upstream call failed.") from None

    async def _forward_answer(self, answer: Answer) -> None:
        """Pass the bytes on, and as many as there are, so that the headers that describe them still hold."""
        if not 200 <= answer.status <= 599:
            raise UpstreamError(f"The upstream answered with {answer.status}, which is not a final status.")
        self._status = answer.status
        headers, masking, is_masked = without(answer.headers, _NOT_KEPT), self._masking, False
        if masking.applies(answer.status):
            headers, is_masked = masking.headers(headers), True
        self._received_at = monotonic()
        await self._forward({"type": "http.response.start", "status": answer.status, "headers": headers})
        async with aclosing(answer.pieces()) as raw, aclosing(masking.pieces(raw) if is_masked else raw) as pieces:
            async for piece in pieces:
                if self._upload.gone:  # a fast stream may never pause, and cancellation needs a pause
                    return
                await self._forward({"type": "http.response.body", "body": piece, "more_body": True})
        await self._forward({"type": "http.response.body", "body": b"", "more_body": False})

    async def _forward(self, message: Message) -> None:
        self._sending_since = monotonic()
        await self._send(message)
        self._sending_since = 0.0
        self._received_at = monotonic()

    def _log_failure(self, error: TranslationError) -> None:
        """Log where and how the network failed; the client is only told that it did."""
        if error.__cause__ is not None:
            _log.warning("Upstream %s: %s (%s)", self._netloc, error, cause(error.__cause__))
        elif self._received_at:
            _log.warning("Upstream %s: %s", self._netloc, error)

    # Deadlines

    async def _watch(self, exchange: anyio.CancelScope) -> None:
        """End the *exchange* when the client disconnects or a deadline passes."""
        while True:
            due, self._timeout_error = self._deadline()
            left = due - monotonic()
            if left <= 0:
                break
            with anyio.move_on_after(min(left, self._shortest)):  # no deadline can come sooner
                await self._until_gone()
                self._upload.gone = True
                break
        exchange.cancel()

    async def _until_gone(self) -> None:
        await self._upload.done.wait()
        while (await self._receive())["type"] != "http.disconnect":  # noqa: ASYNC110
            await anyio.sleep(_REPEATED)  # a host that repeats the request at once must not stop all others

    def _deadline(self) -> tuple[float, TranslationError | None]:
        """Return the current deadline, and the error if it passes (None: the client would not read it)."""
        limits = self._limits
        if self._sending_since:
            return self._sending_since + limits.stalled, None
        if self._received_at:
            return self._received_at + limits.idle, diagnostics.too_slow()
        if not self._upload.done_at:
            return self._started_at + limits.request, timeout_error(limits)
        return self._upload.done_at + limits.first_byte, diagnostics.too_slow()
