"""One request that is sent several times at once, because the upstream's API has no word for several choices."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Sequence
from time import monotonic
from typing import Any, Protocol, TypeVar

import anyio

from ...translator import Branches, Exchange, TranslationError, decode_json
from ..asgi.types import ABOUT_THE_BODY, Headers, Message, Receive, Send, without
from ..limits import Limits
from . import diagnostics
from .attempt import KEEPALIVE
from .client_writer import ClientGone, Outlet


class Branch(Protocol):
    """What is used of a call that serves one choice."""

    outlet: Outlet
    exchange: Exchange | None

    @property
    def answer(self) -> dict[str, Any]: ...
    @property
    def error(self) -> TranslationError | None: ...
    @property
    def lessons(self) -> dict[str, Any]: ...


B = TypeVar("B", bound=Branch)


class FanOut:
    """Merges what branches say: each of them writes to :meth:`send_of` and listens to :meth:`receive` as to a client.

    There is one pen: a slow client slows all branches. A branch that fails ends all of them.
    """

    def __init__(self, exchange: Exchange, outlet: Outlet, limits: Limits) -> None:
        self.answer: dict[str, Any] = {}
        self.error: TranslationError | None = None
        self.lessons: dict[str, Any] = {}
        self._exchange = exchange
        self._outlet = outlet
        self._limits = limits
        self._merged = Branches(exchange.copies)
        self._heads: dict[int, Message] = {}
        self._bodies: dict[int, bytes] = {}
        self._pen = anyio.Lock()
        self._dismissed = anyio.Event()

    async def run(self, branches: Sequence[B], receive: Receive, serve: Callable[[B], Awaitable[None]]) -> None:
        """Let *serve* run all *branches* at once; *receive* is the client's. Returns when all of them are over."""
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._listen, receive)
            try:
                await self._run(branches, serve)
            except anyio.get_cancelled_exc_class():  # the server ends this task
                with anyio.CancelScope(shield=True), anyio.move_on_after(self._limits.shutdown):
                    await self._fail(0, diagnostics.shutting_down())
                raise
            tasks.cancel_scope.cancel()
        answers = [branch.answer for branch in branches]
        if all(answers):
            self.answer = Branches.answer(answers)

    async def _run(self, branches: Sequence[B], serve: Callable[[B], Awaitable[None]]) -> None:
        async def run_one(number: int, branch: B) -> None:
            await serve(branch)
            await self._over(number, branch)

        async with anyio.create_task_group() as tasks:
            for number, branch in enumerate(branches):
                tasks.start_soon(run_one, number, branch)

    async def receive(self) -> Message:
        """What a branch hears of its client: only when it is to stop."""
        await self._dismissed.wait()
        return {"type": "http.disconnect"}

    def send_of(self, number: int) -> Send:
        """Return what a branch sends its answer to."""

        async def send(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._heads[number] = message
            elif self._heads[number]["status"] == 200:  # of errors, the words come later: from _over
                await self._take(number, message["body"])

        return send

    async def _listen(self, receive: Receive) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        if not self._outlet.done:
            self._outlet.gone = True
            self._dismissed.set()

    async def _take(self, number: int, body: bytes) -> None:
        async with self._pen:
            if self._outlet.done:
                return
            if self._outlet.gone:
                raise ClientGone("the client has gone")
            if self._exchange.streaming:
                await self._stream(number, self._merged.take(number, body))
            else:
                await self._collect(number, body)

    async def _stream(self, number: int, frames: bytes) -> None:
        """Comments of branches keep the client's connection alive where nothing else does."""
        if not frames and monotonic() - self._outlet.sent_at < self._limits.keepalive / 2:
            return
        if not self._outlet.started:
            await self._outlet.open(200, self._headers(number, ()))
        await self._outlet.write(frames or KEEPALIVE, not self._merged.ended)
        if self._merged.ended:
            self._dismissed.set()

    async def _collect(self, number: int, body: bytes) -> None:
        """A finished answer comes in one piece."""
        self._bodies[number] = body
        if len(self._bodies) == self._exchange.copies:
            answers = [decode_json(self._bodies[number], None) for number in sorted(self._bodies)]
            await self._outlet.json(200, Branches.answer(answers), self._headers(number))

    async def _over(self, number: int, branch: Branch) -> None:
        """A branch has ended, and with it perhaps all of it."""
        self.lessons.update(branch.lessons)
        self._exchange.report.add(branch.exchange.report if branch.exchange else ())
        if branch.outlet.gone:
            self._outlet.gone = self._outlet.gone or not self._dismissed.is_set()  # its client is ours
            self._dismissed.set()
        elif branch.error is not None:
            self._dismissed.set()
            await self._fail(number, branch.error)

    async def _fail(self, number: int, error: TranslationError) -> None:
        """The first error is that of all; it may have been told already, in the stream."""
        if self.error is not None:
            return
        self.error = error
        patience = anyio.move_on_after(self._limits.stalled)
        try:
            with patience:
                async with self._pen:
                    if not self._outlet.started:
                        await self._outlet.error(error, self._headers(number))
                    elif not self._outlet.done:
                        await self._outlet.write(self._merged.fail(error), more=False)
        except OSError:
            self._outlet.gone = True
        self._outlet.gone = self._outlet.gone or patience.cancelled_caught

    def _headers(self, number: int, dropped: Collection[bytes] = ABOUT_THE_BODY) -> Headers:
        """The headers of one branch, with the losses of all that is known by now."""
        kept = without(self._heads.get(number, {}).get("headers", ()), {*dropped, b"diglot-losses"})
        losses = self._exchange.report.header()
        return [*kept, (b"diglot-losses", losses.encode("latin-1", "replace"))]  # `n` itself is one
