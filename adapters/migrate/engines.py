"""Engines: who works on the parts. Each takes parts and returns what is finished, in any order."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import connection
from pathlib import Path

from .errors import MigrationError
from .parts import Part
from .worker import Finished

Run = Callable[[Part], Finished]
"""Does the whole work on a part, wherever it is called; it can be pickled."""
Engine = Callable[[Run, Iterator[Part], Callable[[], bool]], Iterator[Finished | None]]
"""Calls its first argument with each part, until there are none or the last argument says to stop, and yields what
comes back, in any order; None says that a second has passed.
"""
TICK = 1.0
"""After so many seconds it is said that nothing is finished."""
WAITING = 2
"""How many parts a worker has: the one that it works on, and the next."""
_QUOTA = Path("/sys/fs/cgroup/cpu.max")


def cores(quota: Path = _QUOTA) -> int:
    """Return how many cores this process may use: those that are there for it, or the quota of its group."""
    available = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        most, period = quota.read_text().split()
        return max(1, min(available, int(most) // int(period)))
    except (OSError, ValueError):
        return available


def in_this_process(run: Run, parts: Iterator[Part], stops: Callable[[], bool]) -> Iterator[Finished | None]:
    """Work on one part after the other, here."""
    for part in parts:
        if stops():
            return
        yield run(part)


def processes(jobs: int) -> Engine:
    """Return the engine that works in so many processes."""
    if jobs == 1:
        return in_this_process

    def work(run: Run, parts: Iterator[Part], stops: Callable[[], bool]) -> Iterator[Finished | None]:
        context = multiprocessing.get_context("spawn")
        pool = ProcessPoolExecutor(jobs, context, initializer=_become_worker)
        running: set[Future[Finished]] = set()
        try:
            while True:
                while len(running) < jobs * WAITING and not stops() and (part := next(parts, None)) is not None:
                    running.add(pool.submit(run, part))
                if not running:
                    return
                done, running = wait(running, TICK, FIRST_COMPLETED)
                for future in done:
                    yield future.result()
                if not done:
                    yield None
        except BrokenProcessPool:
            raise MigrationError("a worker process was killed; is there enough memory for --jobs?") from None
        finally:
            pool.shutdown(wait=True, cancel_futures=True)

    return work


def _become_worker() -> None:
    """Leave Ctrl-C to the one who gave the work, and end with him, however he ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent.sentinel,), daemon=True).start()


def _end_with(sentinel: int) -> None:
    connection.wait([sentinel])
    os._exit(1)
