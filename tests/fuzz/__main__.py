"""The command: `make fuzz`."""

from __future__ import annotations

import argparse
import itertools
import multiprocessing
import os
import sys
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

from . import runner
from .invariants import listed

_EXAMPLES = 1  # of each kind that are made small


def main() -> int:
    """Run cases on all cores, for so many minutes; return 1 if there is a finding."""
    asked = _arguments()
    if asked.case is not None:
        return _one(asked.seed, asked.case)
    print("\n".join(listed()), flush=True)
    queue: Any = multiprocessing.Queue()
    end = time.monotonic() + 60 * asked.minutes
    most = -(-asked.cases // asked.jobs) if asked.cases else None
    workers = [
        multiprocessing.Process(target=_work, args=(asked.seed, worker, asked.jobs, end, most, queue), daemon=True)
        for worker in range(asked.jobs)
    ]
    for worker in workers:
        worker.start()
    count, kinds = 0, Counter[str]()
    running = len(workers)
    while running:
        number, finding = queue.get()
        if finding is None:
            count, running = count + number, running - 1
            continue
        kinds[finding.kind] += 1
        if kinds[finding.kind] <= _EXAMPLES:
            _print(asked.seed, finding)
    print(f"\n{count:,} cases with SEED={asked.seed}: {sum(kinds.values()):,} findings of {len(kinds)} kinds")
    for kind, times in kinds.most_common():
        print(f"{times:7,} {kind}")
    return 1 if kinds else 0


def _arguments() -> Any:
    parser = argparse.ArgumentParser(prog="fuzz")
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--cases", type=int, default=0, help="stop after so many")
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--case", type=int, default=None, help="only this one")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    asked = parser.parse_args()
    asked.seed = time.time_ns() % 1_000_000 if asked.seed is None else asked.seed
    return asked


def _one(seed: int, number: int) -> int:
    case = runner.case_of(seed, number)
    finding = runner.found(number, case)
    if finding is None:
        print(runner.as_golden(case))
        return 0
    _print(seed, finding)
    runner.check(case)  # for its traceback
    return 1


def _print(seed: int, finding: runner.Finding) -> None:
    print(f"\nSEED={seed} CASE={finding.number}: {finding.kind}\n{finding.words}", flush=True)
    print(runner.as_golden(runner.smaller(finding).case), flush=True)


def _work(seed: int, worker: int, jobs: int, end: float, most: int | None, queue: Any) -> None:
    def numbers() -> Iterator[int]:
        for number in itertools.count(worker, jobs):
            if time.monotonic() >= end or (most is not None and number // jobs >= most):
                return
            yield number

    count = 0
    try:
        count = runner.run(seed, numbers(), lambda finding: queue.put((finding.number, finding)))
    finally:
        queue.put((count, None))


if __name__ == "__main__":
    sys.exit(main())
