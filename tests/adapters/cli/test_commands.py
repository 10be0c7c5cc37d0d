"""The commands, as a user types them."""

import json
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from diglot.adapters.cli import commands, demo

ASK = {"model": "m", "input": "hi", "truncation": "auto"}


def run(*arguments: str, stdin: str | bytes = "") -> Result:
    return CliRunner().invoke(commands.main, arguments, input=stdin)


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
    monkeypatch.setattr(demo, "main", lambda: 3)
    assert run("demo").exit_code == 3


def test_every_command_has_help() -> None:
    """Each of them says what it does."""
    for name in commands.main.commands:
        got = run(name, "--help")
        assert got.exit_code == 0
        assert len(got.output.splitlines()) > 3


@pytest.mark.parametrize("more", [{"stop": "END"}, {"n": 2}, {"stream_options": {"include_usage": True}}])
def test_convert_promises_nothing(more: dict[str, Any]) -> None:
    """What only a call with its answer could emulate is dropped, and refused by --strict."""
    body = json.dumps({"model": "m", "messages": [{"role": "user", "content": "hi"}], **more})
    got = run("convert", stdin=body)
    assert got.exit_code == 0
    assert got.stderr.startswith("dropped ")
    assert "only a live exchange" in got.stderr
    strict = run("convert", "--strict", stdin=body)
    assert (strict.exit_code, strict.stdout) == (1, "")


def test_convert_is_strict_with_what_a_responses_client_asks_of_the_answer() -> None:
    """The other direction has such fields, too."""
    for more in ({"metadata": {"a": "b"}}, {"store": True}, {"reasoning": {"summary": "auto"}}):
        got = run("convert", "--strict", stdin=json.dumps({"model": "m", "input": "hi", **more}))
        assert got.exit_code == 1


def test_fields_of_a_profile() -> None:
    """What is sent to an upstream of a kind, with single settings changed."""
    assert "| `max_output_tokens` | `max_tokens` |" in run("fields").stdout
    assert "| `max_output_tokens` | `max_completion_tokens` |" in run("fields", "--profile", "openai").stdout
    changed = run(
        "fields", "--set", 'renamed={"max_completion_tokens":"limit"}', "--set", 'unsupported=["user"]'
    ).stdout
    assert "| `max_output_tokens` | `limit` |" in changed
    assert "| `user` |  | not sent (reported) |" in changed
    wrong = run("fields", "--profile", "nobody")
    assert wrong.exit_code == 1
    assert "unknown profile 'nobody'" in wrong.stderr
