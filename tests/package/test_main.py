"""The command and the package as a whole."""

import subprocess
import sys
from importlib import metadata

import pytest

import diglot
from diglot import __main__
from diglot.adapters import cli


def test_version() -> None:
    """The package says its version; it is the one that is installed."""
    assert diglot.__version__ == metadata.version("diglot")


@pytest.mark.parametrize("flag", ["-V", "--version"])
@pytest.mark.parametrize("module", ["diglot", "diglot.adapters.cli"])
def test_as_a_module(module: str, flag: str) -> None:
    """`python -m diglot` is the command."""
    ran = subprocess.run([sys.executable, "-m", module, flag], capture_output=True, text=True, check=True)
    assert diglot.__version__ in ran.stdout


@pytest.mark.parametrize(
    ("name", "raised", "words"),
    [("click", SystemExit, "server"), ("diglot.x", ModuleNotFoundError, "no"), (None, ModuleNotFoundError, "no")],
)
def test_what_is_missing(
    monkeypatch: pytest.MonkeyPatch, name: str | None, raised: type[BaseException], words: str
) -> None:
    """A missing package is named with the command that brings it; a module of ours would be a mistake of ours."""

    def command() -> None:
        raise ModuleNotFoundError("no such module", name=name)

    monkeypatch.setattr(cli, "main", command)
    with pytest.raises(raised, match=words):
        __main__.main()
