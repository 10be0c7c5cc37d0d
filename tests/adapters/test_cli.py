"""The commands, as a user types them."""

import json
from importlib import metadata
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from diglot.adapters import cli, demo_run

ASK = {"model": "m", "input": "hi", "truncation": "auto"}


def run(*arguments: str, stdin: str | bytes = "") -> Result:
    return CliRunner().invoke(cli.main, arguments, input=stdin)


def test_convert() -> None:
    """The chat request is printed; what was lost is said beside it."""
    got = run("convert", stdin=json.dumps(ASK))
    assert got.exit_code == 0
    assert json.loads(got.stdout) == {"model": "m", "messages": [{"role": "user", "content": "hi"}]}
    assert got.stderr.startswith("dropped truncation: ")


def test_convert_a_file(tmp_path: Path) -> None:
    """A file can be named, and a profile with changes."""
    file = tmp_path / "request.json"
    file.write_text(json.dumps({**ASK, "max_output_tokens": 5}))
    assert json.loads(run("convert", str(file)).stdout)["max_tokens"] == 5
    assert json.loads(run("convert", str(file), "--profile", "openai").stdout)["max_completion_tokens"] == 5
    assert json.loads(run("convert", str(file), "--set", "renamed={}").stdout)["max_completion_tokens"] == 5


@pytest.mark.parametrize(
    ("arguments", "stdin", "words"),
    [
        ((), "{", "not JSON"),
        ((), "{}", "model"),
        (("--strict",), json.dumps(ASK), "truncation"),
        (("--profile", "nobody"), json.dumps(ASK), "nobody"),
        (("--set", "x"), json.dumps(ASK), "key=value"),
    ],
)
def test_convert_refuses(arguments: tuple[str, ...], stdin: str, words: str) -> None:
    """A refusal is exit status 1, words on stderr, and nothing on stdout."""
    got = run("convert", *arguments, stdin=stdin)
    assert got.exit_code == 1
    assert words in got.stderr
    assert got.stdout == ""


def test_fields() -> None:
    """The table of all fields is printed."""
    got = run("fields")
    assert got.exit_code == 0
    assert "max_output_tokens" in got.stdout


@pytest.mark.parametrize("flag", ["-V", "--version"])
def test_version(flag: str) -> None:
    """The version is that of the package."""
    got = run(flag)
    assert (got.exit_code, got.output) == (0, f"diglot, version {metadata.version('diglot')}\n")


def test_demo(monkeypatch: pytest.MonkeyPatch) -> None:
    """The exit status is that of the show."""
    monkeypatch.setattr(demo_run, "main", lambda: 3)
    assert run("demo").exit_code == 3


def test_every_command_has_help() -> None:
    """Each of them says what it does."""
    for name in cli.main.commands:
        got = run(name, "--help")
        assert got.exit_code == 0
        assert len(got.output.splitlines()) > 3
