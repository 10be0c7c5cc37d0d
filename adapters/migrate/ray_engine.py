"""The engine that works on a Ray cluster: the same parts, as tasks. Its nodes need diglot, and the same files."""

from __future__ import annotations

import importlib
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

from ..missing import install_hint
from .engines import TICK, WAITING, Engine, Run
from .errors import MigrationError, SettingError
from .parts import Part
from .worker import Finished

_PATIENCE = 20.0
"""After so many seconds, a cluster that does not answer cannot be reached."""
_PROBE = "import sys, ray; ray.init(sys.argv[1], log_to_driver=False, logging_level='ERROR')"
"""Connects, in a process of its own: Ray itself waits for minutes, and then ends the process that has called it."""
_RETRIES = 10
"""How often a part is done again whose worker was lost."""


def on_ray(address: str = "") -> Engine:
    """Return the engine for the cluster at *address*; without one, Ray is started here.

    Raises SettingError if Ray is missing, and, at work, MigrationError if the cluster cannot be reached.
    """
    try:
        ray = importlib.import_module("ray")  # type checkers need not have it
    except ImportError:
        raise SettingError(install_hint("--engine ray", "ray", "ray")) from None

    def work(run: Run, parts: Iterator[Part], stops: Callable[[], bool]) -> Iterator[Finished | None]:
        _connect(ray, address)
        try:
            yield from _work(ray, run, parts, stops)
        finally:
            ray.shutdown()

    return work


def _connect(ray: Any, address: str) -> None:
    if not address:
        ray.init(address="local", include_dashboard=False, configure_logging=False, log_to_driver=False)
        return
    end = time.monotonic() + _PATIENCE
    host, port = _place(address)
    try:
        if host:
            socket.create_connection((host, port), _PATIENCE / 2).close()
        _probe(address, max(1.0, end - time.monotonic()))
        ray.init(address=address, log_to_driver=False)
    except (OSError, ValueError) as error:  # a ConnectionError is an OSError
        raise MigrationError(f"the Ray cluster at '{address}' cannot be reached: {error}") from None


def _probe(address: str, seconds: float) -> None:
    """Raise ConnectionError if no cluster answers at *address* within so many seconds."""
    command = [sys.executable, "-c", _PROBE, address]
    try:
        ended = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=seconds, check=False
        )
    except subprocess.TimeoutExpired:
        raise ConnectionError("something is there, but it does not answer as Ray does") from None
    if ended.returncode:
        raise ConnectionError((ended.stderr.strip().splitlines() or ["Ray gave up without a word"])[-1])


def _place(address: str) -> tuple[str, int]:
    """Return host and port of an address; empty for `auto`, and for what Ray finds itself."""
    try:
        url = urlsplit(address if "//" in address else f"//{address}")
        return (url.hostname or "", url.port) if url.port else ("", 0)
    except ValueError as error:
        raise SettingError(f"--engine ray={address}: {error}") from None


def _work(ray: Any, run: Run, parts: Iterator[Part], stops: Callable[[], bool]) -> Iterator[Finished | None]:
    task = ray.remote(num_cpus=1, max_retries=_RETRIES)(_run)
    kept = ray.put(run)
    most = max(1, int(ray.cluster_resources().get("CPU", 1))) * WAITING
    running: list[Any] = []
    while True:
        while len(running) < most and not stops() and (part := next(parts, None)) is not None:
            running.append(task.remote(kept, part))
        if not running:
            return
        done, running = ray.wait(running, num_returns=1, timeout=TICK)
        for finished in done:
            yield _result(ray, finished)
        if not done:
            yield None


def _result(ray: Any, task: Any) -> Finished:
    try:
        return ray.get(task)
    except ray.exceptions.RayTaskError as error:
        raise error.cause from None  # as it is without Ray, which puts a traceback into its words
    except ray.exceptions.RayError as error:
        raise MigrationError(f"Ray could not finish a part: {error}") from None


def _run(run: Run, part: Part) -> Finished:
    return run(part)
