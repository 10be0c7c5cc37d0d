"""Parts: the unit of work. A part is a file, and from where to where the lines begin that belong to it."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from . import compressed, parquet
from .inputs import Source

PART_SIZE = 8 << 20
"""About as many bytes of lines are in a part."""


class Part(msgspec.Struct, frozen=True):
    """A piece of a file. For text, *start* and *end* are bytes, and the lines that begin between them belong to it; for
    zstd they are bytes of the compressed file, at frames; for Parquet they are row groups.
    """

    number: int
    source: Source
    start: int
    end: int
    before: int = 0
    """Where to look whether the part begins with a line: at the byte, or the frame, in front of it."""

    @property
    def is_first(self) -> bool:
        """Whether its file begins with it."""
        return self.start == 0


def parts_of(sources: list[Source], size: int = PART_SIZE) -> Iterator[Part]:
    """Yield the parts of all files, in order: only the ends of frames and the row groups are looked up."""
    number = 0
    for source in sources:
        for start, end, before in _ranges(source, size):
            yield Part(number, source, start, end, before)
            number += 1


def _ranges(source: Source, size: int) -> Iterator[tuple[int, int, int]]:
    if source.kind == "text":
        for start in range(0, source.size, size):
            yield start, min(start + size, source.size), max(0, start - 1)
    elif source.kind == "zstd":
        yield from compressed.frame_ranges(source, size)
    elif source.kind == "parquet":
        yield from ((group, group + 1, 0) for group in range(parquet.row_groups(source)))
    elif source.size:
        yield 0, source.size, 0
