"""What can be set, as the commands list it."""

import msgspec
import pytest
from click.testing import CliRunner, Result

from diglot.adapters import Limits
from diglot.adapters.cli import commands
from diglot.adapters.server.config import Settings
from diglot.adapters.server.setting_sources import ENVIRONMENT, STATE
from diglot.translator import PRESETS, Profile

FILE_ONLY = ("api_key", "keep_days", "seal_keys", "upstreams", "models")
"""Or in the environment: other users of a machine see command lines."""


def run(*arguments: str) -> Result:
    return CliRunner().invoke(commands.main, arguments)


def test_profiles() -> None:
    """Every profile has a line."""
    got = run("profiles")
    assert got.exit_code == 0
    assert [line.partition(":")[0] for line in got.stdout.splitlines()] == list(PRESETS)
    assert "default: the defaults" in got.stdout


@pytest.mark.parametrize("name", PRESETS)
def test_one_profile(name: str) -> None:
    """Every setting has a line with its value; what is not the default is marked."""
    got = run("profiles", name)
    assert got.exit_code == 0
    lines = got.stdout.splitlines()[2:]
    assert [line[2:].split()[0] for line in lines] == list(Profile.__struct_fields__[1:])
    marked = {line[2:].split()[0] for line in lines if line.startswith("*")}
    changed = {f for f in Profile.__struct_fields__ if getattr(PRESETS[name], f) != getattr(PRESETS["default"], f)}
    assert marked == changed - {"name"}
    assert "Ask for usage in streams" in got.stdout


def test_no_such_profile() -> None:
    """A misspelt name is met with the right one."""
    got = run("profiles", "lama.cpp")
    assert got.exit_code == 2
    assert "did you mean llama.cpp?" in got.stderr


def test_settings() -> None:
    """Each setting and each limit has one line: key, flag, variable, default and what it is for."""
    lines = run("settings").stdout.splitlines()
    for name in Settings.__struct_fields__:
        key = f"state.{name}" if name in STATE else name
        (line,) = [line for line in lines if line.split()[:1] == [key]]
        flag = "--limit" if name == "limits" else f"--{name.replace('_', '-')}"
        flag = "-" if name in FILE_ONLY else flag
        assert line.split()[1].rstrip(",") == flag
        assert f"{ENVIRONMENT}{name.upper()}" in line
    for name in Limits.__struct_fields__:
        (line,) = [line for line in lines if line.startswith(f"limits.{name} ")]
        assert f"--limit {name}=" in line
        assert msgspec.json.encode(getattr(Limits(), name)).decode() in line
    (graceful,) = [line for line in lines if line.startswith("graceful ")]
    assert " 10 " in graceful
    assert "Ctrl-C" in graceful


def test_settings_show_no_values(monkeypatch: pytest.MonkeyPatch) -> None:
    """Defaults are listed, not what is set: that may be secret."""
    monkeypatch.setenv("DIGLOT_STORE", "postgresql://me:k3y@db/x")
    monkeypatch.setenv("DIGLOT_SEAL_KEYS", "k3y")
    assert "k3y" not in run("settings").output
