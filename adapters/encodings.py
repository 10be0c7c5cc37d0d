"""Content encodings, undone in small steps: a bomb stops at the limit, not at the end of memory."""

from __future__ import annotations

import io
import zlib
from collections.abc import Callable
from typing import Any

try:
    import zstandard
except ImportError:  # an extra package; without it such a body is answered with 415
    zstandard = None

_STEP = 64 * 1024
_MORSEL = 256  # of compressed data at once: even of zstd no more than some MiB come out of it
_ZSTD_WINDOW = 8 * 1024 * 1024  # what RFC 9659 lets a sender use


class UnknownEncoding(ValueError):
    """There is no decoder for this content encoding."""


class TooLarge(ValueError):
    """The decoded body is larger than the limit."""


def decode(data: bytes, encoding: str, limit: int) -> bytes:
    """Return *data* without its content encoding.

    Raises UnknownEncoding, TooLarge when more than *limit* bytes come out, and ValueError when the data is damaged.
    """
    name = encoding.strip().lower()
    if name in ("", "identity"):
        return data
    try:
        decoder = _DECODERS[name]
    except KeyError:
        raise UnknownEncoding(f"unknown content encoding {name[:40]!r}") from None
    return decoder(data, limit)


class Unpacker:
    """Undoes a content encoding piece by piece."""

    def __init__(self, encoding: str) -> None:
        self._name = encoding
        self._decoder = _opened(encoding)
        self._begun = False

    @classmethod
    def of(cls, encoding: bytes) -> Unpacker | None:
        """Return one for the value of a `content-encoding` header, or nothing where nothing is to be undone."""
        name = encoding.decode("latin-1").strip().lower()
        return None if name in ("", "identity") else cls(name)

    def feed(self, data: bytes, limit: int) -> bytes:
        """Return what *data* adds.

        Raises UnknownEncoding, TooLarge when more than *limit* bytes come out of it, and ValueError for damaged data.
        """
        if self._decoder is None:
            raise UnknownEncoding(f"unknown content encoding {self._name[:40]!r}")
        pieces: list[bytes] = []
        room = limit
        for start in range(0, len(data), _MORSEL):
            pieces.append(self._decode(data[start : start + _MORSEL]))
            room -= len(pieces[-1])
            if room < 0:
                raise TooLarge(f"more than {limit} bytes when decoded")
        return b"".join(pieces)

    def _decode(self, data: bytes) -> bytes:
        try:
            decoded = self._decoder.decompress(data)
        except Exception as error:  # each package has its own
            if self._begun or self._name != "deflate":
                raise ValueError(f"damaged body: {type(error).__name__}") from None
            self._decoder = zlib.decompressobj(-zlib.MAX_WBITS)
            decoded = _inflated(self._decoder, data)
        self._begun = True
        return decoded


def _opened(name: str) -> Any:
    if name in ("gzip", "x-gzip"):
        return zlib.decompressobj(zlib.MAX_WBITS | 16)
    if name == "deflate":
        return zlib.decompressobj()
    if name == "zstd" and zstandard is not None:
        return zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW).decompressobj()
    return None


def _inflated(decoder: zlib._Decompress, data: bytes) -> bytes:
    try:
        return decoder.decompress(data)
    except zlib.error as error:
        raise ValueError(f"damaged body: {error}") from None


def supported() -> list[str]:
    """The names of the content encodings that can be decoded here."""
    return sorted(_DECODERS)


def _gzip(data: bytes, limit: int) -> bytes:
    return _inflate(zlib.decompressobj(zlib.MAX_WBITS | 16), data, limit)


def _deflate(data: bytes, limit: int) -> bytes:
    """Both things that are called deflate: with the zlib header, as specified, and raw, as often sent."""
    try:
        return _inflate(zlib.decompressobj(), data, limit)
    except TooLarge:
        raise
    except ValueError:
        return _inflate(zlib.decompressobj(-zlib.MAX_WBITS), data, limit)


def _inflate(decoder: zlib._Decompress, data: bytes, limit: int) -> bytes:
    try:
        decoded = decoder.decompress(data, limit + 1)
    except zlib.error as error:
        raise ValueError(f"damaged body: {error}") from None
    if len(decoded) > limit:
        raise TooLarge(f"more than {limit} bytes when decoded")
    if not decoder.eof or decoder.unused_data:
        raise ValueError("damaged body: it ends too early or too late")
    return decoded


def _zstd(data: bytes, limit: int) -> bytes:
    assert zstandard is not None
    decoder = zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW)
    pieces: list[bytes] = []
    room = limit
    try:
        with decoder.stream_reader(io.BytesIO(data), read_across_frames=True) as reader:
            while piece := reader.read(_STEP):
                pieces.append(piece)
                room -= len(piece)
                if room < 0:
                    raise TooLarge(f"more than {limit} bytes when decoded")
    except zstandard.ZstdError as error:
        raise ValueError(f"damaged body: {error}") from None
    return b"".join(pieces)


_DECODERS: dict[str, Callable[[bytes, int], bytes]] = {"gzip": _gzip, "x-gzip": _gzip, "deflate": _deflate}
if zstandard is not None:
    _DECODERS["zstd"] = _zstd
