"""Lines as rows of a Ray Data pipeline, with what became of them beside them.

    python ray_data.py logs/ converted/

Ray's `read_json` would make one schema of all lines, and nulls of keys that are absent; its `read_text` would cut lines
at each of Python's line breaks, such as U+2028, which JSON may have in its texts.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import ray

from diglot.adapters.migrate import MapBatches, Options


def lines_of(row: dict[str, str]) -> Iterator[dict[str, bytes]]:
    """Yield the lines of a file."""
    with open(row["item"], "rb") as file:
        for line in file:
            yield {"line": line.rstrip(b"\n")}


def convert(paths: list[str]) -> ray.data.Dataset:
    """Add the columns `converted`, `losses` and `error`; with pyarrow, they have the same types in every batch."""
    lines = ray.data.from_items(paths).flat_map(lines_of)
    return lines.map_batches(MapBatches("line", Options(to="responses")), batch_format="pyarrow")


def main(source: str, folder: str) -> None:
    paths = [str(path.resolve()) for path in sorted(Path(source).rglob("*.jsonl"))]
    convert(paths).write_parquet(os.path.abspath(folder))


if __name__ == "__main__":
    main(*sys.argv[1:])
