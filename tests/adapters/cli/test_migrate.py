"""`diglot migrate`."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from diglot.adapters.cli import main
from diglot.adapters.migrate.run import Migration

from lines_of import batch, entries


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "in.jsonl"
    path.write_bytes(batch(10))
    return path


def run(*arguments: object, data: bytes | None = None) -> Result:
    return CliRunner().invoke(main, ["migrate", *map(str, arguments), "--quiet"], input=data)


def test_clean(tmp_path: Path, source: Path) -> None:
    """The exit status is 0, and the summary says what was lost."""
    out, report = tmp_path / "out.jsonl", tmp_path / "losses.json"
    ran = run(source, out, "--to", "responses", "--jobs", 1, "--report", report, "--check")
    assert ran.exit_code == 0, ran.output
    assert "10 of 10 lines converted, in 1 part: " in ran.stderr
    assert f"10 lossy\n1 kind of loss: see {report}" in ran.stderr
    assert json.loads(report.read_text())["losses"][0]["path"] == "seed"
    assert entries(out)[3]["url"] == "/v1/responses"


def test_processes(tmp_path: Path, source: Path) -> None:
    """The default is one for each core."""
    assert run(source, tmp_path / "out.jsonl", "--to", "responses").exit_code == 0


def test_bad_lines(tmp_path: Path, source: Path) -> None:
    """The exit status is 3, and the quarantine is named."""
    source.write_bytes(batch(1) + b"bad\n")
    ran = run(source, tmp_path / "out.jsonl", "--to", "responses", "--jobs", 1)
    assert (ran.exit_code, "1 bad line: " in ran.stderr) == (3, True)
    assert str(tmp_path / "out.jsonl.migration" / "bad.jsonl") in ran.stderr


def test_refused_lines(tmp_path: Path, source: Path) -> None:
    """With --strict, they are bad lines."""
    ran = run(source, tmp_path / "out.jsonl", "--to", "responses", "--jobs", 1, "--strict")
    assert (ran.exit_code, "10 bad lines, 10 of them because they would lose" in ran.stderr) == (3, True)


def test_ray(tmp_path: Path, source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another engine, with or without an address; if it is missing, the error says how to install it."""
    monkeypatch.setitem(sys.modules, "ray", None)
    ran = run(source, tmp_path / "out.jsonl", "--to", "responses", "--engine", "ray=auto")
    assert (ran.exit_code, "pip install 'diglot[ray]'" in ran.stderr) == (2, True)


def test_standard_input(tmp_path: Path) -> None:
    """It is kept beside the output, so that a second run can go on."""
    for _ in range(2):
        ran = run("-", tmp_path / "out.jsonl", "--to", "responses", "--jobs", 1, data=batch(3))
        assert ran.exit_code == 0, ran.output
    assert len(entries(tmp_path / "out.jsonl")) == 3


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--shape", "x"), "there is no shape 'x'"),
        (("--engine", "x"), "there is no engine 'x'"),
        (("--profile", "x"), "unknown profile 'x'"),
        (("--max-bad", "x"), "neither a number nor a share"),
        (("--max-bad", "x%"), "neither a number nor a share"),
        (("--max-bad", "-1"), "neither a number nor a share"),
        (("--max-bad", "nan%"), "neither a number nor a share"),
        (("--max-line", "x"), "no size, like 64M"),
        (("--max-line", "²M"), "no size, like 64M"),
        (("--max-line", "0"), "no size, like 64M"),
        (("--report", "x"), "a report ends with"),
        (("--report", "nowhere/x.md"), "there is no such folder"),
        (("nothing.jsonl",), "No such file"),
    ],
)
def test_wrong_settings(tmp_path: Path, source: Path, arguments: tuple[str, ...], words: str) -> None:
    """The exit status is 2, and nothing is written."""
    ran = run(
        *([*arguments] if len(arguments) == 1 else []),
        source,
        tmp_path / "out.jsonl",
        "--to",
        "chat",
        *(arguments if len(arguments) > 1 else ()),
    )
    assert (ran.exit_code, words in ran.stderr) == (2, True), ran.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["in.jsonl"]


def test_standard_input_twice(tmp_path: Path) -> None:
    """There would be nothing left for the second one."""
    ran = run("-", "-", tmp_path / "out.jsonl", "--to", "chat", data=batch(1))
    assert (ran.exit_code, "can be read only once" in ran.stderr) == (2, True)


def test_a_report_in_place_of_the_input(tmp_path: Path) -> None:
    """It is refused, and the input stays."""
    source = tmp_path / "in.json"
    source.write_bytes(batch(1))
    ran = run(source, tmp_path / "out.jsonl", "--to", "responses", "--report", source)
    assert (ran.exit_code, "would overwrite an input" in ran.stderr) == (2, True)
    assert source.read_bytes() == batch(1)


def test_one_place(source: Path) -> None:
    """Without an output there is nothing to do."""
    assert "at least one input and the output" in run(source, "--to", "chat").stderr


def test_output_beside_the_input(tmp_path: Path, source: Path) -> None:
    """The second run of the same command does not take the output of the first one for an input."""
    for place in (tmp_path, tmp_path / "*.jsonl"):
        for _ in range(2):
            ran = run(place, tmp_path / "out.jsonl", "--to", "responses", "--jobs", 1, "--restart")
            assert (ran.exit_code, ran.stderr[:24]) == (0, "10 of 10 lines converted"), ran.stderr
    ran = run(source, tmp_path / "out.jsonl", tmp_path / "out.jsonl", "--to", "responses", "--restart")
    assert (ran.exit_code, "would overwrite this input" in ran.stderr) == (2, True)


@pytest.mark.parametrize("limit", ["0", "1%"])
def test_failures(tmp_path: Path, source: Path, limit: str) -> None:
    """The exit status is 1."""
    source.write_bytes(b"bad\n")
    ran = run(source, tmp_path / "out.jsonl", "--to", "chat", "--max-bad", limit, "--max-line", "1k", "--jobs", 1)
    assert (ran.exit_code, "more than --max-bad" in ran.stderr) == (1, True)


@pytest.mark.parametrize("is_hard", [True, False])
def test_interrupted(tmp_path: Path, source: Path, monkeypatch: pytest.MonkeyPatch, is_hard: bool) -> None:
    """The exit status is 1, and the message says how to go on."""

    def engine(*_: Any) -> Any:
        if is_hard:
            raise KeyboardInterrupt
        return iter(())

    monkeypatch.setattr("diglot.adapters.migrate.engines.processes", lambda jobs: engine)
    ran = run(source, tmp_path / "out.jsonl", "--to", "chat")
    assert (ran.exit_code, "he same command again goes on from here" in ran.stderr) == (1, True)


def test_shapes() -> None:
    """A table, without any other argument."""
    ran = CliRunner().invoke(main, ["migrate", "--shapes"])
    assert ran.exit_code == 0
    assert [line.split()[0] for line in ran.stdout.splitlines()[:3]] == ["SHAPE", "batch", "batch-output"]
    assert "type=GENERATION" in ran.stdout
    assert ["fine-tuning", "messages,", "no", "model"] in [line.split() for line in ran.stdout.splitlines()]


def test_progress_goes_to_stderr(tmp_path: Path, source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is written to a terminal is not in the output."""
    seen: list[Any] = []
    real = Migration.run
    monkeypatch.setattr(
        Migration,
        "run",
        lambda self, engine, progress, **more: (seen.append(progress._out), real(self, engine, progress, **more))[1],
    )
    ran = run(source, tmp_path / "out.jsonl", "--to", "responses", "--jobs", 1)
    assert ran.stdout == ""
    assert seen[0] is not sys.stdout
