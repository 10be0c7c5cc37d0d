"""The life of a server process: what SIGTERM, Ctrl-C, SIGQUIT and SIGHUP do.

SIGTERM lets the process drain: `/readyz` answers 503 at once, new requests are served for a while, because load
balancers are slow to notice; then it stops listening, and what runs has time to end. Ctrl-C is the same without the
delay. A second signal, or SIGQUIT, ends at once. uvicorn's own handlers do what it can: stop listening, and end.
"""

from __future__ import annotations

import asyncio
import logging
import multiprocessing
import signal
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from ..asgi import origins
from ..asgi.types import App, Message, Receive, Scope, Send, connection_close

DRAIN_DELAY = 5.0
"""Seconds in which a server that others reach still serves new requests after SIGTERM."""
PROGRESS = 5.0
"""Seconds between two lines of the log about what still runs."""
_LAST_WORDS = 1.0
_STOPS = (signal.SIGTERM, signal.SIGINT)
_RELOAD, _END = getattr(signal, "SIGHUP", None), getattr(signal, "SIGQUIT", None)  # Windows has neither
_log = logging.getLogger("diglot")

Handler = Callable[[int, FrameType | None], Any]


def delay_of(setting: float | None, host: str) -> float:
    """Return the seconds between SIGTERM and the end of listening: where only this machine reaches a server, none."""
    if setting is not None:
        return setting
    return 0.0 if origins.is_loopback(host) else DRAIN_DELAY


@contextmanager
def reloads_held() -> Iterator[None]:
    """Let SIGHUP wait meanwhile, also in the processes that are started: without a handler it would kill them."""
    if _RELOAD is None:
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [_RELOAD])
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _exchanges(handler: Any) -> list[asyncio.Task[None]]:
    """Return what uvicorn cancels when the time is over, by one of its signal handlers."""
    state = getattr(getattr(handler, "__self__", None), "server_state", None)
    return list(state.tasks) if state is not None else []


class Life:
    """Where a process is in its life, and how many exchanges it has."""

    def __init__(self) -> None:
        self.draining: bool = False
        self.active: int = 0

    def counted(self, app: App) -> App:
        """Return *app* with its exchanges counted; connections of those that begin while it drains are not kept."""

        async def serve(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] == "lifespan":
                await app(scope, receive, send)
                return
            self.active += 1
            try:
                await app(scope, receive, _closing(scope, send) if self.draining else send)
            finally:
                self.active -= 1

        return serve


def _closing(scope: Scope, send: Send) -> Send:
    async def closing(message: Message) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*message.get("headers", ()), *connection_close(scope)]}
        await send(message)

    return closing


class Signals:
    """Handles the signals of a process, between uvicorn and the application.

    A *worker* has a parent that tells it everything: SIGTERM and SIGINT may reach it twice, from the parent and from a
    terminal or systemd, so only SIGQUIT ends it at once.
    """

    def __init__(
        self,
        life: Life,
        delay: Callable[[], float],
        graceful: float,
        reload: Callable[[], Awaitable[object]],
        *,
        worker: bool = False,
    ) -> None:
        self._life = life
        self._delay = delay
        self._graceful = graceful
        self._reload = reload
        self._worker = worker
        self._has_stopped = False
        self._timer: asyncio.TimerHandle | None = None
        self._before: dict[int, Any] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def around(self, app: App) -> App:
        """Return *app*, with the signals handled as long as its lifespan lasts."""

        async def serve(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] != "lifespan":
                await app(scope, receive, send)
                return
            self.install()
            try:
                await app(scope, receive, send)
            finally:
                self.restore()

        return serve

    def install(self) -> None:
        """Take the signals over, where there are some: only in the main thread, and with uvicorn's handlers there."""
        if threading.current_thread() is not threading.main_thread() or not callable(signal.getsignal(signal.SIGTERM)):
            return
        self._loop = asyncio.get_running_loop()
        for number in filter(None, (*_STOPS, _END, _RELOAD)):
            self._before[number] = signal.signal(number, self._handle)
        if _RELOAD is not None:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, [_RELOAD])
            parent = multiprocessing.parent_process() if self._worker else None
            if parent is not None:
                self._loop.add_reader(parent.sentinel, self._miss_parent, parent.sentinel)

    def _miss_parent(self, sentinel: int) -> None:
        """Stop a worker whose parent was killed: it would keep the port, and nobody would tell it anything."""
        self._loop.remove_reader(sentinel)
        _log.error("The parent process is gone")
        self._react(signal.SIGTERM)

    def restore(self) -> None:
        """Give the signals back; a late SIGHUP or SIGQUIT must not kill the process."""
        for waiting in (*self._tasks, *filter(None, [self._timer])):
            waiting.cancel()
        for number, handler in self._before.items():
            signal.signal(number, handler if number in _STOPS else signal.SIG_IGN)
        self._before.clear()

    def _handle(self, number: int, frame: FrameType | None) -> None:
        """Note a signal; what follows from it happens in the event loop, which this wakes up."""
        self._loop.call_soon_threadsafe(self._react, number)

    def _react(self, number: int) -> None:
        if number == _RELOAD:
            self._start(self._reload_once())
        elif number == _END or (self._life.draining and not self._worker):
            self._end()
        elif number == signal.SIGINT:
            self._drain(number, 0.0)
        elif not self._life.draining:
            self._drain(number, self._delay())

    def _drain(self, number: int, delay: float) -> None:
        self._life.draining = True
        if delay:
            _log.info(
                "Draining: /readyz answers 503, new requests are served for %g more seconds; running: %d",
                *(delay, self._life.active),
            )
            self._timer = self._loop.call_later(delay, self._stop, number)
        else:
            self._stop(number)

    def _stop(self, number: int) -> None:
        """Stop listening."""
        if self._has_stopped:
            return
        self._has_stopped = True
        if self._timer is not None:
            self._timer.cancel()
        active = self._life.active
        if active:
            _log.info("Stopping: no new requests; running: %d, which have %g seconds to end", active, self._graceful)
            self._start(self._tell_progress())
        self._before[number](number, None)

    def _end(self) -> None:
        """End at once: exchanges get a moment to say so to their clients, then uvicorn does what Ctrl-C twice does."""
        _log.warning("Ending at once; running: %d", self._life.active)
        self._life.draining = True
        self._stop(signal.SIGTERM)
        for task in _exchanges(self._before[signal.SIGTERM]):
            task.cancel()
        self._timer = self._loop.call_later(_LAST_WORDS, self._before[signal.SIGINT], signal.SIGINT, None)

    async def _tell_progress(self) -> None:
        while True:
            await asyncio.sleep(PROGRESS)
            _log.info("Stopping: still running: %d", self._life.active)

    async def _reload_once(self) -> None:
        await self._reload()

    def _start(self, run: Any) -> None:
        task: asyncio.Task[None] = self._loop.create_task(run)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
