"""Compressed lines: gzip and zstd are read, zstd is written."""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Iterator
from typing import IO, Any

from ..missing import install_hint
from . import inputs
from .errors import SettingError

_READ = 256 << 10
_SLICE = 1 << 10
_WINDOW = 1 << 31
_MAGIC = 0xFD2FB528
_SKIPPABLE = range(0x184D2A50, 0x184D2A60)
_LEVEL = 3


class CutOff(Exception):
    """A compressed file ends before its data does, or is damaged; what was read before is fine."""


def gunzipped(file: IO[bytes]) -> Iterator[bytes]:
    """Yield the text of a gzip file, in pieces. Raises CutOff."""
    try:
        with gzip.GzipFile(fileobj=file) as text:
            while piece := text.read1(_READ):
                yield piece
    except (EOFError, OSError, zlib.error) as error:
        raise CutOff(f"the gzip data is cut off or damaged: {error}") from None


def unzstd(file: IO[bytes], end: int) -> Iterator[tuple[bytes, bool]]:
    """Yield the text of frames, and whether it is of a frame that begins before *end*. Raises CutOff.

    What little is decompressed at once may still be thousands of times as large.
    """
    zstandard = _zstandard()
    position = file.tell()
    inside, frame = True, None
    while data := file.read(_SLICE):
        position += len(data)
        while data:
            if frame is None:
                inside = position - len(data) < end
                frame = zstandard.ZstdDecompressor(max_window_size=_WINDOW).decompressobj()
            try:
                text = frame.decompress(data)
            except zstandard.ZstdError as error:
                raise CutOff(f"the zstd data is damaged: {error}") from None
            if text:
                yield text, inside
            data = frame.unused_data if frame.eof else b""
            frame = None if frame.eof else frame
    if frame is not None:
        raise CutOff("the zstd data is cut off")


def frame_ranges(source: inputs.Source, size: int) -> Iterator[tuple[int, int, int]]:
    """Yield ranges of whole frames of at least *size* bytes, if there is as much: from where, to where, and where the
    frame in front begins.
    """
    start = before = last = 0
    with inputs.opened(source.path) as file:
        for end in _frame_ends(file, source.size):
            if end - start >= size:
                yield start, end, before
                start, before = end, last
            last = end
    if start < source.size:
        yield start, source.size, before


def _frame_ends(file: IO[bytes], size: int) -> Iterator[int]:
    """Yield where frames end: block headers have the sizes, nothing is decompressed; damaged data has no more ends."""
    position = 0
    while position < size:
        file.seek(position)
        end = _frame_end(file, position)
        if end is None or end > size:
            return
        position = end
        yield position


def _frame_end(file: IO[bytes], position: int) -> int | None:
    """Return where the frame ends that begins at *position*: RFC 8878, 3.1."""
    head = file.read(8)
    magic = int.from_bytes(head[:4], "little")
    if len(head) == 8 and magic in _SKIPPABLE:
        return position + 8 + int.from_bytes(head[4:], "little")
    if magic != _MAGIC or len(head) < 5:
        return None
    flags = head[4]
    is_single, has_checksum = bool(flags & 0x20), bool(flags & 4)
    content_size = (1 if is_single else 0, 2, 4, 8)[flags >> 6]
    position += 5 + (not is_single) + (0, 1, 2, 4)[flags & 3] + content_size
    while True:
        file.seek(position)
        block = file.read(3)
        if len(block) < 3:
            return None
        header = int.from_bytes(block, "little")
        position += 3 + (1 if header >> 1 & 3 == 1 else header >> 3)
        if header & 1:
            return position + 4 * has_checksum


class Writer:
    """A file that is written, compressed if its name says so: a frame with whole lines."""

    def __init__(self, file: IO[bytes], compress: bool) -> None:
        self._file = file
        self._frame: Any = _zstandard().ZstdCompressor(level=_LEVEL).compressobj() if compress else None

    def write(self, data: bytes) -> None:
        """Write some bytes."""
        self._file.write(self._frame.compress(data) if self._frame else data)

    def finish(self) -> None:
        """Write what is still held back."""
        if self._frame:
            self._file.write(self._frame.flush())
        self._file.flush()


def check_zstd() -> None:
    """Raise SettingError if zstandard is missing."""
    _zstandard()


def _zstandard() -> Any:
    try:
        import zstandard
    except ImportError:
        raise SettingError(install_hint("zstd", "zstandard", "zstd")) from None
    return zstandard


def unzstd_whole(data: bytes) -> bytes:
    """Return the text of compressed bytes. Raises CutOff."""
    return b"".join(text for text, _ in unzstd(io.BytesIO(data), len(data)))
