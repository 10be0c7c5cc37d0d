"""Logged requests and answers in the other dialect, one JSON object a line; what was lost is counted on stderr.

    python convert_logs.py < chat.jsonl > responses.jsonl

The same log gives the same bytes: ids are hashes, and times are those of the log.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterable, Iterator

import diglot


def convert(lines: Iterable[str], lost: Counter[str]) -> Iterator[str]:
    """Yield each line in the other dialect; a line that cannot be converted is left out, and counted."""
    for number, line in enumerate(lines, 1):
        try:
            body, losses = diglot.convert(json.loads(line))
        except (diglot.TranslationError, ValueError) as error:
            print(f"line {number}: {error}", file=sys.stderr)
            lost["lines"] += 1
            continue
        lost.update(f"{loss.kind} {loss.place}: {loss.why}" for loss in losses)
        yield json.dumps(body, ensure_ascii=False)


def main() -> None:
    lost: Counter[str] = Counter()
    for line in convert(sys.stdin, lost):
        print(line)
    for words, count in lost.most_common():
        print(f"{count:6} {words}", file=sys.stderr)


if __name__ == "__main__":
    main()
