"""The parent of several workers. Real ones are in tests/scenarios; here they are notes of what they were sent."""

import os
import signal
import socket
from collections.abc import Iterator
from typing import Any

import pytest
import uvicorn
from uvicorn.supervisors import Multiprocess

from diglot.adapters.server import supervisor
from diglot.adapters.server.supervisor import Supervisor, supervise

TERM, INT, QUIT, HUP = (int(getattr(signal, f"SIG{name}")) for name in ("TERM", "INT", "QUIT", "HUP"))


class Worker:
    """A process that ends some time after SIGTERM, or at once with SIGQUIT."""

    def __init__(self, pid: int, lasts: int) -> None:
        self.process = self
        self.pid = pid
        self.exitcode = None
        self.got: list[int] = []
        self.joined = False
        self._lasts = lasts

    def is_alive(self) -> bool:
        self._lasts -= bool(self.got)
        return self._lasts > 0 and QUIT not in self.got

    def terminate(self) -> None:
        self.got.append(TERM)

    def join(self) -> None:
        self.joined = True


class Workers(list[Worker]):
    def kill(self, pid: int, number: int) -> None:
        next(worker for worker in self if worker.pid == pid).got.append(number)


@pytest.fixture
def workers(monkeypatch: pytest.MonkeyPatch) -> Iterator[Workers]:
    before = {number: signal.getsignal(number) for number in signal.Signals}
    found = Workers([Worker(1, 20), Worker(2, 10)])
    monkeypatch.setattr(os, "kill", found.kill)
    monkeypatch.setattr(supervisor, "_WAIT", 0)
    yield found
    for number, handler in before.items():
        if signal.getsignal(number) is not handler:
            signal.signal(number, handler)


def parent(workers: Workers, *, good: bool = True) -> Any:
    made: Any = Supervisor(uvicorn.Config("x:y", workers=2), [], lambda: good)
    made.processes = workers
    return made


def stop(made: Any, *numbers: int) -> None:
    """Let a parent stop as it does after the first signal; more come while it waits."""
    made.sockets = [socket.socket()]
    made.signal_queue.append(numbers[0])
    made.handle_signals()
    assert made.should_exit.is_set()
    made.terminate_all()
    made.signal_queue.extend(numbers[1:])
    made.join_all()
    assert all(worker.joined for worker in made.processes)
    assert made.sockets[0].fileno() == -1  # while workers still listen, or nobody does


@pytest.mark.parametrize(
    ("numbers", "got"),
    [
        ((TERM,), [TERM]),
        ((INT,), [INT, TERM]),
        ((QUIT,), [QUIT, TERM]),
        ((TERM, TERM), [TERM, QUIT]),
        ((TERM, INT), [TERM, QUIT]),
        ((TERM, HUP), [TERM]),
    ],
)
def test_stop(workers: Workers, numbers: tuple[int, ...], got: list[int]) -> None:
    """Workers drain, stop, or end at once, whichever the parent was told, and the parent waits for them."""
    stop(parent(workers), *numbers)
    assert [worker.got for worker in workers] == [got, got]


@pytest.mark.parametrize("numbers", [(TERM, TERM), (QUIT,)])
def test_a_worker_that_hangs(workers: Workers, monkeypatch: pytest.MonkeyPatch, numbers: tuple[int, ...]) -> None:
    """It is killed, when all have to end at once: the parent would wait for it forever."""
    monkeypatch.setattr(supervisor, "_LAST_WORDS", 0.01)
    monkeypatch.setattr(Worker, "is_alive", lambda worker: signal.SIGKILL not in worker.got)
    stop(parent(workers), *numbers)
    assert all(QUIT in worker.got for worker in workers)


@pytest.mark.parametrize("good", [True, False])
def test_reload(workers: Workers, good: bool) -> None:
    """Settings that are wrong reach no worker; no worker is restarted for those that are right."""
    made = parent(workers, good=good)
    made.signal_queue.append(HUP)
    made.handle_signals()
    assert [worker.got for worker in workers] == [[HUP] * good] * 2
    assert not made.should_exit.is_set()


@pytest.mark.parametrize("method", ["init_processes", "keep_subprocess_alive"])
def test_reload_while_workers_start(workers: Workers, monkeypatch: pytest.MonkeyPatch, method: str) -> None:
    """They begin with SIGHUP held, which would kill them before they can handle it; the parent gets it afterwards."""
    held: list[bool] = []

    def start(parent: Any) -> None:
        held.append(HUP in signal.pthread_sigmask(signal.SIG_BLOCK, []))

    monkeypatch.setattr(Multiprocess, method, start)
    getattr(parent(workers), method)()
    assert held == [True]
    assert HUP not in signal.pthread_sigmask(signal.SIG_BLOCK, [])


def test_older_supervisors(workers: Workers, monkeypatch: pytest.MonkeyPatch) -> None:
    """They want to be told what a worker runs."""
    told: list[Any] = []

    def older(self: Any, config: Any, target: Any, sockets: Any) -> None:
        told.append((target, sockets))

    monkeypatch.setattr(Multiprocess, "__init__", older)
    parent(workers)
    ((target, sockets),) = told
    assert (target.__name__, sockets) == ("run", [])


def test_supervise(workers: Workers, monkeypatch: pytest.MonkeyPatch) -> None:
    """It has the socket that all workers listen on."""
    ran: list[Any] = []
    monkeypatch.setattr(Supervisor, "run", lambda parent: ran.append(parent))
    supervise(uvicorn.Config("x:y", port=0, workers=2, log_config=None), lambda: True)
    (listening,) = ran[0].sockets
    assert listening.getsockname()[0] == "127.0.0.1"
    assert listening.proto == socket.IPPROTO_TCP
    listening.close()
