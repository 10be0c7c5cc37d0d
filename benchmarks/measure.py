"""Measuring in one process: contestants take turns, CPU time is counted, medians and paired ratios are kept."""

from __future__ import annotations

import gc
import statistics
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any

from benchmarks.settings import Settings

Run = Callable[[], object]
Feeder = Callable[[], Callable[[bytes], object]]
"""Begins a stream; what it returns takes one piece after the other."""
Rows = dict[str, dict[str, Any]]  # contestant -> what was measured

FLOOR = "floor D"
OURS = "diglot"
_CLOCK = "the clock alone"


def compare(runs: Mapping[str, Run], given: Settings, units: Mapping[str, int] | None = None) -> Rows:
    """Time all *runs* in turn, `rounds` times; return microseconds per call, or per unit of what a call does."""
    gc.collect()
    gc.freeze()  # the heap that imported libraries occupy is nobody's cost
    repeats = {name: _repeats(run, given.turn) for name, run in runs.items()}
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    for name in in_turns(list(runs), given.rounds):
        seconds[name].append(_turn(runs[name], repeats[name]) / (units or {}).get(name, 1))
    gc.unfreeze()
    return {name: summary([value * 1e6 for value in values]) for name, values in seconds.items()}


def in_turns(names: list[str], rounds: int) -> list[str]:
    """Everybody once in each round, each time with another one first."""
    return [names[(n + first) % len(names)] for first in range(rounds) for n in range(len(names))]


def paused(feeders: Mapping[str, Feeder], pieces: list[bytes], pause: float, rounds: int) -> Rows:
    """Microseconds that each feeder takes for one piece when the process sleeps *pause* seconds before every one.

    What the clock itself costs, which is also more after a pause, is taken off.
    """
    clocked: dict[str, Feeder] = {_CLOCK: lambda: lambda piece: None, **feeders}
    found: dict[str, list[float]] = {name: [] for name in clocked}
    gc.collect()
    gc.freeze()
    for name in in_turns(list(clocked), rounds):
        found[name].append(_each(clocked[name](), pieces, pause))
    gc.unfreeze()
    empty = found.pop(_CLOCK)
    return {name: summary([a - b for a, b in zip(values, empty, strict=True)]) for name, values in found.items()}


def _each(feed: Callable[[bytes], object], pieces: list[bytes], pause: float) -> float:
    """The median over the pieces: what the system does in between hits some of them."""
    took: list[int] = []
    gc.collect()
    for piece in pieces:
        if pause:
            time.sleep(pause)
        begin = time.thread_time_ns()
        feed(piece)
        took.append(time.thread_time_ns() - begin)
    return statistics.median(took) / 1e3


def _repeats(run: Run, turn: float) -> int:
    """How often it fits into a turn; the first call, which is not like the others, counts only if it fills one."""
    first = _turn(run, 1)
    return 1 if first >= turn else max(1, int(turn / max(_turn(run, 1), 1e-6)))


def _turn(run: Run, repeats: int) -> float:
    """CPU seconds of one call. Every turn begins with a clean heap; collections that it causes itself count."""
    gc.collect()
    begin = time.process_time()
    for _ in range(repeats):
        run()
    return (time.process_time() - begin) / repeats


def summary(values: list[float]) -> dict[str, Any]:
    """The median of what the rounds gave, and the spread."""
    rounds = [round(value, 3) for value in values]
    low, _, high = statistics.quantiles(rounds, n=4, method="inclusive") if len(rounds) > 1 else rounds * 3
    quartiles = [round(low, 3), round(high, 3)]
    return {"median": round(statistics.median(rounds), 3), "quartiles": quartiles, "rounds": rounds}


def ratio(rows: Rows, one: str, other: str) -> float:
    """How many times as much *one* takes as *other*: the median over the rounds, each compared within itself."""
    pairs = zip(rows[one]["rounds"], rows[other]["rounds"], strict=True)
    return round(statistics.median(a / b for a, b in pairs), 3)


def add_ratios(rows: Rows, mine: str = OURS, floor: str = FLOOR) -> Rows:
    """Put every contestant's ratio to the floor and to us beside its median."""
    for name, row in rows.items():
        row["x floor"] = ratio(rows, name, floor)
        row["x diglot"] = ratio(rows, name, mine)
    return rows


def show(title: str, rows: Rows, unit: str = "us") -> None:
    """Print what was measured."""
    print(f"\n{title}\n{'':44}{unit:>14}{'x floor':>12}{'x diglot':>12}")
    for name, row in rows.items():
        ratios = "".join(f"{row[key]:>12.2f}" if key in row else f"{'':12}" for key in ("x floor", "x diglot"))
        print(f"{name:44}{row['median']:>14,.2f}{ratios}")
    sys.stdout.flush()
