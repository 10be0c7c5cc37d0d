"""Parts of files."""

from pathlib import Path

import zstandard

from diglot.adapters.migrate.inputs import sources_of
from diglot.adapters.migrate.parts import parts_of, sampled


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


def test_a_sample_is_spread_by_bytes(tmp_path: Path) -> None:
    """Each part has its share of the lines; parts without any are left out."""
    for name, size in (("a.jsonl", 25), ("b.gz", 70), ("c.json", 5)):
        (tmp_path / name).write_bytes(b"x" * size)
    found = [*parts_of(sources_of([str(tmp_path)]), 10)]
    few, many = ([*sampled(found, 100, count)] for count in (4, 20))
    assert [(part.number, part.source.name, part.start, part.wanted) for part in few] == [
        (0, "a.jsonl", 0, 1),
        (1, "b.gz", 0, 3),
    ]
    assert [part.wanted for part in many] == [2, 2, 1, 14, 1]
    assert [part.size for part in many] == [10, 10, 5, 70, 5]
