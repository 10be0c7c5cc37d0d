"""A task beside a request that begins only if the request lasts: most are over before, and a task costs more than they.

It is no child of the request's task, so there is no task group to enter and to leave. anyio has no word for that, so
each of its two event loops is asked in its own.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

_running: set[asyncio.Task[None]] = set()
"""The event loop itself keeps no more than weak references."""


def start_late(delay: float, run: Callable[[], Coroutine[Any, Any, None]]) -> Callable[[], object]:
    """Start *run*, which must not raise, after *delay* seconds in a task of its own; return what prevents that.

    Once it runs, it ends by itself.
    """
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        return _on_trio(delay, run)
    return loop.call_later(delay, _create_task, loop, run).cancel


def _create_task(loop: asyncio.AbstractEventLoop, run: Callable[[], Coroutine[Any, Any, None]]) -> None:
    task = loop.create_task(run())
    _running.add(task)
    task.add_done_callback(_running.discard)


def _on_trio(delay: float, run: Callable[[], Coroutine[Any, Any, None]]) -> Callable[[], object]:
    import trio

    scope = trio.CancelScope()

    async def wait() -> None:
        with scope:
            await trio.sleep(delay)
        if not scope.cancel_called:
            await run()

    trio.lowlevel.spawn_system_task(wait)
    return scope.cancel
