"""Who works on the parts."""

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from diglot.adapters.migrate import MigrationError, Options, engines
from diglot.adapters.migrate.engines import cores, in_this_process, processes
from diglot.adapters.migrate.inputs import sources_of
from diglot.adapters.migrate.parts import parts_of
from diglot.adapters.migrate.worker import Target, run_part

from lines_of import batch

PROGRAM = """
import os, sys, time
from diglot.adapters.migrate import engines
def work(part):
    print(os.getpid(), flush=True)
    time.sleep(60)
def die(part):
    os._exit(3)
def again(part):
    time.sleep(1.5)
    return part
if __name__ == "__main__":
    run = {"work": work, "die": die, "again": again}[sys.argv[1]]
    print([one for one in engines.processes(2)(run, iter(range(3)), lambda: False)])
"""


def started(tmp_path: Path, what: str) -> "subprocess.Popen[str]":
    path = tmp_path / "program.py"
    path.write_text(PROGRAM)
    command = [sys.executable, str(path), what]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_processes_do_the_same(tmp_path: Path) -> None:
    """In other processes, parts become what they become here; parts are no more taken when it is time to stop."""
    (tmp_path / "in.jsonl").write_bytes(batch(40))
    found = [*parts_of(sources_of([str(tmp_path / "in.jsonl")]), 1_000)]
    made: list[Any] = []
    for engine, name in ((in_this_process, "here"), (processes(2), "there")):
        (tmp_path / name).mkdir()
        run = partial(
            run_part, options=Options(to="responses"), target=Target(str(tmp_path / name)), bad_folder=str(tmp_path)
        )
        done = [one for one in engine(run, iter(found), lambda: False) if one is not None]
        made.append(sorted((one.number, one.tally.lines, Path(one.file).read_bytes()) for one in done))
        assert list(engine(run, iter(found), lambda: True)) == []
    assert made[0] == made[1]
    assert len(made[0]) == len(found)


def test_one_process_is_this_one() -> None:
    """There is no other one to wait for."""
    assert processes(1) is in_this_process


def test_time_passes(tmp_path: Path) -> None:
    """What takes long is no reason to say nothing."""
    with started(tmp_path, "again") as running:
        out, _ = running.communicate(timeout=30)
    assert "None" in out
    assert all(str(number) in out for number in range(3))


def test_ticks(monkeypatch: pytest.MonkeyPatch) -> None:
    """None comes while nothing is finished."""
    monkeypatch.setattr(engines, "TICK", 0.01)
    found = list(processes(2)(time.sleep, iter([0.2]), lambda: False))  # pyright: ignore[reportArgumentType]
    assert len(found) > 2


def test_a_worker_that_is_killed(tmp_path: Path) -> None:
    """The failure says so."""
    with started(tmp_path, "die") as running:
        _, errors = running.communicate(timeout=30)
    assert f"{MigrationError.__name__}: a worker process was killed" in errors


def test_workers_that_are_killed() -> None:
    """It is no matter who is told."""
    with pytest.raises(MigrationError, match="a worker process was killed"):
        list(processes(2)(os._exit, iter([3]), lambda: False))  # pyright: ignore[reportArgumentType]


def test_a_worker_without_a_parent(monkeypatch: pytest.MonkeyPatch) -> None:
    """It ends when the other end of the pipe is closed."""
    here, there = multiprocessing.Pipe()
    ended: list[int] = []
    monkeypatch.setattr(os, "_exit", ended.append)
    monkeypatch.setattr(multiprocessing, "parent_process", lambda: SimpleNamespace(sentinel=here))
    before = signal.getsignal(signal.SIGINT)
    engines._become_worker()
    signal.signal(signal.SIGINT, before)
    there.close()
    deadline = time.monotonic() + 10
    while not ended:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    here.close()


def test_workers_end_with_their_parent(tmp_path: Path) -> None:
    """However it ends."""
    with started(tmp_path, "work") as running:
        assert running.stdout is not None
        workers = [int(running.stdout.readline()) for _ in range(2)]
        running.kill()
    deadline = time.monotonic() + 10
    while any(_is_there(worker) for worker in workers):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def _is_there(process: int) -> bool:
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


@pytest.mark.parametrize(("text", "most"), [("200000 100000", 2), ("50000 100000", 1), ("max 100000", 64), ("", 64)])
def test_cores(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, most: int) -> None:
    """Those that are there for the process, or its quota."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(64)), raising=False)
    (tmp_path / "cpu.max").write_text(text)
    assert cores(tmp_path / "cpu.max") == most
    assert cores(tmp_path / "nothing") == 64
    monkeypatch.delattr(os, "sched_getaffinity")
    assert cores(tmp_path / "nothing") == (os.cpu_count() or 1)


def test_workers_leave_interrupts_to_their_parent(monkeypatch: pytest.MonkeyPatch) -> None:
    """In a process without one, there is nobody to end with."""
    before = signal.getsignal(signal.SIGINT)
    engines._become_worker()
    assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    signal.signal(signal.SIGINT, before)
