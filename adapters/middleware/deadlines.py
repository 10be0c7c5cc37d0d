"""The watch over one call of the upstream: it looks at the clock and listens whether the client is still there."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from operator import itemgetter
from time import monotonic

import anyio

from ..asgi.types import Receive
from ..limits import Limits
from . import diagnostics
from .attempt import Relay
from .client_writer import Outlet

Deadline = tuple[float, Callable[[], Awaitable[None]]]


async def _nothing() -> None:
    pass


_NEVER: Deadline = (float("inf"), _nothing)
_due = itemgetter(0)


class Watch:
    """Does what is due, and ends what works for nobody.

    The upstream works inside ``inner``, anew for every attempt, and hears through ``dismissed`` that it may stop.
    One task does all of this, because tasks are what a request costs: it listens, until something is due.
    """

    inner: anyio.CancelScope
    dismissed: anyio.Event

    def __init__(self, outlet: Outlet, limits: Limits) -> None:
        self._outlet = outlet
        self._limits = limits
        self._relay: Relay | None = None
        self._life: anyio.CancelScope | None = None
        self._nap: anyio.CancelScope | None = None
        self._dismissed_at = 0.0
        self._left = False
        self._ended = False

    def begin(self, relay: Relay) -> None:
        """Watch over this attempt from now on."""
        self._relay = relay
        self.inner, self.dismissed, self._dismissed_at = anyio.CancelScope(), anyio.Event(), 0.0
        self.changed()

    def changed(self) -> None:
        """A deadline has moved nearer; one that moved away is only found out about when it comes.

        An application that has said everything hears `http.disconnect`, as from any server: some wait for it.
        """
        if self._relay is not None and self._relay.complete:
            self.dismissed.set()
        if self._nap is not None:
            self._nap.deadline = _on_the_loop(min(self._deadlines(), key=_due)[0])

    def end(self) -> None:
        """All attempts are over. The task is not cancelled for it: that would cost more, and leave cycles behind."""
        self._ended = True
        if self._nap is not None:
            self._nap.cancel()

    async def run(self, receive: Receive, life: anyio.CancelScope) -> None:
        """Listen for the client to leave, and do what is due, until the end; *life* is around all attempts."""
        self._life = life
        while not self._ended:
            due, act = min(self._deadlines(), key=_due)
            if due <= monotonic():
                await self._act(act)
            else:
                with anyio.CancelScope(deadline=_on_the_loop(due)) as self._nap:
                    await self._listen(receive)
                self._nap = None
        self._relay = self._life = None

    async def _listen(self, receive: Receive) -> None:
        """Until something is due: servers bear that *receive* is cancelled, as polling for a disconnect does it too."""
        if self._left:
            await anyio.sleep_forever()
        self._left = (await receive())["type"] == "http.disconnect"
        if self._left and not self._outlet.done:
            self._outlet.gone = True
            self._dismiss()

    async def _act(self, act: Callable[[], Awaitable[None]]) -> None:
        self._outlet.take_turn()
        try:
            with anyio.move_on_after(self._limits.stalled) as patience:
                await act()
            if patience.cancelled_caught:
                await self._give_up()
        except OSError:
            self._outlet.gone = True
            self._dismiss()
        finally:
            self._outlet.give_turn()

    def _deadlines(self) -> list[Deadline]:
        """What is to be done when, as things stand. While the client is slow, the upstream is not to blame."""
        relay, limits = self._relay, self._limits
        assert relay is not None
        if self._outlet.busy and not self._dismissed_at:
            return [
                (self._outlet.busy_since + limits.stalled, self._give_up),
                (monotonic() + limits.keepalive, _nothing),
            ]
        if relay.complete:
            return [_NEVER]
        if self._dismissed_at:
            return [(self._dismissed_at + limits.shutdown, self._hang_up)]
        if relay.over:
            return [(relay.over_at + (0 if relay.in_vain else limits.after_finish), self._hang_up)]
        deadlines: list[Deadline] = [
            (relay.heard_at + (limits.idle if relay.heard else limits.first_byte), self._time_out),
            (relay.told_at + limits.silent, self._time_out),
        ]
        if not relay.heard:
            deadlines.append((monotonic() + limits.idle, _nothing))  # by then it may have been
        if relay.finishing_at:
            deadlines.append((relay.finishing_at + relay.patience, relay.finish))
        if relay.stream is not None:
            deadlines.append((self._outlet.sent_at + limits.keepalive, relay.keep_alive))
        return deadlines

    async def _hang_up(self) -> None:
        """First politely, then firmly."""
        if self._dismissed_at:
            self.inner.cancel()
            self._dismissed_at = float("inf")
        else:
            self._dismiss()

    async def _give_up(self) -> None:
        """The client reads no more: what works for it ends at once."""
        self._outlet.gone = True
        self._dismiss()
        assert self._life is not None
        self._life.cancel()

    def _dismiss(self) -> None:
        self._dismissed_at = monotonic()
        self.dismissed.set()

    async def _time_out(self) -> None:
        assert self._relay is not None
        await self._relay.fail(diagnostics.too_slow())


def _on_the_loop(due: float) -> float:
    """The same moment on the clock of the event loop, which need not be ours."""
    return anyio.current_time() + due - monotonic()
