"""The lines of a part, as bytes; none is held that is longer than it may be."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import takewhile
from operator import itemgetter
from typing import IO, NamedTuple

import msgspec

from . import compressed, inputs, parquet
from .compressed import CutOff
from .errors import LineError
from .lines import BYTE_ORDER_MARK
from .options import Options
from .parts import Part
from .streams import stream_dialect

_READ = 256 << 10
Pieces = Iterator[tuple[bytes, bool]]
"""Pieces of text, and whether lines that begin in them belong to the part."""
_array_decoder = msgspec.json.Decoder(list[msgspec.Raw])


class RawLine(NamedTuple):
    """A line without its end."""

    data: bytes
    number: int
    """Its number among the lines of the part, from 0."""
    offset: int
    """Where it begins in the text of the part."""
    problem: str = ""
    """Why it cannot be read."""


class LineReader:
    """Iterates over the lines that begin in a part, the last of which may end behind it.

    Afterwards, ``lines`` and ``size`` are how many lines and how much text the part had.
    """

    def __init__(self, part: Part, options: Options) -> None:
        self.lines: int = 0
        self.size: int = 0
        self._part = part
        self._options = options
        self._line = bytearray()
        self._begin = 0  # of the line that grows
        self._is_foreign = False  # it began before the part
        self._is_too_long = False

    def __iter__(self) -> Iterator[RawLine]:
        for data, offset, problem in self._found():
            self.lines += 1
            yield RawLine(data, self.lines - 1, offset, problem)

    def _found(self) -> Iterator[tuple[bytes, int, str]]:
        part = self._part
        if part.source.kind == "parquet":
            yield from self._rows()
            return
        with inputs.opened(part.source.path) as file:
            if part.source.kind in inputs.WHOLE:
                yield from self._document(file.read(self._options.max_line + 1))
            elif part.source.kind == "gzip":
                yield from self._cut((text, True) for text in compressed.gunzipped(file))
            elif part.source.kind == "zstd":
                yield from self._cut(self._of_frames(file))
            else:
                yield from self._cut(self._of_text(file))

    def _rows(self) -> Iterator[tuple[bytes, int, str]]:
        try:
            for data in parquet.rows(self._part.source, self._part.start, self._options.column):
                if isinstance(data, LineError):
                    yield b"", self.size, str(data)
                else:
                    yield data or b"", self.size, "The row has no line: it is null." if data is None else ""
                self.size += 1
        except CutOff as error:
            yield b"", self.size, f"The rows end here: {error}."

    def _document(self, data: bytes) -> Iterator[tuple[bytes, int, str]]:
        self.size = self._part.source.size
        data = data.removeprefix(BYTE_ORDER_MARK)
        if len(data) > self._options.max_line:
            yield b"", 0, self._length_problem
        elif data.lstrip()[:1] == b"[":
            for line in _members(data):
                yield line, 0, ""
        else:
            yield data, 0, ""

    def _of_text(self, file: IO[bytes]) -> Pieces:
        part = self._part
        if not part.is_first:
            file.seek(part.before)
            self._is_foreign = file.read(1) != b"\n"
        position = part.start
        while data := file.read(min(_READ, part.end - position) if position < part.end else _READ):
            yield data, position < part.end
            position += len(data)
        if position < part.end:
            raise CutOff("it has become shorter while it was read")

    def _of_frames(self, file: IO[bytes]) -> Pieces:
        part = self._part
        if not part.is_first:
            file.seek(part.before)
            self._is_foreign = _ends_in_line(takewhile(itemgetter(1), compressed.unzstd(file, part.start)))
        file.seek(part.start)
        yield from compressed.unzstd(file, part.end)

    def _cut(self, pieces: Pieces) -> Iterator[tuple[bytes, int, str]]:
        position = 0
        try:
            for text, inside in pieces:
                if not inside and (self._is_plain or self._is_foreign or self._is_too_long):
                    return
                *ended, rest = text.split(b"\n")
                for piece in ended:
                    if self._is_plain and position and len(piece) <= self._options.max_line:
                        yield piece.removesuffix(b"\r"), position, ""
                    else:
                        yield from self._grow(piece)
                        yield from self._end()
                    position += len(piece) + 1
                    self._begin = position
                    if not inside:
                        return
                yield from self._grow(rest)
                position += len(rest)
                self.size += len(text) if inside else 0
        except CutOff as error:
            yield bytes(self._line), self._begin, f"The file ends here: {error}."
            return
        if self._line:
            yield from self._end()

    @property
    def _is_plain(self) -> bool:
        """Whether the next piece begins a line of this part."""
        return not (self._line or self._is_foreign or self._is_too_long)

    def _grow(self, piece: bytes) -> Iterator[tuple[bytes, int, str]]:
        if self._is_foreign or self._is_too_long:
            return
        self._line += piece
        if len(self._line) > self._options.max_line:
            self._line.clear()
            self._is_too_long = True
            yield b"", self._begin, self._length_problem

    def _end(self) -> Iterator[tuple[bytes, int, str]]:
        if not self._is_foreign and not self._is_too_long:
            data = bytes(self._line)
            if self._part.is_first and not self._begin:
                data = data.removeprefix(BYTE_ORDER_MARK)
            yield data.removesuffix(b"\r"), self._begin, ""
        self._line.clear()
        self._is_foreign = self._is_too_long = False

    @property
    def _length_problem(self) -> str:
        return f"The line is longer than {self._options.max_line:,} bytes."


def _ends_in_line(pieces: Pieces) -> bool:
    """Whether a text ends inside of a line; of one that is damaged nobody knows, so what follows is read."""
    last = b"\n"
    try:
        for text, _ in pieces:
            last = text[-1:]
    except CutOff:
        return False
    return last != b"\n"


def _members(data: bytes) -> Iterator[bytes]:
    """Return the members of a JSON array, each as a line; a recorded stream, and what is not JSON, as it is."""
    try:
        members = _array_decoder.decode(data)
        if not members or not stream_dialect([msgspec.json.decode(members[0])]):
            return map(bytes, members)
    except (msgspec.MsgspecError, RecursionError, UnicodeError):
        return _nearly_json(data)
    return iter([data])


def _nearly_json(data: bytes) -> Iterator[bytes]:
    """Do the same where some member has a NaN or bytes that are not UTF-8: it alone is bad, or loses something."""
    try:
        members = json.loads(data.decode("utf-8", "surrogateescape"))
    except (ValueError, RecursionError):
        return iter([data])  # the line will say what is wrong
    return iter([data]) if stream_dialect(members) else (json.dumps(member).encode() for member in members)
