"""Measuring: contestants take turns in one process, CPU time is counted, medians and paired ratios are kept."""

from __future__ import annotations

import argparse
import gc
import json
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import Any

Run = Callable[[], object]
Rows = dict[str, dict[str, Any]]  # contestant -> what was measured

FLOOR = "floor D"
OURS = "diglot"
RESULTS = Path(__file__).parent / "results"
_VERSIONS = ("diglot", "msgspec", "litellm", "openai-agents", "openai", "pydantic")


def settings() -> argparse.Namespace:
    """The command line that all benchmarks share."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true", help="see that it runs: three rounds, small cases, no files")
    parser.add_argument("--rounds", type=int, default=11)
    given = parser.parse_args()
    given.turn = 0.002 if given.quick else 0.05  # seconds of CPU for one turn of one contestant
    if given.quick:
        given.rounds = 3
    return given


def compare(runs: dict[str, Run], given: argparse.Namespace, units: dict[str, int] | None = None) -> Rows:
    """Time all *runs* in turn, `rounds` times; return microseconds per call, or per unit of what a call does."""
    repeats = {name: _repeats(run, given.turn) for name, run in runs.items()}
    gc.collect()
    gc.freeze()  # the heap that imported libraries occupy is nobody's cost
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    order = list(runs)
    for _ in range(given.rounds):
        for name in order:
            seconds[name].append(_turn(runs[name], repeats[name]) / (units or {}).get(name, 1))
        order.append(order.pop(0))
    gc.unfreeze()
    return {name: _summary(values) for name, values in seconds.items()}


def _repeats(run: Run, turn: float) -> int:
    run()
    return max(1, int(turn / max(_turn(run, 1), 1e-6)))


def _turn(run: Run, repeats: int) -> float:
    """CPU seconds of one call. Every turn begins with a clean heap; collections that it causes itself count."""
    gc.collect()
    begin = time.process_time()
    for _ in range(repeats):
        run()
    return (time.process_time() - begin) / repeats


def _summary(seconds: list[float]) -> dict[str, Any]:
    quarters = statistics.quantiles(seconds, n=4, method="inclusive")
    low, middle, high = (round(value * 1e6, 3) for value in quarters)
    return {"median": middle, "quartiles": [low, high], "rounds": [round(value * 1e6, 3) for value in seconds]}


def ratio(rows: Rows, one: str, other: str) -> float:
    """How many times as long *one* takes as *other*: the median over the rounds, each compared within itself."""
    pairs = zip(rows[one]["rounds"], rows[other]["rounds"], strict=True)
    return statistics.median(a / b for a, b in pairs)


def add_ratios(rows: Rows, mine: str = OURS, floor: str = FLOOR) -> Rows:
    """Put every contestant's ratio to the floor and to us beside its median."""
    for name, row in rows.items():
        row["x floor"] = round(ratio(rows, name, floor), 3)
        row["x diglot"] = round(ratio(rows, name, mine), 3)
    return rows


def show(title: str, rows: Rows) -> None:
    print(f"\n{title}\n{'':36}{'us':>12}{'x floor D':>12}{'x diglot':>12}")
    for name, row in rows.items():
        print(f"{name:36}{row['median']:>12,.2f}{row['x floor']:>12.2f}{row['x diglot']:>12.2f}")
    sys.stdout.flush()


def save(question: str, given: argparse.Namespace, cases: dict[str, Any], **more: Any) -> None:
    """Write the results and the kind of machine; a quick run leaves the files alone."""
    if given.quick:
        return
    for case in cases.values():
        for row in case["rows"].values():
            del row["rounds"]
    result = {
        "question": question,
        "unit": "microseconds of process CPU time, median over the rounds; ratios are medians of paired rounds",
        "rounds": given.rounds,
        "machine": {
            "python": f"{platform.python_implementation()} {platform.python_version()}",
            "system": platform.system(),
            "architecture": platform.machine(),
            "cpus": os.cpu_count(),
        },
        "versions": {name: metadata.version(name) for name in _VERSIONS},
        "cases": cases,
        **more,
    }
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{question}.json").write_text(json.dumps(result, indent=1) + "\n")
