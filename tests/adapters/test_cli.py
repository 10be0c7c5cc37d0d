"""The commands, as a user types them."""

import json
import socket
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from diglot.adapters import cli, server
from diglot.adapters.server import free_port
from diglot.translator import PRESETS

ASK = {"model": "m", "input": "hi", "truncation": "auto"}


def run(*arguments: str, stdin: str | bytes = "") -> Result:
    return CliRunner().invoke(cli.main, arguments, input=stdin)


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The settings with which a server would have been started."""
    seen: list[Any] = []
    monkeypatch.setattr(server, "run", seen.append)
    monkeypatch.setattr(server, "free_port", lambda host, port: port or 1)
    return seen


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


def test_profiles() -> None:
    """Every profile has a line."""
    assert [line.partition(":")[0] for line in run("profiles").stdout.splitlines()] == list(PRESETS)


def test_version() -> None:
    """The version is that of the package."""
    assert run("--version").exit_code == 0


def test_serve(served: list[Any]) -> None:
    """Flags become settings; the welcome names URL, profile and what to tell clients."""
    got = run("serve", "--upstream", "http://up:1", "--profile", "vllm", "--set", "stream_usage=false", "--strict")
    assert got.exit_code == 0
    (settings,) = served
    assert (settings.upstream, settings.profile, settings.strict, settings.port) == ("http://up:1", "vllm", True, 8080)
    assert settings.as_profile().stream_usage is False
    assert "http://127.0.0.1:8080/v1/responses" in got.stderr
    assert 'wire_api="responses"' in got.stderr
    assert "NO MODEL" not in got.stderr


@pytest.mark.parametrize(
    ("api", "words"),
    [
        ("chat", "serves the Responses API on http://127.0.0.1:8080/v1/responses (profile default), answered by"),
        ("responses", "serves the Chat Completions API on http://127.0.0.1:8080/v1/chat/completions (profile default)"),
        (
            "auto",
            "8080/v1/responses and http://127.0.0.1:8080/v1/chat/completions, whichever of them the upstream lacks",
        ),
    ],
)
def test_serve_either_api(served: list[Any], api: str, words: str) -> None:
    """The welcome says what is served."""
    got = run("serve", "--upstream", "http://up:1", "--upstream-api", api)
    assert got.exit_code == 0
    assert served[0].upstream_api == api
    assert words in got.stderr


def test_serve_without_an_upstream(served: list[Any]) -> None:
    """The demo behind a server is announced loudly; port 0 takes a free one."""
    got = run("serve", "--port", "0", "--host", "0.0.0.0")
    assert "NO MODEL" in got.stderr
    assert f"http://127.0.0.1:{served[0].port}/" in got.stderr
    assert served[0].port != 0


@pytest.mark.parametrize(
    "arguments", [("--upstream", "nonsense"), ("--profile", "nobody"), ("--set", "x=1"), ("--config", "missing.toml")]
)
def test_serve_refuses(served: list[Any], arguments: tuple[str, ...]) -> None:
    """A wrong setting is said in one line, and nothing starts."""
    got = run("serve", *arguments)
    assert got.exit_code == 1
    assert got.stderr.startswith("Error: ")
    assert served == []


def test_environment_and_file(served: list[Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings come from the environment and from a file, too."""
    file = tmp_path / "diglot.toml"
    file.write_text('profile = "ollama"\nset = {stream_usage = false}\n')
    monkeypatch.setenv("DIGLOT_PORT", "9")
    assert run("serve", "--config", str(file), "--set", "json_schema=false").exit_code == 0
    assert (served[0].port, served[0].profile) == (9, "ollama")


def test_port_0_keeps_the_other_settings(served: list[Any]) -> None:
    """A free port changes nothing else."""
    assert run("serve", "--port", "0", "--set", "stream_usage=false").exit_code == 0
    assert served[0].as_profile().stream_usage is False


def test_port_that_is_taken(served: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is promised on a port that somebody else has."""
    monkeypatch.setattr(server, "free_port", free_port)
    with socket.create_server(("127.0.0.1", 0)) as other:
        got = run("serve", "--port", str(other.getsockname()[1]))
    assert got.exit_code == 1
    assert got.stderr.startswith("Error: cannot listen on 127.0.0.1 port ")
    assert served == []


def test_welcome_names_the_upstream(served: list[Any]) -> None:
    """Without what may be private in its URL."""
    got = run("serve", "--port", "0", "--upstream", "http://me:key@up:1/v1?token=t")
    assert "answered by http://up:1/v1." in got.stderr
    assert "key@" not in got.stderr
    assert "token" not in got.stderr


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
    assert "there is no 'nobody'" in wrong.stderr
