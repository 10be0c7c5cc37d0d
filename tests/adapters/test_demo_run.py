"""The show: it runs, it shows both sides, and it notices when something is wrong."""

import subprocess
import sys

import pytest

from diglot.adapters import demo_run, demo_script


def test_show(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Both sides of the wire are shown, what was lost, and what to do next."""
    monkeypatch.setenv("COLUMNS", "120")
    assert demo_run.main() == 0
    shown = capsys.readouterr().out
    left = " ".join(line.partition(" | ")[0].strip() for line in shown.splitlines())
    right = " ".join(line.partition(" | ")[2].strip() for line in shown.splitlines())
    assert "POST /v1/responses" in left
    assert "response.completed" in left
    assert "diglot-losses" in left
    assert "POST /v1/chat/completions" in right
    assert "data: [DONE]" in right
    assert "POST /v1/chat/completions" in left
    assert "POST /v1/responses" in right
    assert "data: [DONE]" in left
    assert "It worked" in shown
    assert "diglot serve --upstream" in shown
    assert "_details" not in shown
    assert '"parameters": "…"' in right
    assert len(shown.splitlines()) < 260


def test_something_is_wrong(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """An answer that is not as expected is exit status 1."""
    monkeypatch.setattr(demo_script, "_chosen", lambda body, text: [])
    assert demo_run.main() == 1
    assert "NOT what was expected" in capsys.readouterr().out


@pytest.mark.parametrize("width", [20, 80, 120, 999])
def test_columns(width: int) -> None:
    """Both columns stay in their half, however wide the terminal is."""
    lines: list[str] = []
    columns = demo_run.Columns(width, lines.append)
    columns.heads("left", "right")
    columns.left("a " * 200)
    columns.right("b" * 2000)
    assert max(map(len, lines)) <= max(60, min(width, 160))
    bars = {line.index("|") for line in lines if "|" in line}
    assert len(bars) == 1


def test_nobody_reads_on() -> None:
    """`diglot demo | head` ends quietly, and well."""
    command = [sys.executable, "-m", "diglot", "demo"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as show:
        assert show.stdout is not None
        assert show.stderr is not None
        assert b"tool call" in show.stdout.readline()
        show.stdout.close()
        assert show.stderr.read() == b""
    assert show.returncode == 0
