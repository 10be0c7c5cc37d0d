"""What clients are told."""

import tomllib

import pytest

from diglot.adapters.server.client_settings import client_settings, command


def test_codex_line_is_toml() -> None:
    """The provider in the line for Codex is what its config file takes."""
    line = client_settings("http://127.0.0.1:1")[0]
    provider = tomllib.loads(line.partition("-c '")[2].rstrip("'"))["model_providers"]["diglot"]
    assert provider == {"name": "diglot", "base_url": "http://127.0.0.1:1/v1", "wire_api": "responses"}


def test_every_line_has_the_url() -> None:
    """No client is told another address."""
    assert all("http://h:1/v1" in line for line in client_settings("http://h:1")[:-1])
    assert sum("none" in line for line in client_settings("http://h:1")) == 4


def test_own_keys() -> None:
    """Where the server has keys, every client has to be told one."""
    lines = client_settings("http://h:1", has_keys=True)
    assert 'env_key="OPENAI_API_KEY"' in lines[0]
    assert sum("KEY" in line for line in lines) == 4
    assert "none" not in "".join(lines)


def test_notices() -> None:
    """What becomes of the clients' keys is only said where the server has none of its own for them."""
    assert client_settings("http://h:1", notice="Any.")[-1] == "Any."
    assert "goes no further" in client_settings("http://h:1", True, "Any.")[-1]


@pytest.mark.parametrize(
    ("program", "path", "words"),
    [
        (".venv/bin/diglot", "", ".venv/bin/diglot"),
        ("pytest", "", "diglot"),
    ],
)
def test_command_that_works_here(monkeypatch: pytest.MonkeyPatch, program: str, path: str, words: str) -> None:
    """What is not on the path is named by its place."""
    monkeypatch.setattr("sys.argv", [program])
    monkeypatch.setenv("PATH", path)
    assert command() == words
