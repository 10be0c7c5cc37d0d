"""`diglot check --config`, as a user types it."""

import logging
import os
from collections.abc import Iterator
from pathlib import Path

import anyio
import pytest
from click.testing import CliRunner, Result

from diglot.adapters.cli import commands
from diglot.adapters.demo import app as demo_app
from diglot.adapters.server import keys
from diglot.adapters.server.app import on_loopback


@pytest.fixture(autouse=True)
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    for name in [name for name in os.environ if name.startswith("DIGLOT_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    level = logging.getLogger("diglot").level
    yield tmp_path / "diglot.toml"
    logging.getLogger("diglot").setLevel(level)


def run(file: Path, text: str, *arguments: str) -> Result:
    file.write_text(text)
    return CliRunner().invoke(commands.main, ("check", "--config", str(file), *arguments))


def rows(got: Result) -> list[list[str]]:
    return [line.split(maxsplit=2) for line in got.stdout.splitlines()]


def test_good(file: Path, tmp_path: Path) -> None:
    """A line for each thing, without what is secret."""
    keys.new(tmp_path / "keys", "alice")
    got = run(file, f'upstream = "http://me:k3y@up:1"\napi_keys = "{tmp_path}/keys"\n')
    assert got.exit_code == 0
    assert rows(got) == [
        ["settings", "ok", str(file)],
        ["keys", "ok", "1"],
        ["store", "ok", f"SQLite {tmp_path}/diglot/diglot.db"],
        ["upstream", "ok", "http://up:1"],
    ]


def test_demo(file: Path) -> None:
    """There is nothing to connect to."""
    got = run(file, 'demo = true\n[state]\nstore = "none"\n', "--connect")
    assert (got.exit_code, rows(got)[1:]) == (0, [["keys", "ok", "none are checked"], ["store", "ok", "none"]])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("demo = true\nprofil = 1\n", "did you mean profile?"),
        ("", "no upstream is set"),
        ('demo = true\napi_keys = "/missing"\n', "/missing: No such file"),
        ('upstream = "http://me:k3y@up:1"\nhost = "0.0.0.0"\n', "--open"),
    ],
)
def test_wrong(file: Path, text: str, words: str) -> None:
    """It is said what is wrong."""
    got = run(file, text)
    assert got.exit_code == 1
    assert rows(got)[-1][:2] == ["settings", "WRONG"]
    assert words in got.stdout
    assert "k3y" not in got.output


def test_connect(file: Path) -> None:
    """An upstream that answers, and one that is not there."""

    async def main() -> Result:
        async with on_loopback(demo_app.upstream()) as url:
            return await anyio.to_thread.run_sync(run, file, f'upstream = "{url}"\n', "--connect")

    got = anyio.run(main)
    assert got.exit_code == 0
    assert "GET /v1/models 200 after" in rows(got)[-1][2]
    got = run(file, 'upstream = "http://127.0.0.1:1"\n', "--connect")
    assert (got.exit_code, rows(got)[-1][:2]) == (1, ["upstream", "WRONG"])
