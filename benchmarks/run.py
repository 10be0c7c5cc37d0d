"""Run the benchmarks, each in a process of its own, and renew the tables and plots.

A script here may bear the name of a library (requests), so this folder must not be a place to import from:
the scripts run as modules of the folder above.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
QUESTIONS = (
    "requests",
    "answers",
    "streams",
    "middleware",
    "transport",
    "observe",
    "proxy",
    "memory",
    "scaling",
    "startup",
    "profiles",
    "state",
    "migrate",
)


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__, epilog="Other options go to the benchmarks.")
    options.add_argument("--only", choices=QUESTIONS, action="append", help="this question; may be given again")
    given, rest = options.parse_known_args()
    for name in given.only or QUESTIONS:
        began = time.monotonic()
        print(f"\n== {name}", flush=True)
        done = subprocess.run([sys.executable, "-m", f"benchmarks.{name}", *rest], cwd=ROOT)
        if done.returncode:
            return done.returncode
        print(f"== {name}: {time.monotonic() - began:.0f} s", flush=True)
    if "--short" in rest:
        return 0
    return subprocess.run([sys.executable, "-m", "benchmarks.report.readme"], cwd=ROOT).returncode


if __name__ == "__main__":
    sys.exit(main())
