"""The work on one part."""

import os
from pathlib import Path
from typing import Any

import pytest

from diglot.adapters.migrate import MigrationError, Options
from diglot.adapters.migrate.inputs import sources_of
from diglot.adapters.migrate.parts import Part, parts_of
from diglot.adapters.migrate.worker import Target, run_part

from lines_of import batch, entries


def part_of(tmp_path: Path, data: bytes) -> Part:
    (tmp_path / "in.jsonl").write_bytes(data)
    return next(parts_of(sources_of([str(tmp_path / "in.jsonl")])))


def test_files_are_whole_or_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A part that fails leaves nothing behind."""
    part = part_of(tmp_path, batch(3) + b"bad\n")
    target = Target(str(tmp_path / "parts"))
    done = run_part(part, Options(to="responses"), target, str(tmp_path))
    assert (done.lines, done.size, done.tally.bad) == (4, part.end, 1)
    assert (done.tally.bytes_in, done.tally.bytes_out) == (part.end, os.path.getsize(done.file))
    assert entries(tmp_path / "part-000000.bad")[0]["line_number"] == 4

    def fail(_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", fail)
    other = Target(str(tmp_path / "other"))
    with pytest.raises(MigrationError, match="No space left"):
        run_part(part, Options(to="responses"), other, str(tmp_path))
    assert list((tmp_path / "other").iterdir()) == []


def test_refused_lines_have_their_losses(tmp_path: Path) -> None:
    """With `--strict`, they are set aside with all that they would lose."""
    part = part_of(tmp_path, batch(1))
    done = run_part(part, Options(to="responses", strict=True), Target(str(tmp_path / "parts")), str(tmp_path))
    (bad,) = entries(tmp_path / "part-000000.bad")
    assert (done.tally.refused, bad["path"], bad["losses"][0]["kind"]) == (1, "seed", "dropped")


def test_what_cannot_be_removed(tmp_path: Path) -> None:
    """The first error is the one that counts."""
    part = part_of(tmp_path, batch(1))
    (tmp_path / "parts").write_text("a file")
    with pytest.raises(MigrationError, match="parts: "):
        run_part(part, Options(to="responses"), Target(str(tmp_path / "parts")), str(tmp_path))
