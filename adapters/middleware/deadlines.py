"""The deadlines of one exchange, and the client's disconnect: watched once the exchange has lasted a moment."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from operator import itemgetter
from time import monotonic
from typing import Any

import anyio

from ..asgi.late_task import start_late
from ..asgi.types import Receive
from ..limits import Limits
from . import diagnostics
from .attempt import UpstreamAttempt
from .sink import Sink

Deadline = tuple[float, Callable[[], Awaitable[None]]]


async def _do_nothing() -> None:
    pass


_NEVER: Deadline = (float("inf"), _do_nothing)
_due = itemgetter(0)
_REPEATED = 0.05  # seconds


class Supervisor:
    """Does what is due, and stops work that nobody waits for.

    First it limits the time in which the client's request is read; then it watches the attempts, each inside a scope of
    its own. The ``disconnect`` of an attempt tells the application to stop; if it does not, its scope is cancelled.
    """

    def __init__(self, receive: Receive, sink: Sink[Any], limits: Limits) -> None:
        self.is_late: bool = False
        """Whether the client did not finish its request in time."""
        self._receive = receive
        self._sink = sink
        self._limits = limits
        self._started_at = monotonic()
        self._scope: anyio.CancelScope | None = None
        self._attempt: UpstreamAttempt[Any] | None = None
        self._sleep: anyio.CancelScope | None = None
        self._disconnected_at = 0.0
        self._client_left = False
        self._is_cancelled = False
        self._idle: anyio.Event | None = None  # set when the current action is over
        self._stop: Callable[[], object] | None = None

    def begin(self, scope: anyio.CancelScope) -> None:
        """Watch the request, which is read and perhaps served inside *scope*, until `end()`."""
        self._scope = scope
        self._stop = start_late(self._run)

    def has_request(self) -> None:
        """The client's request has been read, or refused: how long that may take is no longer the question."""
        self._started_at = float("inf")

    def watch(self, attempt: UpstreamAttempt[Any], scope: anyio.CancelScope) -> None:
        """Watch *attempt* from now on, which runs inside *scope*."""
        self._attempt, self._scope, self._disconnected_at, self._is_cancelled = attempt, scope, 0.0, False
        if self._client_left:  # while the request was translated anew
            self._disconnect()
        if self._sleep is not None:
            self._sleep.cancel()

    def changed(self) -> None:
        """A deadline has moved nearer; one that moved away is noticed when the old one comes.

        An application that has sent everything gets `http.disconnect`, as from any server: some wait for it.
        """
        if self._attempt is not None and self._attempt.complete:
            self._attempt.disconnect.set()
        if self._sleep is not None:
            self._sleep.deadline = _on_the_loop(min(self._deadlines(), key=_due)[0])

    async def end(self) -> None:
        """Stop watching; an action that is running comes to its end."""
        try:
            if self._idle is not None:
                await self._idle.wait()
        finally:
            if self._stop is not None:
                self._stop()
            self._stop = self._attempt = self._scope = None  # free the bodies now: they may be large

    async def _run(self) -> None:
        """Wait for the client to disconnect, and do what is due."""
        try:
            while True:
                due, act = min(self._deadlines(), key=_due)
                if due <= monotonic():
                    await self._perform(act)
                else:
                    with anyio.CancelScope(deadline=_on_the_loop(due)) as self._sleep:
                        await self._listen()
                    self._sleep = None
        except Exception:  # a bug of ours or of the server: nothing may go on without deadlines
            await self._give_up()
            raise
        finally:
            self._sleep = None

    async def _listen(self) -> None:
        """Wait for a disconnect. Cancelling *receive* is safe: applications that poll for a disconnect do it, too."""
        if self._client_left or self._attempt is None:  # then *receive* belongs to whoever reads the request
            await anyio.sleep_forever()
        self._client_left = (await self._receive())["type"] == "http.disconnect"
        if not self._client_left:  # a host that repeats the request at once must not stop all others
            await anyio.sleep(_REPEATED)
        elif not self._sink.done:
            self._sink.leave()
            self._disconnect()

    async def _perform(self, act: Callable[[], Awaitable[None]]) -> None:
        self._idle = idle = anyio.Event()
        try:
            with anyio.move_on_after(self._limits.stalled) as scope:
                await act()
            if scope.cancelled_caught:
                await self._give_up()
        except OSError:
            self._sink.leave()
            self._disconnect()
        finally:
            idle.set()
            self._idle = None

    def _deadlines(self) -> list[Deadline]:
        """Return what is due when, as things stand. A slow client is not held against the upstream."""
        attempt, sink, limits = self._attempt, self._sink, self._limits
        if attempt is None:
            return [(self._started_at + limits.request, self._stop_reading)]
        if sink.busy_since and not self._disconnected_at:
            return [(sink.busy_since + limits.stalled, self._give_up), (monotonic() + limits.keepalive, _do_nothing)]
        if attempt.retry is not None:  # the client still waits, whatever else the application does
            return [_NEVER if self._is_cancelled else (attempt.ended_at + limits.shutdown, self._cancel_attempt)]
        if attempt.complete:
            return [_NEVER]
        if self._disconnected_at:
            return [(self._disconnected_at + limits.shutdown, self._end_attempt)]
        if attempt.ended_at:
            return [(attempt.ended_at + (0 if attempt.reader.in_vain else limits.after_finish), self._end_attempt)]
        has_head = attempt.reader.status != 0
        deadlines: list[Deadline] = [
            (attempt.received_at + (limits.idle if has_head else limits.first_byte), self._time_out),
            (attempt.content_at + limits.silent, self._time_out),
        ]
        if not has_head:
            deadlines.append((monotonic() + limits.idle, _do_nothing))  # check again: by then it may have one
        if attempt.finishing_at:
            wait = limits.after_failure if attempt.reader.failing else limits.after_finish
            deadlines.append((attempt.finishing_at + wait, attempt.finish))
        if attempt.reader.streams:
            deadlines.append((sink.sent_at + limits.keepalive, attempt.keep_alive))
        return deadlines

    async def _stop_reading(self) -> None:
        self.is_late = True
        self._cancel()
        self._started_at = float("inf")

    async def _cancel_attempt(self) -> None:
        self._is_cancelled = True
        self._cancel()

    async def _end_attempt(self) -> None:
        """Tell the application to stop; the second time, cancel it."""
        if self._disconnected_at:
            self._cancel()
            self._disconnected_at = float("inf")
        else:
            self._disconnect()

    async def _give_up(self) -> None:
        """The client has stopped reading: end everything at once."""
        self._sink.leave()
        self._disconnect()
        self._cancel()

    def _disconnect(self) -> None:
        self._disconnected_at = monotonic()
        if self._attempt is not None:
            self._attempt.disconnect.set()

    def _cancel(self) -> None:
        if self._scope is not None:
            self._scope.cancel()

    async def _time_out(self) -> None:
        assert self._attempt is not None
        await self._attempt.fail(diagnostics.too_slow())


def _on_the_loop(due: float) -> float:
    """Convert a monotonic time to the clock of the event loop, which may be another one."""
    return anyio.current_time() + due - monotonic()
