"""Parts of files."""

from pathlib import Path

import zstandard

from diglot.adapters.migrate.inputs import sources_of
from diglot.adapters.migrate.parts import parts_of


def test_text_is_cut_anywhere(tmp_path: Path) -> None:
    """Only the size counts; an empty file has no part; numbers go on."""
    (tmp_path / "a.jsonl").write_bytes(b"x" * 25)
    (tmp_path / "b.jsonl").write_bytes(b"")
    (tmp_path / "c.jsonl").write_bytes(b"x")
    found = [*parts_of(sources_of([str(tmp_path)]), 10)]
    assert [(part.number, part.start, part.end, part.before) for part in found] == [
        (0, 0, 10, 0),
        (1, 10, 20, 9),
        (2, 20, 25, 19),
        (3, 0, 1, 0),
    ]
    assert [part.is_first for part in found] == [True, False, False, True]


def test_frames_are_not_cut(tmp_path: Path) -> None:
    """A part has whole frames, and knows where the one in front of it begins."""
    frames = [zstandard.compress(b"line\n" * i) for i in range(1, 5)]
    ends = [sum(map(len, frames[: i + 1])) for i in range(4)]
    (tmp_path / "a.zst").write_bytes(b"".join(frames))
    found = [*parts_of(sources_of([str(tmp_path / "a.zst")]), ends[1])]
    assert [(part.start, part.end, part.before) for part in found] == [(0, ends[1], 0), (ends[1], ends[3], ends[0])]


def test_other_files_are_one_part(tmp_path: Path) -> None:
    """Gzip and documents cannot be cut."""
    for name in ("a.gz", "a.json"):
        (tmp_path / name).write_bytes(b"x" * 25)
    (tmp_path / "empty.gz").write_bytes(b"")
    assert [(part.start, part.end) for part in parts_of(sources_of([str(tmp_path)]), 10)] == [(0, 25), (0, 25)]
