"""A task beside a request that begins only if the request lasts: most are over before, and a task costs more than they.

It is no child of the request's task, so there is no task group to enter and to leave. anyio has no word for that, so
each of its two event loops is asked in its own.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any

from ..error_log import log_without_message

_log = logging.getLogger("diglot")

BEGIN_AFTER = 0.02
"""Seconds. What is over by then was not worth a task."""

Run = Callable[[], Coroutine[Any, Any, None]]
_running: set[asyncio.Task[None]] = set()
"""The event loop itself keeps no more than weak references."""


def start_late(run: Run, delay: float = BEGIN_AFTER) -> Callable[[], object]:
    """Start *run* after *delay* seconds in a task of its own; return what stops it, whether it has begun or not.

    What it raises goes to the log: nobody else would hear of it.
    """
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        return _on_trio(run, delay)
    return _OnAsyncio(loop, run, delay).stop


class _OnAsyncio:
    def __init__(self, loop: asyncio.AbstractEventLoop, run: Run, delay: float) -> None:
        self._begun: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = loop.call_later(delay, self._begin, loop, run)

    def _begin(self, loop: asyncio.AbstractEventLoop, run: Run) -> None:
        self._timer = None
        self._begun = task = loop.create_task(_logged(run))
        _running.add(task)
        task.add_done_callback(_running.discard)

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        elif self._begun is not None:
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
        log_without_message(_log, "A task beside a request", error)
