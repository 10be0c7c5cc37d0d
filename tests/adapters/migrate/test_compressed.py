"""Compressed lines."""

import gzip
import io
import random
import sys
from pathlib import Path

import pytest
import zstandard

from diglot.adapters.migrate import SettingError
from diglot.adapters.migrate.compressed import CutOff, Writer, check_zstd, frame_ranges, gunzipped, unzstd, unzstd_whole
from diglot.adapters.migrate.inputs import sources_of

NOISE = random.Random(1).randbytes
SKIPPABLE = b"\x50\x2a\x4d\x18\x04\x00\x00\x00abcd"


def test_gzip() -> None:
    """Members follow one another."""
    data = gzip.compress(b"a" * 1_000_000) + gzip.compress(b"b")
    assert b"".join(gunzipped(io.BytesIO(data))) == b"a" * 1_000_000 + b"b"


@pytest.mark.parametrize(
    "data",
    [gzip.compress(NOISE(10_000), mtime=0)[:5_000], b"no gzip", gzip.compress(b"a" * 99, mtime=0)[:-9] + b"x" * 9],
    ids=["cut off", "none", "damaged"],
)
def test_damaged_gzip(data: bytes) -> None:
    """What is in front of the damage is read."""
    with pytest.raises(CutOff, match="gzip"):
        list(gunzipped(io.BytesIO(data)))


def test_zstd() -> None:
    """Frames follow one another, those that hold no text among them; each piece says on which side of the end it is."""
    first = zstandard.compress(b"a" * 3_000)
    data = first + SKIPPABLE + zstandard.compress(b"b")
    assert [*unzstd(io.BytesIO(data), len(first))] == [(b"a" * 3_000, True), (b"b", False)]
    assert unzstd_whole(data) == b"a" * 3_000 + b"b"


@pytest.mark.parametrize("data", [zstandard.compress(NOISE(10_000))[:5_000], b"no zstd"])
def test_damaged_zstd(data: bytes) -> None:
    """It is cut off, or damaged."""
    with pytest.raises(CutOff, match="zstd"):
        unzstd_whole(data)


@pytest.mark.parametrize("checksum", [True, False])
@pytest.mark.parametrize("sized", [True, False])
def test_frames_are_found(tmp_path: Path, checksum: bool, sized: bool) -> None:
    """Their headers and blocks have the sizes, whatever options they were written with."""
    compressor = zstandard.ZstdCompressor(write_checksum=checksum, write_content_size=sized)
    texts = (b"", b"a" * 500_000, NOISE(300_000), b"c" * 70_000)
    frames = [compressor.compress(text) for text in texts] + [SKIPPABLE]
    path = tmp_path / "a.zst"
    path.write_bytes(b"".join(frames))
    (source,) = sources_of([str(path)])
    ends = [sum(map(len, frames[: i + 1])) for i in range(5)]
    assert [(start, end) for start, end, _ in frame_ranges(source, 1)] == [*zip([0, *ends], ends, strict=False)]


@pytest.mark.parametrize(
    "rest",
    [b"", b"x", b"more of it", SKIPPABLE[:10], zstandard.compress(b"a" * 999)[:-5], zstandard.compress(b"a")[:7]],
)
def test_what_is_no_frame(tmp_path: Path, rest: bytes) -> None:
    """The rest of a damaged file is one range."""
    whole = zstandard.compress(b"a")
    (tmp_path / "a.zst").write_bytes(whole + rest)
    (source,) = sources_of([str(tmp_path / "a.zst")])
    expected = [(0, len(whole), 0)] + [(len(whole), len(whole + rest), 0)] * bool(rest)
    assert [*frame_ranges(source, 1)] == expected


@pytest.mark.parametrize("compress", [True, False])
def test_writing(compress: bool) -> None:
    """A frame, or the text itself."""
    file = io.BytesIO()
    writer = Writer(file, compress)
    writer.write(b"a")
    writer.write(b"b")
    writer.finish()
    assert (unzstd_whole(file.getvalue()) if compress else file.getvalue()) == b"ab"


def test_a_missing_package(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error has the command that installs it."""
    check_zstd()
    monkeypatch.setitem(sys.modules, "zstandard", None)
    with pytest.raises(SettingError, match=r"pip install 'diglot\[zstd\]'"):
        check_zstd()
