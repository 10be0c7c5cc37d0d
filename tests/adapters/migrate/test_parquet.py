"""Parquet files."""

import json
import sys
from pathlib import Path

import pyarrow
import pyarrow.parquet
import pytest

from diglot.adapters.migrate import MigrationError, Options, SettingError

from lines_of import batch_line, entries, migrated, place

OPTIONS = Options(to="responses", column="line")


def written(path: Path, values: list[object], kind: pyarrow.DataType | None = None) -> Path:
    table = pyarrow.table({"line": pyarrow.array(values, kind), "other": list(range(len(values)))})
    pyarrow.parquet.write_table(table, path, row_group_size=2)
    return path


@pytest.mark.parametrize("kind", [pyarrow.string(), pyarrow.large_string(), pyarrow.binary()])
def test_texts(tmp_path: Path, kind: pyarrow.DataType) -> None:
    """Each row group is a part; a null is a bad line, with its place."""
    lines = [batch_line(i) for i in range(3)]
    source = written(
        tmp_path / "in.parquet", [*(lines if kind == pyarrow.binary() else map(bytes.decode, lines)), None], kind
    )
    where = place(tmp_path)
    outcome = migrated(source, where, OPTIONS)
    assert (outcome.parts, outcome.tally.converted, outcome.tally.bad) == (2, 3, 1)
    assert [entry["custom_id"] for entry in entries(where.path)] == ["r0", "r1", "r2"]
    (bad,) = entries(where.bad)
    assert (bad["line_number"], bad["error"]) == (4, "The row has no line: it is null.")


def test_structures(tmp_path: Path) -> None:
    """A nested column has every field in every row: null means absent."""
    rows = [
        {"messages": [{"role": "user", "content": "Hi", "name": None}]},
        {"messages": [{"role": "user", "content": "Ho", "name": "n"}]},
    ]
    where = place(tmp_path)
    migrated(written(tmp_path / "in.parquet", list(rows)), where, OPTIONS)
    assert [entry["input"][0]["content"] for entry in entries(where.path)] == ["Hi", "Ho"]


@pytest.mark.parametrize(
    ("column", "words"), [("", "--column must name"), ("x", "no column 'x'; the columns are: line, other")]
)
def test_wrong_columns(tmp_path: Path, column: str, words: str) -> None:
    """The error names those that there are."""
    source = written(tmp_path / "in.parquet", ["{}"])
    with pytest.raises(SettingError, match=words):
        migrated(source, place(tmp_path), Options(to="chat", column=column))
    assert not place(tmp_path).work.exists()


def test_damaged_files(tmp_path: Path) -> None:
    """A file that is no Parquet is named."""
    source = tmp_path / "in.parquet"
    source.write_bytes(b"PAR1 and so on")
    with pytest.raises(MigrationError, match=r"in\.parquet: "):
        migrated(source, place(tmp_path), OPTIONS)


def test_a_damaged_row_group(tmp_path: Path) -> None:
    """It is named, and the others are read."""
    source = written(tmp_path / "in.parquet", [batch_line(i, "Hi" * 300).decode() for i in range(6)])
    data = bytearray(source.read_bytes())
    at = pyarrow.parquet.ParquetFile(source).metadata.row_group(0).column(0).dictionary_page_offset
    data[at : at + 40] = b"\xff" * 40
    source.write_bytes(data)
    where = place(tmp_path)
    outcome = migrated(source, where, OPTIONS)
    assert (outcome.tally.converted, outcome.tally.bad) == (4, 1)
    assert entries(where.bad)[0]["error"].startswith("The rows end here: the row group is damaged: ")


def test_rows_that_no_line_can_be(tmp_path: Path) -> None:
    """What has no JSON, and texts that are not UTF-8, are bad lines; the others are converted."""
    source, where = tmp_path / "in.parquet", place(tmp_path)
    line = batch_line(0)
    lengths = (0).to_bytes(4, "little") + b"".join(size.to_bytes(4, "little") for size in (2, 2 + len(line)))
    texts = pyarrow.Array.from_buffers(
        pyarrow.string(), 2, [None, pyarrow.py_buffer(lengths), pyarrow.py_buffer(b"\xff\xfe" + line)]
    )
    pyarrow.parquet.write_table(pyarrow.table({"line": texts}), source)
    migrated(source, where, OPTIONS)
    assert [entry["custom_id"] for entry in entries(where.path)] == ["r0"]
    assert entries(where.bad)[0]["base64"] == "//4="
    days = pyarrow.array([{"input": "Hi", "time": 1_700_000_000_123_456_789}])
    times = pyarrow.struct({"input": pyarrow.string(), "time": pyarrow.timestamp("ns")})
    pyarrow.parquet.write_table(pyarrow.table({"line": days.cast(times)}), source)
    outcome = migrated(source, where, OPTIONS, restart=True)
    assert outcome.tally.converted + outcome.tally.bad == 1
    assert not outcome.tally.bad or "cannot be written as JSON" in entries(where.bad)[0]["error"]


def test_a_missing_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error has the command that installs it."""
    source = written(tmp_path / "in.parquet", [json.dumps({})])
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    with pytest.raises(SettingError, match=r"pip install 'diglot\[parquet\]'"):
        migrated(source, place(tmp_path), OPTIONS)
