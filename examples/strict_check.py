"""A check for CI: the requests that your program sends must reach your upstream without loss.

    python strict_check.py --profile vllm recorded/*.json

Exits with 1, and says which field of which file is lost and why, if one would not.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import diglot


def problems(path: Path, profile: str) -> list[str]:
    """Say what of a recorded request is lost on its way, in words for people; nothing if all of it arrives."""
    try:
        diglot.convert(json.loads(path.read_text("utf-8")), profile=profile, strict=True)
    except diglot.UntranslatableError as error:
        return [f"{path}: {loss}" for loss in error.losses]
    except (diglot.TranslationError, ValueError) as error:
        return [f"{path}: {error}"]
    return []


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--profile", default="default", help="what the upstream is: see `diglot profiles`")
    parser.add_argument("files", nargs="+", type=Path)
    options = parser.parse_args()
    found = [line for path in options.files for line in problems(path, options.profile)]
    for line in found:
        print(line)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
