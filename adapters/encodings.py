"""Content encodings of request bodies, undone in small steps: a bomb stops at the limit, not at the end of memory."""

from __future__ import annotations

import io
import zlib
from collections.abc import Callable

try:
    import zstandard
except ImportError:  # an extra package; without it such a body is answered with 415
    zstandard = None

_STEP = 64 * 1024
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
