"""Content encodings, undone within a limit."""

import gzip
import tracemalloc
import zlib
from collections.abc import Callable

import pytest
import zstandard

from diglot.adapters import encodings

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
