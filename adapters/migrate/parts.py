"""Parts: the unit of work. A part is a file, and from where to where the lines begin that belong to it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

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
    size: int = 0
    """How many bytes of its file it has, about."""
    wanted: int = 0
    """How many of its lines a sample has; 0 if there is no sample."""

    @property
    def is_first(self) -> bool:
        """Whether its file begins with it."""
        return self.start == 0


def parts_of(sources: list[Source], size: int = PART_SIZE) -> Iterator[Part]:
    """Yield the parts of all files, in order: only the ends of frames and the row groups are looked up."""
    number = 0
    for source in sources:
        for start, end, before, length in _ranges(source, size):
            yield Part(number, source, start, end, before, length)
            number += 1


def _ranges(source: Source, size: int) -> Iterator[tuple[int, int, int, int]]:
    if source.kind == "text":
        for start in range(0, source.size, size):
            end = min(start + size, source.size)
            yield start, end, max(0, start - 1), end - start
    elif source.kind == "zstd":
        for start, end, before in compressed.frame_ranges(source, size):
            yield start, end, before, end - start
    elif source.kind == "parquet":
        groups = parquet.row_groups(source)
        ends = [source.size * group // groups for group in range(groups + 1)]
        yield from ((group, group + 1, 0, ends[group + 1] - ends[group]) for group in range(groups))
    elif source.size:
        yield 0, source.size, 0, source.size


def sampled(parts: Iterable[Part], size: int, count: int) -> Iterator[Part]:
    """Yield the parts that have lines of a sample of *count*, which is evenly spread over *size* bytes of parts."""
    number = end = 0
    for part in parts:
        begin, end = end, end + part.size
        wanted = -(-end * count // size) + (-begin * count // size)
        if wanted:
            yield msgspec.structs.replace(part, number=number, wanted=wanted)
            number += 1
