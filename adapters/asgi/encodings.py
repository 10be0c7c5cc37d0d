"""Decodes content encodings in small steps, so that a decompression bomb stops at the limit."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from typing import Any

try:
    import zstandard
except ImportError:  # an optional package; without it, a zstd body is answered with 415
    zstandard = None

STEP = 64 * 1024
"""About how many decoded bytes come out at once, at most."""
_ZSTD_STEP = (
    256  # bytes of zstd fed at once: a block of 4 bytes may hold 128 KiB, which the package returns in one piece
)
_ZSTD_WINDOW = 8 * 1024 * 1024  # the largest window that RFC 9659 allows
_RATIO_FREE = 4 * 1024 * 1024
_RATIO = 200
"""Above `_RATIO_FREE`, a body may decode to this many times its size; ordinary text reaches about 20."""


class UnknownEncoding(ValueError):
    """The content encoding is not supported."""


class TooLarge(ValueError):
    """The decoded body is larger than the limit."""


def decode(data: bytes | bytearray, encoding: str, limit: int) -> bytes | bytearray:
    """Return *data* without its content encoding.

    Raises UnknownEncoding; TooLarge when more than *limit* bytes come out, or implausibly many for the size of *data*;
    and ValueError when the data is damaged.
    """
    name = _name(encoding)
    if not name:
        return data
    decoder = Decoder(name)
    decoded = decoder.feed(data, min(limit, max(_RATIO_FREE, _RATIO * len(data))))
    if not decoder.is_whole:
        raise ValueError("damaged body: it ends too early")
    return decoded


class Decoder:
    """Decodes a content encoding piece by piece. Raises UnknownEncoding."""

    def __init__(self, encoding: str) -> None:
        try:
            self._decoder = _DECODERS[encoding]()
        except KeyError:
            raise UnknownEncoding(f"unknown content encoding {encoding[:40]!r}") from None

    @classmethod
    def of(cls, encoding: bytes) -> Decoder | None:
        """Return the decoder for a `content-encoding` header, or None if there is nothing to decode."""
        name = _name(encoding.decode("latin-1"))
        return cls(name) if name else None

    @property
    def is_whole(self) -> bool:
        """Whether the data may end here."""
        return self._decoder.is_whole

    def steps(self, data: bytes | bytearray) -> Iterator[bytes]:
        """Yield what *data* decodes to, in steps, so that the caller may stop. Raises ValueError for damage."""
        return self._decoder.feed(data)

    def feed(self, data: bytes | bytearray, limit: int) -> bytes:
        """Return what *data* decodes to; raises TooLarge above *limit* bytes, and ValueError for damaged data."""
        pieces: list[bytes] = []
        room = limit
        for piece in self.steps(data):
            pieces.append(piece)
            room -= len(piece)
            if room < 0:
                raise TooLarge(f"more than {limit} bytes when decoded")
        return b"".join(pieces)


def supported() -> list[str]:
    """Return the names of the supported content encodings."""
    return sorted(_DECODERS)


def _name(encoding: str) -> str:
    name = encoding.strip().lower()
    return "" if name == "identity" else name


class _Gzip:
    """gzip, whose members may follow one another (RFC 1952, 2.2)."""

    def __init__(self) -> None:
        self._stream = zlib.decompressobj(zlib.MAX_WBITS | 16)
        self.is_whole = False
        """Whether the data may end here."""

    def feed(self, data: bytes | bytearray) -> Iterator[bytes]:
        """Yield what *data* decodes to."""
        view = memoryview(data)
        for start in range(0, len(data), STEP):  # what is left of a piece is copied after each step
            yield from self._inflate(bytes(view[start : start + STEP]))

    def _inflate(self, rest: bytes) -> Iterator[bytes]:
        full = False
        while rest or full:
            if self.is_whole and not self._begins_another(rest):
                return
            try:
                piece = self._stream.decompress(rest, STEP)
            except zlib.error as error:
                raise ValueError(f"damaged body: {error}") from None
            rest, full = self._stream.unconsumed_tail, len(piece) == STEP
            if self._stream.eof:
                rest, full, self.is_whole = self._stream.unused_data, False, True
            if piece:
                yield piece

    def _begins_another(self, data: bytes) -> bool:
        """Whether another member follows; anything else behind the last one is padding."""
        if data[:1] != b"\x1f":
            return False
        self._stream, self.is_whole = zlib.decompressobj(zlib.MAX_WBITS | 16), False
        return True


class _Deflate(_Gzip):
    """Both formats that are called deflate: with the zlib header, as specified, and without, as often sent."""

    def __init__(self) -> None:
        super().__init__()
        self._head = b""

    def _inflate(self, rest: bytes) -> Iterator[bytes]:
        if len(self._head) < 2:
            self._head = rest = self._head + rest
            if len(rest) < 2:
                return
            has_header = rest[0] & 15 == 8 and (rest[0] << 8 | rest[1]) % 31 == 0  # RFC 1950, 2.2
            self._stream = zlib.decompressobj(zlib.MAX_WBITS if has_header else -zlib.MAX_WBITS)
        yield from super()._inflate(rest)

    def _begins_another(self, data: bytes) -> bool:
        return False


class _Zstd:
    """zstd, whose frames may follow one another."""

    is_whole = True  # the package does not report an unfinished frame; half a JSON text fails later anyway

    def __init__(self) -> None:
        assert zstandard is not None
        self._error = zstandard.ZstdError
        decoder = zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW)
        self._stream = decoder.decompressobj(read_across_frames=True)

    def feed(self, data: bytes | bytearray) -> Iterator[bytes]:
        """Yield what *data* decodes to."""
        for start in range(0, len(data), _ZSTD_STEP):
            try:
                piece = self._stream.decompress(data[start : start + _ZSTD_STEP])
            except self._error as error:
                raise ValueError(f"damaged body: {error}") from None
            for at in range(0, len(piece), STEP):
                yield piece[at : at + STEP]


_DECODERS: dict[str, Callable[[], Any]] = {
    **dict.fromkeys(("gzip", "x-gzip"), _Gzip),
    "deflate": _Deflate,
    **({"zstd": _Zstd} if zstandard is not None else {}),
}
