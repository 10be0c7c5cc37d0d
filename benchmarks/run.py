"""Run all benchmarks, each in a process of its own, and renew the tables in README.md.

A script here may bear the name of a library (requests), so this folder must not be a place to import from:
the scripts run as modules of the folder above.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def main() -> int:
    for name in ("requests", "answers", "streams", "tables"):
        done = subprocess.run([sys.executable, "-m", f"benchmarks.{name}", *sys.argv[1:]], cwd=ROOT)
        if done.returncode:
            return done.returncode
    return 0


if __name__ == "__main__":
    sys.exit(main())
