"""`diglot keys`, as a user types it."""

import os
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from diglot.adapters.cli import commands
from diglot.adapters.server.keys import Keys, read


def run(*arguments: str) -> Result:
    return CliRunner().invoke(commands.main, ("keys", *arguments))


@pytest.fixture(autouse=True)
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in [name for name in os.environ if name.startswith("DIGLOT_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("DIGLOT_API_KEYS", str(tmp_path / "keys"))
    return tmp_path / "keys"


def test_life_of_a_key(file: Path) -> None:
    """It is made and printed once, listed by name, gets a successor, and goes."""
    got = run("new", "alice")
    key = got.stdout.strip()
    assert Keys(read(file)).name_of(key.encode()) == "alice"
    assert key not in got.stderr
    assert got.stderr.endswith("A running server takes it only after SIGHUP.\n")
    listed = run("list").stdout
    assert listed.split() == ["NAME", "SHA-256", "alice", read(file)[0].digest.hex()[:12]]
    assert run("new", "alice", "--rotate").exit_code == 0
    assert (
        run("remove", "alice", "--but-newest").stderr
        == "Removed 1 key of alice. A running server takes it until SIGHUP.\n"
    )
    assert run("new", "alice", "--rotate").exit_code == 0
    assert run("remove", "alice").stderr == "Removed 2 keys of alice. A running server takes them until SIGHUP.\n"
    assert run("list").stdout == ""


def test_another_file(file: Path, tmp_path: Path) -> None:
    """The flag says which."""
    other = tmp_path / "other"
    assert run("new", "alice", "--api-keys", str(other)).exit_code == 0
    assert (other.exists(), file.exists()) == (True, False)


@pytest.mark.parametrize("arguments", [("new", "a b"), ("list",), ("remove", "alice")])
def test_refused(arguments: tuple[str, ...]) -> None:
    """What is wrong is said in words."""
    got = run(*arguments)
    assert got.exit_code == 2
    assert got.stderr.startswith("Error: ")


def test_no_file(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is written anywhere without being told where."""
    monkeypatch.delenv("DIGLOT_API_KEYS")
    assert "--api-keys FILE" in run("new", "alice").stderr
