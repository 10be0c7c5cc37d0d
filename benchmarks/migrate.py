"""What does a migration cost, against a bare loop over the converter, and how does it grow with processes and files?

CPU time is that of all processes, from the first import to the last: the loop's is that of the loop alone.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import psutil

from benchmarks import measure, results, settings
from benchmarks.directions import DIRECTIONS, Api, other
from benchmarks.inputs import migration

UNIT = "seconds of CPU time of all processes for one file"
LOOP, UNCOPIED = "a bare loop", "a bare loop that does not copy bodies"
RAY, ROWS = "--engine ray", "rows through Ray Data"
FROM: dict[Api, str] = {"responses": "Responses to chat", "chat": "chat to Responses"}
_LINES, _SHORT_LINES = 100_000, 4_000
_TIMES_LARGER = 10
_TICK = 0.1
_USAGE = """
import resource, subprocess, sys
code = subprocess.call(sys.argv[1:])
usage = resource.getrusage(resource.RUSAGE_CHILDREN)
print(usage.ru_utime + usage.ru_stime, usage.ru_maxrss)
sys.exit(code)
"""
"""It is small: a process begins with the peak of the one that has started it."""
Found = dict[str, Any]


def jobs(count: int) -> str:
    return f"--jobs {count}"


def numbers_of_jobs() -> list[int]:
    """One, two, four ... and all cores; two even where there is only one."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    doubled = [1 << n for n in range(cores.bit_length())]
    return sorted({1, 2, cores, *(count for count in doubled if count <= cores)})


class Runs:
    """Programs that convert one file, each in processes of its own."""

    def __init__(self, file: Path, api: Api) -> None:
        self.file = file
        self.out = file.with_name("converted.jsonl")
        self._api: Api = api

    def loop(self, name: str) -> Found:
        """A loop says itself how long it took."""
        began = time.perf_counter()
        done = subprocess.run(self._program(name), cwd=settings.ROOT, check=True, capture_output=True, text=True)
        return {"CPU": float(done.stdout), "wall": time.perf_counter() - began}

    def migration(self, *flags: str) -> Found:
        """The system says what a process and those that it has waited for took, and the most that one of them held."""
        self.clear()
        began = time.perf_counter()
        command = [sys.executable, "-c", _USAGE, *self._command(*flags)]
        done = subprocess.run(command, cwd=settings.ROOT, capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(done.stderr)
        seconds, size = done.stdout.split()
        unit = 1 if sys.platform == "darwin" else 1024
        return {"CPU": float(seconds), "wall": time.perf_counter() - began, "largest": int(size) * unit}

    def ray(self, rows: bool) -> Found:
        """Ray's processes do not wait for each other, so that they are looked at ten times a second."""
        self.clear()
        command = self._program("ray-rows") if rows else self._command("--engine", "ray")
        began = time.perf_counter()
        quiet = {**os.environ, "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0", "PYTHONWARNINGS": "ignore"}
        with tempfile.TemporaryFile() as said:
            child = subprocess.Popen(command, cwd=settings.ROOT, stdout=said, stderr=said, env=quiet)
            seconds, largest, most = _watched(child)
            if child.returncode:
                said.seek(0)
                raise SystemExit(said.read().decode())
        return {"CPU": seconds, "wall": time.perf_counter() - began, "largest": largest, "together": most}

    def _command(self, *flags: str) -> list[str]:
        to = ["--to", other(self._api), "--quiet"]
        return [sys.executable, "-m", "diglot", "migrate", str(self.file), str(self.out), *to, *flags]

    def _program(self, name: str) -> list[str]:
        module = "benchmarks.peers.migration_loops"
        return [sys.executable, "-m", module, name, str(self.file), str(self.out), self._api]

    def clear(self) -> None:
        """Remove what the last one has written."""
        for path in (self.out, self.out.with_name(f"{self.out.name}.migration")):
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)


def _watched(child: subprocess.Popen[bytes]) -> tuple[float, int, int]:
    """Seconds of CPU time of a process and its descendants, the most that one of them held, and all of them."""
    seconds: dict[int, float] = {}
    largest = most = 0
    parent = psutil.Process(child.pid)
    while child.poll() is None:
        together = 0
        for process in _tree(parent):
            try:
                times, size = process.cpu_times(), process.memory_info().rss
            except psutil.Error:
                continue
            seconds[process.pid] = times.user + times.system
            largest, together = max(largest, size), together + size
        most = max(most, together)
        time.sleep(_TICK)
    return sum(seconds.values()), largest, most


def _tree(parent: psutil.Process) -> list[psutil.Process]:
    try:
        return [parent, *parent.children(recursive=True)]
    except psutil.Error:
        return []


def compare(runs: Runs, loops: dict[str, str], counts: list[int], given: settings.Settings) -> Found:
    """All contestants take turns on one file."""
    wanted: dict[str, Callable[[], Found]] = {row: lambda name=name: runs.loop(name) for row, name in loops.items()}
    wanted |= {jobs(count): lambda count=count: runs.migration("--jobs", str(count)) for count in counts}
    found: dict[str, list[Found]] = {row: [] for row in wanted}
    for row in measure.in_turns(list(wanted), given.rounds):
        found[row].append(wanted[row]())
    rows = {row: _row(several) for row, several in found.items()}
    return _with_ratios(rows, {row: LOOP for row in rows if row != LOOP})


def _row(several: list[Found]) -> Found:
    row = measure.summary([one["CPU"] for one in several])
    row["wall"] = measure.summary([one["wall"] for one in several])["median"]
    return row | {name: max(one[name] for one in several) for name in ("largest", "together") if name in several[0]}


def _with_ratios(rows: Found, floors: dict[str, str]) -> Found:
    for name, floor in floors.items():
        rows[name]["x loop"] = measure.ratio(rows, name, floor)
    return rows


def with_ray(rows: Found, runs: Runs) -> None:
    """Add what Ray takes, once; where it is missing, the row says so."""
    for name in (RAY, ROWS):
        if importlib.util.find_spec("ray") is None:
            rows[name] = {"missing": "Ray is not installed"}
        else:
            rows[name] = _row([runs.ray(rows=name == ROWS)])
            rows[name]["x loop"] = round(rows[name]["median"] / rows[LOOP]["median"], 3)


def check(runs: Runs, to: Api) -> None:
    """What the loop makes of the first lines of a batch is what the migration makes of them, but for `store`."""
    runs.loop("batch")
    looped = _first(runs.out)
    runs.migration("--jobs", "1")
    for line, other_line in zip(_first(runs.out), looped, strict=True):
        if to == "responses" and "store" not in line["body"]:
            del other_line["body"]["store"]
        assert line == other_line


def _first(file: Path) -> list[Any]:
    with file.open("rb") as lines:
        return [msgspec.json.decode(next(lines)) for _ in range(migration.KINDS)]


def show(title: str, rows: Found) -> None:
    print(f"\n{title}\n{'':44}{'CPU s':>10}{'x loop':>10}{'wall s':>10}{'MB':>10}")
    for name, row in rows.items():
        if "missing" in row:
            print(f"{name:44}{row['missing']}")
            continue
        ratio = f"{row['x loop']:>10.3f}" if "x loop" in row else f"{'':10}"
        memory = f"{row['largest'] / 1e6:>10.0f}" if "largest" in row else ""
        print(f"{name:44}{row['median']:>10.2f}{ratio}{row['wall']:>10.2f}{memory}")
    sys.stdout.flush()


def direction(api: Api, folder: Path, given: settings.Settings) -> Found:
    """A file of a batch, and one of all shapes."""
    count = _SHORT_LINES if given.short else _LINES
    found: Found = {}
    for name, lines in (("batch", migration.batch), ("all shapes", migration.mixed)):
        runs = Runs(folder / f"{api}.jsonl", api)
        migration.write(runs.file, lines(count, api))
        if name == "batch":
            check(runs, other(api))
            rows = compare(runs, {LOOP: "batch", UNCOPIED: "batch-uncopied"}, numbers_of_jobs(), given)
            if api == "chat":
                with_ray(rows, runs)
        else:
            rows = compare(runs, {LOOP: "mixed"}, [1, 2], given)
        found[name] = {"lines": count, "bytes": runs.file.stat().st_size, "rows": rows}
        show(f"{FROM[api]}: {name}, {count:,} lines, {found[name]['bytes'] / 1e6:,.0f} MB", rows)
        runs.clear()
        runs.file.unlink()
    return found


def memory(folder: Path, given: settings.Settings) -> list[Found]:
    """The most that one of the processes holds, for a file and for one that is ten times as large."""
    found: list[Found] = []
    for times in (1, _TIMES_LARGER):
        runs = Runs(folder / "large.jsonl", "chat")
        migration.write(runs.file, migration.batch((_SHORT_LINES if given.short else _LINES) * times, "chat"))
        size = runs.file.stat().st_size
        found.append({"bytes": size, **runs.migration("--jobs", "2")})
        print(f"{size / 1e6:,.0f} MB: at most {found[-1]['largest'] / 1e6:.1f} MB in a process", flush=True)
        runs.clear()
        runs.file.unlink()
    return found


def main() -> None:
    given = settings.from_command_line().few(3)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        directions = {api: direction(api, folder, given) for api in DIRECTIONS}
        sizes = memory(folder, given)
    results.save("migrate", UNIT, given, {"directions": directions, "memory": sizes})


if __name__ == "__main__":
    main()
