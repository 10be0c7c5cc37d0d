"""Content encodings, undone within a limit."""

import gzip
import tracemalloc
import zlib
from collections.abc import Callable

import pytest
import zstandard

from diglot.adapters.asgi import encodings

TEXT = b"hello " * 1000
WAYS: list[tuple[str, Callable[[bytes], bytes]]] = [
    ("gzip", gzip.compress),
    ("x-gzip", gzip.compress),
    ("deflate", zlib.compress),
    ("deflate", lambda data: zlib.compress(data, wbits=-15)),
    ("zstd", zstandard.compress),
]


@pytest.mark.parametrize(("name", "compress"), WAYS)
def test_there_and_back(name: str, compress: Callable[[bytes], bytes]) -> None:
    """What was compressed comes back, up to the very limit."""
    assert encodings.decode(compress(TEXT), f" {name.upper()} ", len(TEXT)) == TEXT


@pytest.mark.parametrize(("name", "compress"), WAYS)
def test_limit(name: str, compress: Callable[[bytes], bytes]) -> None:
    """One byte more than allowed is too much."""
    with pytest.raises(encodings.TooLarge):
        encodings.decode(compress(TEXT), name, len(TEXT) - 1)


@pytest.mark.parametrize(("name", "compress"), WAYS)
def test_bomb(name: str, compress: Callable[[bytes], bytes]) -> None:
    """A bomb takes no more memory than the limit allows."""
    bomb = compress(bytes(50_000_000))
    tracemalloc.start()
    with pytest.raises(encodings.TooLarge):
        encodings.decode(bomb, name, 1_000_000)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 10_000_000


@pytest.mark.parametrize(("name", "compress"), WAYS[:4])
@pytest.mark.parametrize("damage", [lambda data: data[:-9], lambda data: b"x" + data, lambda data: b""])
def test_damage(name: str, compress: Callable[[bytes], bytes], damage: Callable[[bytes], bytes]) -> None:
    """Damaged data is an error, not half a body."""
    with pytest.raises(ValueError):
        encodings.decode(damage(compress(TEXT)), name, len(TEXT))


def test_damaged_zstd() -> None:
    """What is no zstd frame at all is an error."""
    with pytest.raises(ValueError):
        encodings.decode(b"nonsense", "zstd", 100)


def test_unknown() -> None:
    """An encoding that nobody here knows is named."""
    with pytest.raises(encodings.UnknownEncoding, match="br"):
        encodings.decode(b"", "br", 1)
    assert encodings.supported() == ["deflate", "gzip", "x-gzip", "zstd"]


@pytest.mark.parametrize(("name", "compress"), WAYS)
@pytest.mark.parametrize("size", [1, 2, 7, 70_000])
def test_piece_by_piece(name: str, compress: Callable[[bytes], bytes], size: int) -> None:
    """Pieces of any size come to the same, in small steps, however much comes of one of them."""
    text = bytes(range(256)) * 40 + bytes(300_000)
    data, decoder = compress(text), encodings.Decoder.of(name.encode())
    assert decoder is not None
    steps = [step for i in range(0, len(data), size) for step in decoder.steps(data[i : i + size])]
    assert b"".join(steps) == text
    assert max(map(len, steps)) <= encodings.STEP
    assert decoder.is_whole


def test_members() -> None:
    """gzip members follow one another (RFC 1952); what is none is padding, and costs nothing."""
    data = gzip.compress(b"first ", mtime=0) + gzip.compress(b"second", mtime=0)
    assert encodings.decode(data + bytes(9), "gzip", 100) == b"first second"
    decoder = encodings.Decoder("gzip")
    assert decoder.feed(data, 100) == b"first second"
    assert decoder.feed(b"junk" * 100_000, 100) == b""
    assert encodings.decode(zlib.compress(b"one") + b"junk", "deflate", 100) == b"one"


def test_too_much_for_so_little() -> None:
    """Nobody means a body that is thousands of times as long as what was sent of it."""
    with pytest.raises(encodings.TooLarge):
        encodings.decode(zlib.compress(bytes(50_000_000)), "deflate", 60_000_000)


def test_nothing_to_undo() -> None:
    """Plain bodies have no unpacker."""
    assert encodings.Decoder.of(b" Identity ") is None
    assert encodings.Decoder.of(b"") is None
    with pytest.raises(encodings.UnknownEncoding):
        encodings.Decoder("br")
