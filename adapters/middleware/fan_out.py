"""One request that is sent several times at once, because the upstream's API has no `n`."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Collection, Sequence
from time import monotonic
from typing import Any, Protocol, TypeVar

import anyio

from ...translator import Body, ChoiceMerger, Exchange, ProfilePatch, TranslationError
from ..asgi.types import ABOUT_THE_BODY, Headers, Message, Receive, without
from ..error_log import log_without_message
from ..limits import Limits
from . import diagnostics
from .attempt import Keep
from .sink import ClientGone, Sink

Event = dict[str, Any]
_log = logging.getLogger("diglot")
_REPEATED = 0.05  # seconds


class Branch(Protocol):
    """What is needed of a request for one choice."""

    @property
    def exchange(self) -> Exchange | None: ...
    @property
    def answer(self) -> dict[str, Any]: ...
    @property
    def error(self) -> TranslationError | None: ...
    @property
    def patch(self) -> ProfilePatch: ...


B = TypeVar("B", bound=Branch)


class FanOut:
    """Merges the answers of several branches: each writes to one of ``sinks`` and reads from :meth:`receive`.

    They write one at a time, so a slow client slows all branches. If one fails, all of them end. *keep* is called
    with the merged answer before the client gets its end.
    """

    def __init__(self, exchange: Exchange, sink: Sink[Any], limits: Limits, keep: Keep | None = None) -> None:
        self.sinks: list[BranchSink] = [BranchSink(self, number) for number in range(exchange.copies)]
        self.answer: dict[str, Any] = {}
        self.error: TranslationError | None = None
        self.patch: ProfilePatch = {}
        self._exchange = exchange
        self._sink = sink
        self._limits = limits
        self._merger = ChoiceMerger(exchange.copies, exchange.own_id)
        self._keep = keep
        self._branches: Sequence[Branch] = ()
        self._answers: dict[int, dict[str, Any]] = {}
        self._lock = anyio.Lock()
        self._disconnected = anyio.Event()

    async def run(self, branches: Sequence[B], receive: Receive, serve: Callable[[B], Awaitable[None]]) -> None:
        """Let *serve* run all *branches* at once; *receive* is the client's. Returns when all of them are over."""
        self._branches = branches
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._listen, receive)
            try:
                await self._run(branches, serve)
            except anyio.get_cancelled_exc_class():  # the server ends this task
                with anyio.CancelScope(shield=True), anyio.move_on_after(self._limits.shutdown):
                    await self._fail(self.sinks[0], diagnostics.shutting_down())
                raise
            tasks.cancel_scope.cancel()
        answers = [branch.answer for branch in branches]
        if all(answers):
            self.answer = self._merged(answers)

    async def _run(self, branches: Sequence[B], serve: Callable[[B], Awaitable[None]]) -> None:
        async def run_one(sink: BranchSink, branch: B) -> None:
            await serve(branch)
            await self._close(sink, branch)

        async with anyio.create_task_group() as tasks:
            for sink, branch in zip(self.sinks, branches, strict=True):
                tasks.start_soon(run_one, sink, branch)

    async def receive(self) -> Message:
        """The `receive` of a branch: returns when the branch should stop."""
        await self._disconnected.wait()
        return {"type": "http.disconnect"}

    async def _listen(self, receive: Receive) -> None:
        try:
            while (await receive())["type"] != "http.disconnect":  # noqa: ASYNC110
                await anyio.sleep(_REPEATED)  # a host that repeats the request at once must not stop all others
        except Exception as error:  # then nobody knows whether the client is there
            log_without_message(_log, "The server's receive()", error)
        if not self._sink.done:
            self._sink.leave()
            self._disconnected.set()

    async def take(self, branch: BranchSink, events: Sequence[Event], more: bool) -> None:
        """Take events of one branch's stream, the last ones if there are no *more*.

        If they give the client nothing, its connection is kept alive.
        """
        async with self._lock:
            if self._is_over():
                return
            frames = self._merger.take(branch.number, events, more)
            if frames or self._sink.sent_at + self._limits.keepalive / 2 <= monotonic():
                await self._write(branch, frames)

    def _merged(self, answers: Sequence[dict[str, Any]]) -> dict[str, Any]:
        merged, own_id = ChoiceMerger.answer(answers), self._exchange.own_id
        return {**merged, "id": own_id} if own_id else merged

    async def _write(self, branch: BranchSink, frames: list[bytes]) -> None:
        sink = self._sink
        if self._keep is not None and self._merger.ended:
            answers = [branch.answer for branch in self._branches]
            if all(answers):
                await self._keep(self._merged(answers))
        if not sink.started:
            await sink.open(self._headers(branch, ()), frames, not self._merger.ended)
        elif frames:
            await sink.write(frames, not self._merger.ended)
        else:
            await sink.keep_alive()
        if self._merger.ended:
            self._disconnected.set()

    async def take_whole(self, branch: BranchSink, answer: dict[str, Any]) -> None:
        """Take the whole answer of one branch."""
        async with self._lock:
            self._answers[branch.number] = answer
            if not self._is_over() and len(self._answers) == self._exchange.copies:
                merged = self._merged([self._answers[number] for number in sorted(self._answers)])
                if self._keep is not None:
                    await self._keep(merged)
                await self._sink.json(Body.of(merged), self._headers(branch, ABOUT_THE_BODY))

    def _is_over(self) -> bool:
        if not self._sink.done and self._sink.gone:
            raise ClientGone("the client has disconnected")
        return self._sink.done

    async def _close(self, sink: BranchSink, branch: Branch) -> None:
        """A branch has ended: keep its results, and end the others if it failed."""
        self.patch.update(branch.patch)
        self._exchange.report.add(branch.exchange.report if branch.exchange else ())
        if sink.gone:
            if not self._disconnected.is_set():  # then it was our client that left
                self._sink.leave()
            self._disconnected.set()
        elif branch.error is not None:
            self._disconnected.set()
            await self._fail(sink, branch.error)

    async def _fail(self, branch: BranchSink, error: TranslationError) -> None:
        """End with the first error of any branch; later ones are ignored."""
        if self.error is not None:
            return
        self.error = error
        sink = self._sink
        scope = anyio.move_on_after(self._limits.stalled)
        try:
            with scope:
                async with self._lock:
                    if not sink.started:
                        await sink.error(error, self._headers(branch, ABOUT_THE_BODY))
                    elif not sink.done:
                        await sink.write(self._merger.fail(error), more=False)
        except OSError:
            sink.leave()
        if scope.cancelled_caught:
            sink.leave()

    def _headers(self, branch: BranchSink, dropped: Collection[bytes]) -> Headers:
        """The headers of one branch, with the losses of all branches so far."""
        headers = without(branch.headers, {*dropped, b"diglot-losses"})
        losses = self._exchange.report.header()
        return [*headers, (b"diglot-losses", losses.encode("latin-1", "replace"))]  # never empty: `n` itself is a loss


class BranchSink:
    """The client of one branch: a `Sink` of events that passes everything to the `FanOut`."""

    def __init__(self, fan_out: FanOut, number: int) -> None:
        self.number: int = number
        self.headers: Headers = []
        self.started: bool = False
        self.done: bool = False
        self.gone: bool = False
        self.busy_since: float = 0.0
        self.sent_at: float = monotonic()
        self._fan_out = fan_out

    def leave(self) -> None:
        """The branch should stop."""
        self.gone = True

    async def open(self, headers: Headers, frames: Sequence[Event], more: bool = True) -> None:
        """Keep the headers; the client gets them with the first frames."""
        self.started, self.headers = True, headers
        await self.write(frames, more)

    async def write(self, frames: Sequence[Event], more: bool = True) -> None:
        """Pass events of the branch on."""
        self.done = not more
        await self._pass(self._fan_out.take, frames, more)

    async def keep_alive(self) -> None:
        """Keep the client's connection alive."""
        await self._pass(self._fan_out.take, (), True)

    async def json(self, body: Body, headers: Headers) -> None:
        """Pass the whole answer of the branch on."""
        self.started = self.done = True
        self.headers = headers
        await self._pass(self._fan_out.take_whole, body.answer)

    async def error(self, error: TranslationError, headers: Headers) -> None:
        """Keep the headers; the error itself is read when the branch is over."""
        self.started = self.done = True
        self.headers = headers

    async def _pass(self, take: Callable[..., Awaitable[None]], *values: Any) -> None:
        if self.gone:
            raise ClientGone("the client has disconnected")
        self.busy_since = monotonic()
        try:
            await take(self, *values)
        except OSError:
            self.gone = True
            raise
        finally:
            self.busy_since, self.sent_at = 0.0, monotonic()
