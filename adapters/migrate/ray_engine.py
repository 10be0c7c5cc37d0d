"""The engine that works on a Ray cluster: the same parts, as tasks. Its nodes need diglot, and the same files."""

from __future__ import annotations

import importlib
import socket
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

from ..missing import install_hint
from .engines import TICK, WAITING, Engine, Run
from .errors import MigrationError, SettingError
from .parts import Part
from .worker import Finished

_PATIENCE = 30.0
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
    host, port = _place(address)
    try:
        if host:
            socket.create_connection((host, port), _PATIENCE).close()
        settings = {"include_dashboard": False, "configure_logging": False, "log_to_driver": False}
        ray.init(address=address, log_to_driver=False) if address else ray.init(address="local", **settings)
    except (OSError, ValueError) as error:  # a ConnectionError is an OSError
        raise MigrationError(f"the Ray cluster at '{address}' cannot be reached: {error}") from None


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
            yield ray.get(finished)
        if not done:
            yield None


def _run(run: Run, part: Part) -> Finished:
    return run(part)
