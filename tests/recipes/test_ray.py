"""The engine on Ray itself: `make recipes` installs it."""

import importlib.util
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from lines_of import batch, migrated, place

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("ray") is None, reason="ray is not installed: `make recipes` has it"
)
PROGRAM = """
import functools, os, sys
from pathlib import Path
from diglot.adapters.migrate import Options, migrate_files
from diglot.adapters.migrate.ray_engine import on_ray

def noting(run, workers, part):
    Path(workers, str(os.getpid())).touch()
    return run(part)

def engine(run, parts, stops):
    yield from on_ray()(functools.partial(noting, run, sys.argv[3]), parts, stops)

outcome = migrate_files([sys.argv[1]], sys.argv[2], Options(to="responses"), engine=engine, part_size=1 << 20)
print(outcome.is_complete, outcome.parts)
"""
KILLS = 4


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "diglot", "migrate", *arguments, "--to", "responses"]


def environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name != "RAY_ADDRESS"}


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "in.jsonl"
    path.write_bytes((batch(10_000, "Hi, this is a message. " * 4) + b"no line\n") * 15)
    return path


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_a_local_one(tmp_path: Path, source: Path) -> None:
    """Without an address, one is started; the output is that of processes."""
    where, plain = place(tmp_path), place(tmp_path, "plain.jsonl")
    arguments = command(str(source), str(where.path), "--engine", "ray")
    ran = subprocess.run(arguments, env=environment(), capture_output=True, text=True, timeout=120, check=False)
    assert ran.returncode == 3, ran.stderr
    migrated(source, plain)
    assert where.path.read_bytes() == plain.path.read_bytes()
    assert where.bad.read_bytes() == plain.bad.read_bytes()


def killed_workers(running: "subprocess.Popen[str]", folder: Path) -> Iterator[int]:
    """Kill workers at random moments while they are at it, and yield their ids."""
    chance, killed = random.Random(7), set[str]()
    while running.poll() is None and len(killed) < KILLS:
        if found := sorted({path.name for path in folder.iterdir()} - killed):
            time.sleep(chance.uniform(0, 0.05))
            killed.add(found[0])
            try:
                os.kill(int(found[0]), signal.SIGKILL)
            except ProcessLookupError:
                continue
            if running.poll() is None:
                yield int(found[0])
        time.sleep(0.002)


@pytest.mark.parametrize("name", ["out.jsonl", "out/"])
def test_workers_that_are_killed(tmp_path: Path, source: Path, name: str) -> None:
    """Their parts are done again; the output is that of an undisturbed run, and nothing else is there."""
    where, plain = place(tmp_path, name), place(tmp_path, f"plain-{name}")
    workers = tmp_path / "workers"
    workers.mkdir()
    arguments = [sys.executable, "-c", PROGRAM, str(source), f"{tmp_path}/{name}", str(workers)]
    with subprocess.Popen(
        arguments, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as running:
        killed = [*killed_workers(running, workers)]
        out, errors = running.communicate(timeout=120)
    assert running.returncode == 0, errors
    assert out.splitlines()[-1].startswith("True ")  # in front of it, Ray says whom it has lost
    assert len(killed) == KILLS
    assert len([*workers.iterdir()]) > KILLS
    migrated(source, plain, part_size=1 << 20)
    if where.is_folder:
        assert files(where.path) == files(plain.path)
    else:
        assert where.path.read_bytes() == plain.path.read_bytes()
    assert where.bad.read_bytes() == plain.bad.read_bytes()


def test_a_part_that_fails(tmp_path: Path, source: Path) -> None:
    """The failure has the words that it has without Ray."""
    where = place(tmp_path, "out/")
    program = PROGRAM.replace("return run(part)", "raise MigrationError('the disk is full')").replace(
        "import Options", "import MigrationError, Options"
    )
    workers = tmp_path / "workers"
    workers.mkdir()
    arguments = [sys.executable, "-c", program, str(source), str(where.path), str(workers)]
    ran = subprocess.run(arguments, env=environment(), capture_output=True, text=True, timeout=120, check=False)
    assert ran.stderr.endswith("MigrationError: the disk is full\n")


@pytest.mark.parametrize(
    ("place_of_it", "words"),
    [
        ("auto", "Could not find any running Ray instance"),
        ("127.0.0.1:9", "Connection refused"),
        ("silent", "it does not answer as Ray does"),
        ("192.0.2.1:6379", "cannot be reached"),
    ],
)
def test_an_address_that_is_none(tmp_path: Path, source: Path, place_of_it: str, words: str) -> None:
    """It fails within 30 seconds, also if something else is there."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}" if place_of_it == "silent" else place_of_it
        arguments = command(str(source), str(tmp_path / "out.jsonl"), "--engine", f"ray={address}")
        begin = time.monotonic()
        ran = subprocess.run(arguments, env=environment(), capture_output=True, text=True, timeout=60, check=False)
    assert time.monotonic() - begin < 30
    assert ran.returncode == 1
    assert f"Error: the Ray cluster at '{address}' cannot be reached: " in ran.stderr
    assert words in ran.stderr.splitlines()[-1]
