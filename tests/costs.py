"""What a call costs, counted and not timed, so that twice as much input can be held against twice as much work.

*steps* are lines of Python, calls, and calls of C functions. *memory* is all that was taken between one line and the
next, also what was given back at once: strings that are joined again and again, copies of dictionaries, texts that are
decoded once more. What only moves memory (`list.pop(0)`) is seen by neither; tests/test_linear.py forbids it.
"""

from __future__ import annotations

import gc
import sys
import tracemalloc
from collections.abc import Callable
from typing import Any, NamedTuple

from diglot.translator import TranslationError

ENOUGH = 25_000
"""So many steps, for the smaller of two sizes, let a square stand out against what is paid once."""
LEAST, MOST = 100, 1_200
PLENTY, LEAST_OF_PLENTY = 1_000_000, 40
"""So many steps for a size of 20 show a square at once, and take long."""
MOST_TIMES = 2.3

Make = Callable[[int], Callable[[], Any]]


class Cost(NamedTuple):
    steps: int
    memory: int


def cost_of(make: Make, size: int) -> Cost:
    """Count what *make* returns for a size; once for steps and once for memory, for the one would be in the other."""
    return Cost(steps_of(make(size)), memory_of(make(size)))


def steps_of(run: Callable[[], Any]) -> int:
    steps = 0

    def count(frame: Any, event: str, arg: Any) -> Any:
        nonlocal steps
        steps += 1
        return count

    _traced(run, count, count)
    return steps


def memory_of(run: Callable[[], Any]) -> int:
    memory = before = 0
    read, forget = tracemalloc.get_traced_memory, tracemalloc.reset_peak

    def count(frame: Any, event: str, arg: Any) -> Any:
        nonlocal memory, before
        now, peak = read()
        memory += peak - before
        forget()
        before = now
        return count

    gc.disable()
    tracemalloc.start()
    try:
        _traced(run, count, None)
    finally:
        tracemalloc.stop()
        gc.enable()
    return memory


def _traced(run: Callable[[], Any], trace: Any, profile: Any) -> None:
    """Run it; errors of ours are an end like any other. What traces the tests otherwise (coverage) pauses."""
    outer = sys.gettrace(), sys.getprofile()
    sys.settrace(trace)
    sys.setprofile(profile)
    try:
        run()
    except TranslationError:
        pass
    finally:
        sys.settrace(outer[0])
        sys.setprofile(outer[1])


def assert_linear(make: Make) -> None:
    """*make* returns what runs with an input of a size: twice the size takes at most 2.3 times the work.

    Buffers grow by leaps, and a leap may lie between two sizes: then it must hold for twice as much again.
    """
    _traced(make(2), None, None)  # what is made once for all (patterns, caches) is made now
    few, more = steps_of(make(10)), steps_of(make(20))
    least = LEAST if more < PLENTY else LEAST_OF_PLENTY
    size = min(MOST, max(least, 10 * ENOUGH // max(1, more - few)))
    one, two = cost_of(make, size), cost_of(make, 2 * size)
    if two.memory > MOST_TIMES * one.memory:
        size, one, two = 2 * size, two, cost_of(make, 4 * size)
    for what, single, double in zip(Cost._fields, one, two, strict=True):
        assert double <= MOST_TIMES * single, f"{what}: {single:,} for {size}, {double:,} for {2 * size}"
