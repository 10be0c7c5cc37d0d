"""A dataset of Hugging Face with a column of lines, and what became of them beside them.

    python hugging_face.py chat.jsonl converted.parquet

The builder `text` takes lines as they are; `json` would make one schema of all of them, and
nulls of keys that are absent.
"""

from __future__ import annotations

import sys

from datasets import Dataset, load_dataset

from diglot.adapters.migrate import MapBatches, Options


def convert(lines: Dataset) -> Dataset:
    """Add the columns `converted`, `losses` and `error`.

    As tables of Arrow they have their types. Without them, `datasets` takes the types from the first batch, and fails
    at the first error that is in a later one.
    """
    made = lines.with_format("arrow").map(MapBatches("text", Options(to="responses")), batched=True)
    return made.with_format(None)


def main(source: str, out: str) -> None:
    lines = load_dataset("text", data_files=source, split="train")
    convert(lines).to_parquet(out)


if __name__ == "__main__":
    main(*sys.argv[1:])
