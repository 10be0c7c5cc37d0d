"""Where the output goes. How it is written is tested in test_run.py."""

import io
from pathlib import Path
from typing import Any

import pytest

from diglot.adapters.migrate import MigrationError, SettingError, output
from diglot.adapters.migrate.inputs import sources_of

from lines_of import batch, migrated, place


@pytest.mark.parametrize(
    ("name", "settings", "expected"),
    [
        ("out.jsonl", {}, (False, False)),
        ("out.jsonl.zst", {}, (False, True)),
        ("out/", {"compress": True}, (True, True)),
        ("there", {}, (True, False)),
        ("out", {"splits": True}, (True, False)),
    ],
)
def test_places(tmp_path: Path, name: str, settings: dict[str, Any], expected: tuple[bool, bool]) -> None:
    """A folder is one that is there, ends with a slash, or is for batch files."""
    (tmp_path / "there").mkdir()
    where = place(tmp_path, name, **settings)
    assert (where.is_folder, where.compress) == expected
    assert where.work.parent == tmp_path


def test_what_is_not_written(tmp_path: Path) -> None:
    """Gzip costs too much, and batch files are plain."""
    with pytest.raises(SettingError, match=r"use \.zst"):
        place(tmp_path, "out.jsonl.gz")
    with pytest.raises(SettingError, match="batch files are not compressed"):
        place(tmp_path, "out", splits=True, compress=True)


def test_output_that_somebody_changed(tmp_path: Path) -> None:
    """It is shorter than what was written: nothing is appended to it."""
    (tmp_path / "in.jsonl").write_bytes(batch(3))
    where = place(tmp_path)
    migrated(tmp_path / "in.jsonl", where)
    where.path.write_bytes(b"{}\n")
    with pytest.raises(MigrationError, match="is not what was written to it; --restart"):
        migrated(tmp_path / "in.jsonl", where)


def test_what_cannot_be_cleared(tmp_path: Path) -> None:
    """The failure has the name."""
    (tmp_path / "in.jsonl").write_bytes(batch(3))
    where = place(tmp_path, "out/")
    (where.path / "part-000000.jsonl").mkdir(parents=True)
    with pytest.raises(MigrationError, match=r"part-000000\.jsonl"):
        migrated(tmp_path / "in.jsonl", where, restart=True)


def test_standard_input_on_a_full_disk(tmp_path: Path) -> None:
    """The failure has the name."""
    where = place(tmp_path)
    where.work.mkdir()
    where.spool.symlink_to("/dev/full")
    with pytest.raises(MigrationError, match="No space left"):
        output.spool(where, io.BytesIO(b"{}" * 100_000))


def test_a_device_is_no_output() -> None:
    """It would be removed by --restart."""
    with pytest.raises(SettingError, match="must be a file or a folder"):
        output.place_of("/dev/null", splits=False, compress=False)


def test_other_files_in_the_folder_stay(tmp_path: Path) -> None:
    """Only names that are written are cleared."""
    (tmp_path / "in.jsonl").write_bytes(batch(3))
    where = place(tmp_path, "out/")
    where.path.mkdir()
    for name in ("batch-2024.jsonl", "part-a.jsonl", "part-000007.jsonl.zst", "batch-00001.jsonl"):
        (where.path / name).write_text("mine")
    migrated(tmp_path / "in.jsonl", where, restart=True)
    assert {path.name for path in where.path.iterdir()} == {"batch-2024.jsonl", "part-a.jsonl", "part-000000.jsonl"}


def test_reports_overwrite_nothing(tmp_path: Path) -> None:
    """Neither an input, also by another name, nor the output or what is beside it."""
    source, where = tmp_path / "in.json", place(tmp_path, "out.json")
    source.write_bytes(batch(1))
    migrated(source, where)
    (tmp_path / "link.json").symlink_to(source)
    sources = sources_of([str(source)])
    for name in ("in.json", "link.json", "out.json", "out.json.migration/bad.json"):
        with pytest.raises(SettingError, match="the report would overwrite"):
            output.check_report(where, sources, str(tmp_path / name))
    output.check_report(where, sources, str(tmp_path / "losses.json"))


def test_output_that_cannot_be_compared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What cannot be looked at is not the same file."""
    (tmp_path / "in.jsonl").write_bytes(batch(3))

    def fail(*_: Any) -> Any:
        raise PermissionError("not yours")

    monkeypatch.setattr(Path, "samefile", fail)
    assert migrated(tmp_path / "in.jsonl", place(tmp_path)).is_complete
