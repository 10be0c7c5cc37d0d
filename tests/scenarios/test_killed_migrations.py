"""`kill -9` of `diglot migrate` while it is at work, at random moments, and the same command again.

It is killed once in every run of the tests, and more often with DIGLOT_KILLS=20 (`pytest -s` shows when).
"""

import contextlib
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from lines_of import batch, migrated, place

KILLS = int(os.environ.get("DIGLOT_KILLS", "1"))
FILES = 8 * (KILLS + 1)
"""Each is a part. There are enough that most kills find some that are done and some that are not."""


def migrate(source: Path, out: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "diglot", "migrate", str(source), out, "--to", "responses", "--jobs", "2"]
    return subprocess.Popen([*command, "--quiet"], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def wait_for_work(running: subprocess.Popen[bytes], folder: Path, begin: float) -> None:
    """Return when a worker writes, or when there was nothing to do."""
    while running.poll() is None:
        for path in folder.rglob("*.unfinished"):
            with contextlib.suppress(FileNotFoundError):
                if path.stat().st_mtime >= begin:
                    return
        time.sleep(0.005)


def parts_done(work: Path) -> int:
    return (work / "ledger.jsonl").read_bytes().count(b'"done":')


@pytest.mark.slow
@pytest.mark.parametrize("name", ["out.jsonl", "out/"])
def test_killed(tmp_path: Path, name: str) -> None:
    """What is there in the end is what an undisturbed run writes, byte for byte."""
    source = tmp_path / "in"
    source.mkdir()
    for number in range(FILES):
        (source / f"{number:03d}.jsonl").write_bytes(batch(1_000, f"text {number}") + b"bad\n")
    where, plain = place(tmp_path, name), place(tmp_path, f"plain-{name}")
    chance = random.Random()
    killed_at: list[int] = []
    for _ in range(KILLS):
        begin = time.time()
        with migrate(source, f"{tmp_path}/{name}") as running:
            wait_for_work(running, tmp_path, begin)
            time.sleep(chance.uniform(0, 0.1))
            running.send_signal(signal.SIGKILL)
        if running.returncode == -signal.SIGKILL:
            killed_at.append(parts_done(where.work))
    with migrate(source, f"{tmp_path}/{name}") as running:
        _, errors = running.communicate(timeout=120)
    assert running.returncode == 3, errors
    migrated(source, plain)
    print(f"killed {len(killed_at)} times, when so many parts were done: {killed_at}")
    assert killed_at
    if where.is_folder:
        assert {path.name: path.read_bytes() for path in where.path.iterdir()} == {
            path.name: path.read_bytes() for path in plain.path.iterdir()
        }
    else:
        assert where.path.read_bytes() == plain.path.read_bytes()
    assert where.bad.read_bytes() == plain.bad.read_bytes()
