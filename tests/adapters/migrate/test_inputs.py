"""Which files are meant."""

import io
import os
from pathlib import Path

import pytest

from diglot.adapters.migrate import SettingError
from diglot.adapters.migrate.inputs import check, sources_of, spooled


def test_folders_and_globs(tmp_path: Path) -> None:
    """Files whose endings are known, in their order; in folders, they have names."""
    (tmp_path / "sub").mkdir()
    for name in ("b.jsonl", "a.jsonl", "sub/c.yaml", "readme.txt"):
        (tmp_path / name).write_text("{}")
    found = sources_of([str(tmp_path)])
    assert [(source.name, source.kind) for source in found] == [
        ("a.jsonl", "text"),
        ("b.jsonl", "text"),
        (os.path.join("sub", "c.yaml"), "vcr"),
    ]
    assert [Path(source.path).name for source in sources_of([str(tmp_path / "*.jsonl")])] == ["a.jsonl", "b.jsonl"]
    assert sources_of([str(tmp_path / "readme.txt")])[0].kind == "text"


def test_earlier_runs(tmp_path: Path) -> None:
    """Their outputs and ledgers are no inputs of the next one, unless they are named."""
    for name in ("a.jsonl", "out.jsonl", "out.jsonl.migration/bad.jsonl", "sub/other.migration/parts/b.jsonl"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("{}")

    def names(place: str, own: str = "out.jsonl") -> list[str]:
        return [
            os.path.relpath(found.path, tmp_path) for found in sources_of([f"{tmp_path}/{place}"], own=tmp_path / own)
        ]

    assert names("") == names("*.jsonl") == names("**/*.jsonl") == ["a.jsonl"]
    assert names("", "sub") == ["a.jsonl", "out.jsonl"]
    bad = os.path.join("out.jsonl.migration", "bad.jsonl")
    assert names("out.jsonl") == ["out.jsonl"]
    assert (
        names("out.jsonl.migration/bad.jsonl")
        == names("out.jsonl.migration/*")
        == names("out.jsonl.migration")
        == [bad]
    )


def test_documents(tmp_path: Path) -> None:
    """A `.json` file is a document, or has lines; a shape may say that it is an archive."""
    (tmp_path / "a.json").write_text('{"a": 1}\n{"a": 2}\n')
    (tmp_path / "b.json").write_text('{\n"a": 1}\n')
    (tmp_path / "c.json").write_text(f'{{"a": "{"x" * 100_000}"}}\n{{"a": 2}}\n')
    (tmp_path / "d.json").write_text(f'{{"a": "{"x" * 100_000}"}}')
    assert [source.kind for source in sources_of([str(tmp_path)])] == ["text", "document", "text", "document"]
    assert {source.kind for source in sources_of([str(tmp_path)], "har")} == {"har"}


def test_a_file_that_is_named_twice(tmp_path: Path) -> None:
    """Its lines would be converted twice."""
    (tmp_path / "a.jsonl").write_text("{}")
    check(sources_of([str(tmp_path)]))
    with pytest.raises(SettingError, match=r"a\.jsonl: this input is named twice"):
        check(sources_of([str(tmp_path), str(tmp_path / "*.jsonl")]))


def test_what_cannot_be_read_in_parts(tmp_path: Path) -> None:
    """A pipe is refused before it is opened, which would wait for its other end."""
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(SettingError, match="a pipe can only be read as standard input"):
        sources_of([str(tmp_path / "pipe")])


def test_names_that_are_not_unicode(tmp_path: Path) -> None:
    """Nothing could name them; the error does."""
    name = os.fsdecode(os.fsencode(tmp_path) + b"/\xff.jsonl")
    with pytest.raises(SettingError, match=r"\\xff\.jsonl': this name is not UTF-8"):
        sources_of([name])


def test_the_content_counts(tmp_path: Path) -> None:
    """A file is known again by its size, its time and both ends."""
    path = tmp_path / "a.jsonl"
    path.write_bytes(b"a" * 200_000)
    (before,) = sources_of([str(path)])
    assert sources_of([str(path)]) == [before]
    with path.open("r+b") as file:
        file.seek(199_999)
        file.write(b"b")
    os.utime(path, ns=(before.time, before.time))
    (now,) = sources_of([str(path)])
    assert (now.size, now.time, now.ends == before.ends) == (before.size, before.time, False)


@pytest.mark.parametrize(
    ("name", "words"), [("x.jsonl", "No such file"), ("*.x", "no file has"), ("", "no file in this")]
)
def test_nothing_to_read(tmp_path: Path, name: str, words: str) -> None:
    """The error says what was looked for."""
    with pytest.raises(SettingError, match=words):
        sources_of([str(tmp_path / name)])
    with pytest.raises(SettingError, match="nothing to read"):
        sources_of([])


def test_standard_input(tmp_path: Path) -> None:
    """It is known again by its content alone."""
    first = spooled(io.BytesIO(b"{}\n"), tmp_path / "stdin.jsonl")
    assert spooled(io.BytesIO(b"{}\n"), tmp_path / "stdin.jsonl") == first
    assert (first.size, first.time) == (3, 0)
