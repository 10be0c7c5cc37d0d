"""A server in a process of its own: started on its core, asked for its CPU time and memory, stopped."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psutil

from benchmarks.settings import ROOT

_CORES = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
PINNED = len(_CORES) > 1
"""Whether the servers have a core of their own: the first; everything else happens on the others."""


class Server:
    """One process and its children. Its output goes to a file that is shown when it does not start."""

    def __init__(self, name: str, command: list[str], port: int, environment: dict[str, str] | None = None) -> None:
        self.name = name
        self.port = port
        self._log = tempfile.TemporaryFile()  # noqa: SIM115
        self.started = time.monotonic()
        with _on_core(_CORES[:1]):
            self._child = subprocess.Popen(
                command, cwd=ROOT, env={**os.environ, **(environment or {})}, stdout=self._log, stderr=self._log
            )

    def ready(self, patience: float = 120) -> float:
        """Wait until it takes connections; return how long that took. It must be our process that does."""
        while time.monotonic() - self.started < patience:
            if self._child.poll() is not None:
                break
            if self._listens():
                return time.monotonic() - self.started
            time.sleep(0.005)
        raise SystemExit(f"{self.name} does not start:\n{self._output()}")

    def _listens(self) -> bool:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", self.port)):
                return False
        if self.port not in {port for process in self._processes() for port in _listening(process)}:
            raise SystemExit(f"{self.name}: somebody else answers on its port")
        return True

    def cpu(self) -> float:
        """Seconds of CPU time so far."""
        return sum(map(_cpu, self._processes()))

    def memory(self) -> int:
        """Resident bytes."""
        return sum(process.memory_info().rss for process in self._processes())

    def stop(self) -> None:
        """Ask it to end, then end it."""
        processes = self._processes()
        for process in processes:
            process.terminate()
        for process in psutil.wait_procs(processes, timeout=5)[1]:
            process.kill()
        self._child.wait()
        self._log.close()

    def _processes(self) -> list[psutil.Process]:
        try:
            parent = psutil.Process(self._child.pid)
            return [parent, *parent.children(recursive=True)]
        except psutil.NoSuchProcess:
            return []

    def _output(self) -> str:
        self._log.seek(0)
        return self._log.read().decode(errors="replace")[-4000:]


def _cpu(process: psutil.Process) -> float:
    """Linux keeps a clock in nanoseconds for each process; elsewhere the system's own, coarser figures do."""
    if sys.platform == "linux":
        return time.clock_gettime((~process.pid << 3) | 2)
    times = process.cpu_times()
    return times.user + times.system


def _listening(process: psutil.Process) -> list[int]:
    try:
        connections = process.net_connections("tcp")
    except psutil.Error:
        return []
    return [one.laddr.port for one in connections if one.status == psutil.CONN_LISTEN]


@contextmanager
def _on_core(cores: list[int]) -> Iterator[None]:
    """Children inherit where their parent may run."""
    if not PINNED:
        yield
        return
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, _CORES[1:])


def free_port() -> int:
    """A port that nobody uses; that nobody takes it before the server does is checked when it is ready."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def many_files(count: int) -> int:
    """Allow this process and its children *count* open files; return how many they get."""
    try:
        import resource
    except ImportError:
        return count
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    allowed = count if hard == resource.RLIM_INFINITY else min(count, hard)
    if soft < allowed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
    return max(soft, allowed)
