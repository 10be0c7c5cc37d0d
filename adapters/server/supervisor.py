"""Several worker processes: uvicorn's supervisor, but workers drain, and reload instead of being restarted."""

from __future__ import annotations

import inspect
import logging
import math
import os
import signal
import socket
import time
from collections.abc import Callable, Iterator
from typing import Any

import uvicorn
from uvicorn.supervisors import Multiprocess

from .lifecycle import reloads_held

_QUIT = getattr(signal, "SIGQUIT", signal.SIGTERM)
_KILL = getattr(signal, "SIGKILL", signal.SIGTERM)
_WAIT = 0.05
_LAST_WORDS = 3.0
"""Seconds in which a worker that has to end at once does so; one that hangs would never."""
_log = logging.getLogger("diglot")


class Supervisor(Multiprocess):
    """The parent of the workers. *may_reload* says whether the settings are right; then all workers read them again."""

    def __init__(self, config: uvicorn.Config, sockets: list[Any], may_reload: Callable[[], bool]) -> None:
        parameters = inspect.signature(Multiprocess.__init__).parameters
        older = {"target": uvicorn.Server(config).run} if "target" in parameters else {}
        super().__init__(config, sockets=sockets, **older)
        self._may_reload = may_reload
        self._interrupts = self._ends_at_once = False

    def init_processes(self) -> None:
        """Start the workers. SIGHUP waits for them until they can handle it."""
        with reloads_held():
            super().init_processes()

    def keep_subprocess_alive(self) -> None:
        """Start workers again that are no longer there."""
        with reloads_held():
            super().keep_subprocess_alive()

    def handle_hup(self) -> None:
        """Have the settings read again; workers that are no longer there are started with the new ones."""
        if self._may_reload():
            self._send(signal.SIGHUP)

    def handle_int(self) -> None:
        """Stop without a delay."""
        self._interrupts = True
        super().handle_int()

    def handle_quit(self) -> None:
        """End at once."""
        self._ends_at_once = True
        self.should_exit.set()

    def terminate_all(self) -> None:
        """Tell the workers how to stop, and then what uvicorn would: that SIGTERM they ignore.

        They listen as long as they want; here nobody does, so that nobody waits for an answer when they have stopped.
        """
        for listening in self.sockets:
            listening.close()
        if self._interrupts or self._ends_at_once:
            self._send(_QUIT if self._ends_at_once else signal.SIGINT)
        super().terminate_all()

    def join_all(self) -> None:
        """Wait for the workers; another signal ends them at once."""
        kill_at = time.monotonic() + _LAST_WORDS if self._ends_at_once else math.inf
        while any(self._alive()):
            if any(number in (signal.SIGTERM, signal.SIGINT, _QUIT) for number in self.signal_queue):
                _log.warning("Ending at once")
                self._send(_QUIT)
                kill_at = min(kill_at, time.monotonic() + _LAST_WORDS)
            self.signal_queue.clear()
            if time.monotonic() > kill_at:
                self._send(_KILL)
            time.sleep(_WAIT)
        super().join_all()

    def _alive(self) -> Iterator[int]:
        for worker in self.processes:
            if worker.process.is_alive() and worker.process.pid is not None:
                yield worker.process.pid

    def _send(self, number: int) -> None:
        for pid in list(self._alive()):
            os.kill(pid, number)


def supervise(config: uvicorn.Config, may_reload: Callable[[], bool]) -> None:
    """Serve with several processes until a signal arrives."""
    bound = config.bind_socket()
    listening = socket.socket(fileno=bound.detach())  # it knows that it is TCP, so asyncio sends small pieces at once
    Supervisor(config, [listening], may_reload).run()
