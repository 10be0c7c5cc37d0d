"""Migrations from beginning to end."""

import gzip
import json
import os
import random
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pyarrow
import pytest
import zstandard
from pyarrow import parquet

from diglot.adapters.migrate import LineError, MigrationError, Options, SettingError, convert_line, migrate_files
from diglot.adapters.migrate.engines import in_this_process
from diglot.adapters.migrate.inputs import sources_of
from diglot.adapters.migrate.progress import Progress
from diglot.adapters.migrate.run import Limit, Migration
from diglot.adapters.migrate.tally import Tally

from golden_files import load
from lines_of import TO_RESPONSES, batch, batch_line, entries, migrated, place

KILLED = """
import sys
from pathlib import Path
from diglot.adapters.migrate import Options
from diglot.adapters.migrate.engines import processes
from diglot.adapters.migrate.inputs import sources_of
from diglot.adapters.migrate.output import place_of
from diglot.adapters.migrate.progress import Progress
from diglot.adapters.migrate.run import Migration
if __name__ == "__main__":
    place = place_of(sys.argv[2], splits=sys.argv[3] == "split", compress=False)
    migration = Migration(sources_of([sys.argv[1]]), place, Options(to="responses"), part_size=20_000)
    print("begun", flush=True)
    migration.run(processes(2), Progress(sys.stderr, is_quiet=True))
"""
SIZE = 1_000
GOLDEN = Options(to="chat", request="body")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "in.jsonl"
    path.write_bytes(batch(30) + b"no line\n\n" + batch(30))
    return path


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_one_file(tmp_path: Path, source: Path) -> None:
    """Parts are appended in order; what is bad is set aside with its place in the file."""
    where = place(tmp_path)
    outcome = migrated(source, where, part_size=SIZE)
    assert [entry["custom_id"] for entry in entries(where.path)] == [f"r{i}" for i in range(30)] * 2
    (bad,) = entries(where.bad)
    assert (bad["file"], bad["line_number"], bad["line"], bad["path"]) == (str(source), 31, "no line", None)
    assert source.read_bytes()[bad["offset"] :].startswith(b"no line\n")
    tally = outcome.tally
    assert (tally.lines, tally.converted, tally.bad, outcome.is_complete) == (61, 60, 1, True)
    (loss,) = tally.losses
    assert (loss.path, loss.kind, loss.lines, loss.models) == ("seed", "dropped", 60, {"m0": 30, "m1": 30})
    assert [(one.file, one.line) for one in loss.examples] == [(str(source), 1), (str(source), 2), (str(source), 3)]
    assert outcome.parts > 5
    assert not [*(where.work / "parts").iterdir()]


def test_the_size_of_parts_changes_nothing(tmp_path: Path, source: Path) -> None:
    """The output, the quarantine and the counts are the same."""
    small, large = place(tmp_path, "small.jsonl"), place(tmp_path, "large.jsonl")
    first, second = migrated(source, small, part_size=333), migrated(source, large)
    assert small.path.read_bytes() == large.path.read_bytes()
    assert small.bad.read_bytes() == large.bad.read_bytes()
    assert first.tally.losses == second.tally.losses


def test_a_folder(tmp_path: Path, source: Path) -> None:
    """Each part is a file; nothing else is there."""
    where = place(tmp_path, "out/")
    outcome = migrated(source, where, part_size=SIZE)
    made = files(where.path)
    assert [*made] == [f"part-{i:06d}.jsonl" for i in range(outcome.parts)]
    one = place(tmp_path)
    migrated(source, one)
    assert b"".join(made.values()) == one.path.read_bytes()


@pytest.mark.parametrize("name", ["out.jsonl.zst", "out/"])
def test_compressed_output(tmp_path: Path, source: Path, name: str) -> None:
    """Each part is a frame; what was written can be read again."""
    where, plain = place(tmp_path, name, compress=True), place(tmp_path, "plain.jsonl")
    migrated(source, where, part_size=SIZE)
    migrated(source, plain)
    again = place(tmp_path, "again.jsonl")
    outcome = migrated(where.path, again, part_size=100)
    assert again.path.read_bytes() == plain.path.read_bytes()
    assert outcome.parts > 2


def test_several_files(tmp_path: Path) -> None:
    """Line numbers begin anew in each; empty files are no mistake."""
    for name in ("a", "b"):
        (tmp_path / f"{name}.jsonl").write_bytes(batch(20) + b"bad\n")
    (tmp_path / "c.jsonl").write_bytes(b"")
    where = place(tmp_path, "out.jsonl")
    outcome = migrated([tmp_path / f"{name}.jsonl" for name in "abc"], where, part_size=SIZE)
    assert [entry["line_number"] for entry in entries(where.bad)] == [21, 21]
    assert outcome.tally.converted == 40


def test_empty_input(tmp_path: Path) -> None:
    """Nothing becomes nothing."""
    (tmp_path / "in.jsonl").write_bytes(b"")
    outcome = migrated(tmp_path / "in.jsonl", place(tmp_path))
    assert (outcome.tally.lines, outcome.is_complete, place(tmp_path).path.read_bytes()) == (0, True, b"")


@pytest.mark.parametrize(
    ("data", "converted", "bad"),
    [
        (batch_line(0), 1, 0),
        (batch_line(0) + b"\r\n" + batch_line(1) + b"\r\n", 2, 0),
        (b"\xef\xbb\xbf" + batch(1), 1, 0),
        (b"\0" * 100 + b"\n" + batch(1), 1, 1),
        (batch_line(0).replace(b"Hi", b"\\ud800") + b"\n", 1, 0),
        (b'{"a":' + b"[" * 100_000 + b"\n" + batch(1), 1, 1),
        (b"\xff\xfe\n", 0, 1),
        (b"x" * 2_000 + b"\n" + batch(1), 1, 1),
    ],
)
def test_bad_input(tmp_path: Path, data: bytes, converted: int, bad: int) -> None:
    """No line is lost: it is converted, or set aside."""
    (tmp_path / "in.jsonl").write_bytes(data)
    outcome = migrated(
        tmp_path / "in.jsonl",
        place(tmp_path),
        Options(to="responses", max_line=1_500 if len(data) < 10_000 else 1 << 20),
    )
    assert (outcome.tally.converted, outcome.tally.bad) == (converted, bad)
    assert len(entries(place(tmp_path).bad) if bad else []) == bad


@pytest.mark.parametrize(("name", "compressed"), [("in.gz", gzip.compress), ("in.zst", zstandard.compress)])
def test_truncated_input(tmp_path: Path, name: str, compressed: Any) -> None:
    """What is in front of the cut is converted; the cut is set aside."""
    noise = "".join(random.Random(1).choices("abcdefghijklmnopqrstuvwxyz", k=200_000))
    (tmp_path / name).write_bytes(compressed(batch(50) + batch_line(50, noise) + b"\n")[:-50_000])
    where = place(tmp_path)
    outcome = migrated(tmp_path / name, where)
    assert (outcome.tally.converted >= (50 if name == "in.gz" else 0), outcome.tally.bad) == (True, 1)
    assert "cut off" in entries(where.bad)[0]["error"]


def test_what_was_repaired_is_given_back(tmp_path: Path, source: Path) -> None:
    """The quarantine is an input: texts and base64 are lines again."""
    source.write_bytes(b"x" + batch_line(0) + b"\n\xff" + batch_line(1) + b"\n")
    where, again = place(tmp_path), place(tmp_path, "again.jsonl")
    migrated(source, where)
    first, second = entries(where.bad)
    assert "base64" in second
    repaired = tmp_path / "repaired.jsonl"
    fixed = [
        {**first, "line": first["line"][1:]},
        {**second, "line": batch_line(1).decode()},
        second,
        {**second, "base64": "?"},
    ]
    repaired.write_text("\n".join(map(json.dumps, fixed)))
    outcome = migrated(repaired, again)
    assert [entry["custom_id"] for entry in entries(again.path)] == ["r0", "r1"]
    assert outcome.tally.bad == 2


def test_what_was_set_aside_twice(tmp_path: Path, source: Path) -> None:
    """An entry in an entry is still the line."""
    source.write_bytes(b"bad\n")
    where, again, last = (place(tmp_path, name) for name in ("out.jsonl", "again.jsonl", "last.jsonl"))
    migrated(source, where)
    migrated(where.bad, again)
    migrated(again.bad, last)
    assert entries(last.bad)[0]["error"] == entries(where.bad)[0]["error"]


def test_a_second_run_does_what_is_missing(tmp_path: Path, source: Path) -> None:
    """If all is done, nothing is."""
    where = place(tmp_path)
    first = migrated(source, where, part_size=SIZE)
    before = where.path.stat().st_mtime_ns
    second = migrated(source, where, part_size=SIZE)
    assert (second.tally, second.parts, where.path.stat().st_mtime_ns) == (first.tally, first.parts, before)


def test_interrupted(tmp_path: Path, source: Path) -> None:
    """Ctrl-C ends after the part under way; the next run goes on; a second Ctrl-C is Python's."""
    where, plain = place(tmp_path), place(tmp_path, "plain.jsonl")
    migration = Migration(sources_of([str(source)]), where, TO_RESPONSES, part_size=SIZE)

    def engine(run: Any, parts: Any, stops: Any) -> Any:
        for count, finished in enumerate(in_this_process(run, parts, stops)):
            yield finished
            if count == 2:
                os.kill(os.getpid(), signal.SIGINT)
                assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
                yield None

    with Path("/dev/null").open("w") as out:
        outcome = migration.run(engine, Progress(out, is_quiet=True))
    assert (outcome.is_complete, outcome.parts) == (False, 3)
    assert migrated(source, where, part_size=SIZE).is_complete
    migrated(source, plain)
    assert where.path.read_bytes() == plain.path.read_bytes()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["out.jsonl", "out/", "split"])
def test_killed(tmp_path: Path, name: str) -> None:
    """`kill -9` at random moments: what is there in the end is what an undisturbed run writes."""
    source = tmp_path / "in.jsonl"
    source.write_bytes((batch(150) + b"bad\n") * 60)
    program = tmp_path / "program.py"
    program.write_text(KILLED)
    chance = random.Random(name)
    command = [sys.executable, str(program), str(source), f"{tmp_path}/{name}", name]
    for _ in range(7):
        with subprocess.Popen(command, stdout=subprocess.PIPE) as running:
            assert running.stdout is not None
            running.stdout.readline()
            time.sleep(chance.uniform(0.05, 0.9))
            running.kill()
    assert subprocess.run(command, check=False, stdout=subprocess.DEVNULL).returncode == 0
    splits = name == "split"
    where, plain = place(tmp_path, name, splits=splits), place(tmp_path, f"plain-{name}", splits=splits)
    migrated(source, plain, part_size=20_000)
    if where.is_folder:
        assert files(where.path) == files(plain.path)
    else:
        assert where.path.read_bytes() == plain.path.read_bytes()
    assert where.bad.read_bytes() == plain.bad.read_bytes()


def test_in_a_thread(tmp_path: Path, source: Path) -> None:
    """Only the main thread can listen to Ctrl-C."""
    thread = threading.Thread(target=migrated, args=(source, place(tmp_path)))
    thread.start()
    thread.join()
    assert len(entries(place(tmp_path).path)) == 60


def test_what_a_killed_run_left(tmp_path: Path, source: Path) -> None:
    """Unfinished files are removed, also those of batch files that are not in the ledger."""
    where = place(tmp_path, "out/")
    where.work.mkdir()
    where.path.mkdir()
    left = [where.work / ".part-000000.bad.1.unfinished"]
    for path in left:
        path.touch()
    migrated(source, where)
    (where.path / ".part-000000.jsonl.1.unfinished").touch()
    migrated(source, where)
    assert [*files(where.path)] == ["part-000000.jsonl"]
    assert not any(path.exists() for path in left)
    split = place(tmp_path, "split", splits=True)
    migrated(source, split)
    (split.path / "batch-00001.jsonl").touch()
    migrated(source, split)
    assert [*files(split.path)] == ["batch-00000.jsonl"]


def test_what_a_killed_worker_left(tmp_path: Path, source: Path) -> None:
    """An engine does its part again; its unfinished file goes when all is done."""
    where = place(tmp_path, "out/")

    def engine(run: Any, parts: Any, stops: Any) -> Any:
        (where.path / ".part-000000.jsonl.1.unfinished").touch()
        yield from in_this_process(run, parts, stops)

    assert migrate_files([str(source)], f"{where.path}/", TO_RESPONSES, engine=engine).is_complete
    assert [*files(where.path)] == ["part-000000.jsonl"]


def test_from_a_program(tmp_path: Path, source: Path) -> None:
    """The function does what the command does, and goes on where it was."""
    where, plain = place(tmp_path), place(tmp_path, "plain.jsonl")
    outcome = migrate_files([str(source)], str(where.path), TO_RESPONSES, part_size=SIZE)
    again = migrate_files([str(source)], str(where.path), TO_RESPONSES, part_size=SIZE)
    assert (outcome.tally, outcome.parts) == (again.tally, again.parts)
    assert outcome.parts > 5
    migrated(source, plain)
    assert where.path.read_bytes() == plain.path.read_bytes()
    with pytest.raises(SettingError, match="another 'strict'"):
        migrate_files([str(source)], str(where.path), Options(to="responses", strict=True), part_size=SIZE)
    assert migrate_files([str(source)], str(where.path), TO_RESPONSES, restart=True).parts == 1


def test_a_part_that_was_removed(tmp_path: Path, source: Path) -> None:
    """It is made again."""
    where = place(tmp_path, "out/")
    migrated(source, where, part_size=SIZE)
    before = files(where.path)
    (where.path / "part-000002.jsonl").unlink()
    migrated(source, where, part_size=SIZE)
    assert files(where.path) == before
    assert len(entries(where.bad)) == 1


def test_another_input(tmp_path: Path, source: Path) -> None:
    """It is refused, with what is different; --restart begins anew."""
    where = place(tmp_path)
    migrated(source, where)
    source.write_bytes(batch(3))
    with pytest.raises(SettingError, match=r"in\.jsonl has another size; use --restart"):
        migrated(source, where)
    with pytest.raises(SettingError, match="another 'strict': false, now true"):
        migrated(source, where, Options(to="responses", strict=True))
    migrated(source, where, restart=True)
    assert len(entries(where.path)) == 3
    another = tmp_path / "another.jsonl"
    another.write_bytes(batch(1))
    with pytest.raises(SettingError, match="with 1 files, now there are 2"):
        migrated([source, another], where)


@pytest.mark.parametrize("name", ["out.jsonl", "out/"])
def test_something_that_is_there(tmp_path: Path, source: Path, name: str) -> None:
    """It is replaced only if that is wanted; an empty folder is fine."""
    where = place(tmp_path, name)
    if where.is_folder:
        where.path.mkdir()
        migrated(source, where)
        where = place(tmp_path, "other/")
        where.path.mkdir()
    (where.path / "part-000000.jsonl" if where.is_folder else where.path).write_text("mine")
    with pytest.raises(SettingError, match="--restart replaces it"):
        migrated(source, where)
    where.work.mkdir()
    with pytest.raises(SettingError, match="--restart replaces it"):
        migrated(source, where)
    assert migrated(source, where, restart=True).is_complete


def test_the_input_is_not_overwritten(tmp_path: Path, source: Path) -> None:
    """Neither by its own name, nor by a link, nor as a part of the folder."""
    (tmp_path / "link.jsonl").hardlink_to(source)
    for name in ("in.jsonl", "link.jsonl", "./", "../" + tmp_path.name + "/in.jsonl"):
        with pytest.raises(SettingError, match="would overwrite this input"):
            migrated(source, place(tmp_path, name), restart=True)


def test_the_input_is_not_overwritten_by_a_linked_folder(tmp_path: Path, source: Path) -> None:
    """A link to the folder of the inputs is that folder: --restart would remove them."""
    folder = tmp_path / "in"
    folder.mkdir()
    source.rename(folder / "part-000000.jsonl")
    (tmp_path / "out").symlink_to(folder)
    (tmp_path / "again").symlink_to(tmp_path / "in" / "part-000000.jsonl")
    for inputs, name in ((folder, "out/"), (tmp_path / "again", "in/")):
        with pytest.raises(SettingError, match="would overwrite this input"):
            migrated(inputs, place(tmp_path, name), restart=True)
    assert [*files(folder)] == ["part-000000.jsonl"]


def test_two_runs_at_once(tmp_path: Path, source: Path) -> None:
    """The second is refused."""
    where = place(tmp_path)
    migration = Migration(sources_of([str(source)]), where, TO_RESPONSES)

    def engine(run: Any, parts: Any, stops: Any) -> Any:
        with pytest.raises(SettingError, match="another run is at work"):
            migrated(source, where)
        yield from in_this_process(run, parts, stops)

    with Path("/dev/null").open("w") as out:
        assert migration.run(engine, Progress(out, is_quiet=True)).is_complete


def test_a_full_disk(tmp_path: Path, source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is a failure with a name; with room again, the same command goes on."""
    full = tmp_path / "full"
    full.symlink_to("/dev/full")
    with monkeypatch.context() as patch:
        patch.setattr("diglot.adapters.migrate.worker._unfinished", lambda path: full)
        with pytest.raises(MigrationError, match="No space left"):
            migrated(source, place(tmp_path))
    assert migrated(source, place(tmp_path)).tally.converted == 60


@pytest.mark.parametrize("target", ["/proc/out.jsonl", "/proc/out/"])
def test_targets_that_cannot_be_written(tmp_path: Path, source: Path, target: str) -> None:
    """They are failures with a name."""
    with pytest.raises(MigrationError, match="/proc/out"):
        migrated(source, place(tmp_path, target))


def test_what_was_appended_and_not_noted(tmp_path: Path, source: Path) -> None:
    """It is cut off."""
    where = place(tmp_path)
    migrated(source, where)
    before = where.path.read_bytes()
    where.path.write_bytes(before + b"half a line")
    migrated(source, where)
    assert where.path.read_bytes() == before


def test_the_ledger_on_a_full_disk(tmp_path: Path, source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Errors of the operating system in between are failures, too."""

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("diglot.adapters.migrate.output.Appender.append", fail)
    with pytest.raises(MigrationError, match="No space left on device"):
        migrated(source, place(tmp_path))


@pytest.mark.parametrize(
    ("limit", "stops"),
    [(Limit(number=0), True), (Limit(number=1), False), (Limit(share=0.001), True), (Limit(share=0.5), False)],
)
def test_too_many_bad_lines(tmp_path: Path, source: Path, limit: Limit, stops: bool) -> None:
    """It is a failure; what is done stays."""
    if stops:
        with pytest.raises(MigrationError, match="1 lines are bad, more than --max-bad"):
            migrated(source, place(tmp_path), limit=limit, part_size=SIZE)
    else:
        assert migrated(source, place(tmp_path), limit=limit).is_complete


def test_shares_of_bad_lines() -> None:
    """They count once enough was read."""
    limit = Limit(share=0.1)
    assert not limit.is_exceeded(Tally(lines=10, bad=9), at_end=False)
    assert limit.is_exceeded(Tally(lines=10, bad=9), at_end=True)
    assert limit.is_exceeded(Tally(lines=1_000, bad=101), at_end=False)


@pytest.mark.parametrize(("size", "count"), [(SIZE, 6), (1 << 20, 6), (333, 6)])
def test_sample(tmp_path: Path, source: Path, size: int, count: int) -> None:
    """Lines that are evenly spread over parts, and inside of them."""
    where = place(tmp_path)
    source.write_bytes(batch(100))
    outcome = migrated(source, where, sample=count, part_size=size)
    ids = [int(entry["custom_id"][1:]) for entry in entries(where.path)]
    assert len(ids) == outcome.tally.lines == count
    assert all(abs(number - i * 100 / count) < 15 for i, number in enumerate(ids))


@pytest.mark.parametrize("name", ["in.jsonl.gz", "in.zst", "in.json", "in.parquet"])
def test_samples_of_other_files(tmp_path: Path, name: str) -> None:
    """They are as evenly spread, although their bytes say nothing of their lines; how many lines there are is known."""
    path = tmp_path / name
    lines = batch(100).splitlines()
    if name == "in.parquet":
        table = pyarrow.table({"line": [line.decode() for line in lines]})
        parquet.write_table(table, path, row_group_size=50)
    elif name == "in.json":
        path.write_bytes(b"[" + b",".join(lines) + b"]")
    else:
        path.write_bytes((gzip.compress if name.endswith("gz") else zstandard.compress)(batch(100)))
    where = place(tmp_path)
    outcome = migrated(path, where, Options(to="responses", column="line"), sample=10)
    assert [int(entry["custom_id"][1:]) for entry in entries(where.path)] == [*range(0, 100, 10)]
    assert (outcome.tally.lines, outcome.lines, outcome.size) == (10, 100, path.stat().st_size)


def test_a_sample_of_nothing(tmp_path: Path, source: Path) -> None:
    """It is empty."""
    source.write_bytes(b"")
    assert migrated(source, place(tmp_path), sample=3).tally.lines == 0


def test_split(tmp_path: Path, source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files have whole lines, at most so many and so many bytes; together they are all."""
    monkeypatch.setattr("diglot.adapters.migrate.output.SPLIT_LINES", 13)
    where, plain = place(tmp_path, "out", splits=True), place(tmp_path, "plain.jsonl")
    migrated(source, where, part_size=SIZE)
    migrated(source, plain)
    made = files(where.path)
    assert [data.count(b"\n") for data in made.values()] == [13, 13, 13, 13, 8]
    assert b"".join(made.values()) == plain.path.read_bytes()
    monkeypatch.setattr("diglot.adapters.migrate.output.SPLIT_BYTES", 1_000)
    migrated(source, where, restart=True)
    made = files(where.path)
    assert all(len(data) <= 1_000 and data.endswith(b"\n") for data in made.values())
    assert b"".join(made.values()) == plain.path.read_bytes()


def test_golden_files(tmp_path: Path) -> None:
    """The losses in the report are those of the converter, counted."""
    expected: dict[tuple[str, str, str], int] = {}
    lines: list[str] = []
    for path in sorted((Path(__file__).parents[2] / "golden" / "serve_responses" / "request").glob("*.json")):
        line = json.dumps({"id": path.stem, "body": load(path)["given"]})
        lines.append(line)
        try:
            losses = convert_line(line, GOLDEN).losses
        except LineError:
            continue
        for key in {(re.sub(r"\[\d+\]", "[*]", loss.place), loss.kind, loss.why) for loss in losses}:
            expected[key] = expected.get(key, 0) + 1
    (tmp_path / "in.jsonl").write_text("\n".join(lines))
    outcome = migrated(tmp_path / "in.jsonl", place(tmp_path), GOLDEN, part_size=2_000)
    assert {(loss.path, loss.kind, loss.why): loss.lines for loss in outcome.tally.losses} == expected
    assert len(expected) > 50


def test_whole_files(tmp_path: Path) -> None:
    """They keep their names, in a folder; lines beside them become parts."""
    stream = b'data: {"choices":[{"delta":{"content":"Yo"},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n'
    folder = tmp_path / "in"
    (folder / "sub").mkdir(parents=True)
    (folder / "sub" / "a.sse").write_bytes(stream)
    (folder / "b.jsonl").write_bytes(batch(1))
    (folder / "c.sse").write_bytes(b"none")
    where = place(tmp_path, "out/")
    outcome = migrated(folder, where, Options(to="responses", check=True))
    assert [*files(where.path)] == ["part-000000.jsonl", os.path.join("sub", "a.sse")]
    assert (outcome.tally.shapes, outcome.tally.bad, outcome.tally.checks) == ({"batch": 1, "sse": 1}, 1, {"lossy": 1})
    with pytest.raises(SettingError, match="needs a folder as OUT"):
        migrated(folder, place(tmp_path, "out.jsonl"))
    (folder / "a.sse").write_bytes(stream)
    with pytest.raises(SettingError, match="would have the name"):
        migrated([folder / "a.sse", folder / "sub" / "a.sse"], place(tmp_path, "new/"))


def test_a_whole_file_that_is_bad_now(tmp_path: Path) -> None:
    """What an earlier run made of it does not stay."""
    source, where = tmp_path / "in.sse", place(tmp_path, "out/")
    source.write_bytes(b'data: {"choices":[{"delta":{"content":"Yo"},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n')
    migrated(source, where)
    assert [*files(where.path)] == ["in.sse"]
    source.write_bytes(b"none")
    assert migrated(source, where, restart=True).tally.bad == 1
    assert files(where.path) == {}
