"""The lines of parts: together, those of the file, whatever the size of a part."""

import gzip
import itertools
import random
import tracemalloc
from pathlib import Path

import pytest
import zstandard

from diglot.adapters.migrate import Options
from diglot.adapters.migrate.inputs import sources_of
from diglot.adapters.migrate.line_reader import LineReader, RawLine
from diglot.adapters.migrate.parts import parts_of

TEXT = b"\xef\xbb\xbffirst\r\n\n\x00\x00\nlonger line\n" + b"x" * 50 + b"\nlast"
LINES = [b"first", b"", b"\0\0", b"longer line", b"x" * 50, b"last"]
OPTIONS = Options(to="chat")


def read(path: Path, size: int, options: Options = OPTIONS) -> list[RawLine]:
    """All lines, with the numbers and places that they have in the file."""
    found: list[RawLine] = []
    lines = offset = 0
    for part in parts_of(sources_of([str(path)]), size):
        reader = LineReader(part, options)
        found += [line._replace(number=line.number + lines, offset=line.offset + offset) for line in reader]
        lines, offset = lines + reader.lines, offset + reader.size
    return found


@pytest.mark.parametrize("size", [1, 2, 3, 7, 11, 40, 1_000])
def test_text(tmp_path: Path, size: int) -> None:
    """Each line once, in order, with its number and its place."""
    path = tmp_path / "a.jsonl"
    path.write_bytes(TEXT)
    found = read(path, size)
    assert [line.data for line in found] == LINES
    assert [line.number for line in found] == [*range(6)]
    for line in found[1:]:
        assert TEXT[line.offset :].startswith(line.data)


@pytest.mark.parametrize("seed", range(8))
def test_frames(tmp_path: Path, seed: int) -> None:
    """Frames that are cut anywhere, inside of lines too."""
    chance = random.Random(seed)
    cuts = sorted(chance.sample(range(1, len(TEXT)), 6))
    pieces = [TEXT[start:end] for start, end in itertools.pairwise([0, *cuts, len(TEXT)])]
    path = tmp_path / "a.zst"
    path.write_bytes(b"".join(map(zstandard.compress, pieces)))
    for size in (1, 40):
        found = read(path, size)
        assert [(line.data, line.number) for line in found] == [*zip(LINES, range(6), strict=True)]
        assert all(TEXT[line.offset :].startswith(line.data) for line in found[1:])


def test_a_damaged_frame(tmp_path: Path) -> None:
    """Its own lines are lost, and named; those of the next part are read."""
    frame = zstandard.ZstdCompressor(write_checksum=True).compress(b"one\ntwo")
    path = tmp_path / "a.zst"
    path.write_bytes(frame[:-1] + bytes([frame[-1] ^ 1]) + zstandard.compress(b"three\n"))
    found = read(path, 1)
    assert found[-1].data == b"three"
    assert [line.problem[:40] for line in found if line.problem] == ["The file ends here: the zstd data is dam"]


def test_gzip(tmp_path: Path) -> None:
    """A file that is cut off gives what is in front of the cut, and says so."""
    path = tmp_path / "a.gz"
    path.write_bytes(gzip.compress(TEXT))
    assert [line.data for line in read(path, 1)] == LINES
    path.write_bytes(gzip.compress(TEXT)[:-9])
    *others, last = read(path, 1)
    assert ([line.data for line in others], last.data) == (LINES[:-1], b"last")
    assert last.problem.startswith("The file ends here: the gzip data is cut off")


@pytest.mark.parametrize("size", [10, 35, 1_000])
def test_long_lines(tmp_path: Path, size: int) -> None:
    """They are named and not read; those behind them are read."""
    path = tmp_path / "a.jsonl"
    path.write_bytes(TEXT)
    found = read(path, size, Options(to="chat", max_line=20))
    assert [line.data for line in found] == [*LINES[:4], b"", b"last"]
    assert (found[4].problem, found[4].offset) == ("The line is longer than 20 bytes.", TEXT.index(b"xx"))
    path.write_bytes(b"y" * 21)
    assert [line.problem for line in read(path, size, Options(to="chat", max_line=20))] == [found[4].problem]


def test_a_line_across_pieces(tmp_path: Path) -> None:
    """It is read in pieces of a quarter of a mebibyte."""
    line = b"z" * 1_000_000
    path = tmp_path / "a.jsonl"
    path.write_bytes(line + b"\n" + line)
    assert [len(each.data) for each in read(path, 100_000)] == [1_000_000, 1_000_000]
    assert [each.data for each in read(path, 100_000, Options(to="chat", max_line=500_000))] == [b"", b""]


@pytest.mark.parametrize("size", [64 << 20, pytest.param(1 << 30, marks=pytest.mark.slow)])
def test_a_line_that_nobody_should_hold(tmp_path: Path, size: int) -> None:
    """No more of it is held than a line may have, and what follows is read."""
    path = tmp_path / "a.jsonl"
    with path.open("wb") as file:
        file.write(b"first\n")
        file.seek(size)  # a hole, which takes no room
        file.write(b"\nlast")
    tracemalloc.start()
    try:
        found = read(path, size // 4, Options(to="chat", max_line=1 << 20))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert [(line.data, line.problem[:23]) for line in found] == [
        (b"first", ""),
        (b"", "The line is longer than"),
        (b"last", ""),
    ]
    assert peak < 8 << 20


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        (b'\xef\xbb\xbf{"a":\n1}', [b'{"a":\n1}']),
        (b'[{"a": 1},\n{"b": 2}]', [b'{"a": 1}', b'{"b": 2}']),
        (b"[x", [b"[x"]),
        (b"[]", []),
        (b'[{"a": NaN}, {"b": "\xff"}, {"c": 1}]', [b'{"a": NaN}', b'{"b": "\\udcff"}', b'{"c": 1}']),
        (b'[{"type": "response.created", "a": NaN}]', [b'[{"type": "response.created", "a": NaN}]']),
        (b'[{"type": "response.created"}]', [b'[{"type": "response.created"}]']),
    ],
)
def test_documents(tmp_path: Path, text: bytes, lines: list[bytes]) -> None:
    """A document is a line; of an array, each member is one."""
    path = tmp_path / "a.json"
    path.write_bytes(text)
    assert [line.data for line in read(path, 1)] == lines
    assert read(path, 1, Options(to="chat", max_line=1))[0].problem == "The line is longer than 1 bytes."


def test_a_file_that_becomes_shorter(tmp_path: Path) -> None:
    """Lines that are gone are not gone in silence."""
    path = tmp_path / "a.jsonl"
    path.write_bytes(b"1\n2\n3\n")
    (part,) = parts_of(sources_of([str(path)]))
    path.write_bytes(b"1\n")
    found = [*LineReader(part, OPTIONS)]
    assert [line.data for line in found] == [b"1", b""]
    assert found[1].problem == "The file ends here: it has become shorter while it was read."
