"""The README's promises: its Python runs, its commands exist, its links lead somewhere."""

import json
import re
from pathlib import Path

import pytest

from diglot.adapters.cli import main
from diglot.translator import PRESETS, ServeResponses

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text("utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", README, re.S)


@pytest.mark.parametrize("block", BLOCKS)
def test_python_runs(block: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Every Python block runs as it stands."""
    exec(compile(block, "README.md", "exec"), {})
    capsys.readouterr()


def test_losses_are_printed_as_shown(capsys: pytest.CaptureFixture[str]) -> None:
    """The converter example prints the losses that its comment promises."""
    exec(compile(next(b for b in BLOCKS if "# dropped truncation" in b), "README.md", "exec"), {})
    assert "dropped truncation: chat requests have no `truncation`" in capsys.readouterr().out
    exec(compile(next(b for b in BLOCKS if "# emulated stop" in b), "README.md", "exec"), {})
    assert "emulated stop: " in capsys.readouterr().out


def test_the_first_request_is_translated() -> None:
    """The first thing that a newcomer asks for is what the upstream does not have."""
    path, body = re.findall(r"curl http://[\w.:]+(\S+) .*?-d '(.*?)'", README, re.S)[0]
    exchange = ServeResponses(json.loads(body), new_id=str, clock=lambda: 0)
    assert (path, exchange.request["messages"]) == ("/v1/responses", [{"role": "user", "content": "Hello"}])


def test_commands_exist() -> None:
    """Every `diglot` command in the text is a command, every `make` target is a target."""
    assert set(re.findall(r"diglot (serve|demo|check|convert|fields|profiles|settings)\b", README)) <= set(
        main.commands
    )
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text("utf-8"), re.M))
    assert set(re.findall(r"`?make ([a-z]+)`?", README)) - {"and"} <= targets


def test_profiles_are_listed() -> None:
    """The list of profiles is complete."""
    assert all(f"`{name}`" in README for name in PRESETS if name != "default")


def test_links_lead_somewhere() -> None:
    """Every relative link names a file or folder."""
    for target in re.findall(r"\]\((?!http)([^)#]+)\)", README):
        assert (ROOT / target).exists(), target
