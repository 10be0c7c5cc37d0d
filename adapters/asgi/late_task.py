"""A background task that starts only if its request lasts: most requests are over before, and a task would cost more.

It is not a child of the request's task, so there is no task group to enter and leave. anyio has no API for that, so
there is one implementation for each event loop.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any

from ..error_log import log_without_message

_log = logging.getLogger("diglot")

BEGIN_AFTER = 0.02
"""Seconds. A request that is over by then gets no task."""

Run = Callable[[], Coroutine[Any, Any, None]]
_running: set[asyncio.Task[None]] = set()
"""Strong references: the event loop itself keeps only weak ones."""


def start_late(run: Run, delay: float = BEGIN_AFTER) -> Callable[[], object]:
    """Start *run* after *delay* seconds in a task of its own; return the function that stops it, started or not.

    What it raises is logged, because nobody awaits it.
    """
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        return _on_trio(run, delay)
    return _OnAsyncio(loop, run, delay).stop


class _OnAsyncio:
    def __init__(self, loop: asyncio.AbstractEventLoop, run: Run, delay: float) -> None:
        self._begun: asyncio.Task[None] | None = None
        self._timer = loop.call_later(delay, self._begin, loop, run)

    def _begin(self, loop: asyncio.AbstractEventLoop, run: Run) -> None:
        self._begun = task = loop.create_task(_logged(run))
        _running.add(task)
        task.add_done_callback(_running.discard)

    def stop(self) -> None:
        self._timer.cancel()
        if self._begun is not None:
            self._begun.cancel()


def _on_trio(run: Run, delay: float) -> Callable[[], object]:
    import trio

    scope = trio.CancelScope()

    async def wait() -> None:
        with scope:
            await trio.sleep(delay)
            await _logged(run)

    trio.lowlevel.spawn_system_task(wait)
    return scope.cancel


async def _logged(run: Run) -> None:
    try:
        await run()
    except Exception as error:
        log_without_message(_log, "A background task of a request", error)
