"""The show: it runs, it shows both sides, and it notices when something is wrong."""

import subprocess
import sys
from typing import Any, cast

import pytest

from diglot.adapters.cli import demo
from diglot.adapters.demo import script


def test_show(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Both sides of the wire are shown, what was lost, and what to do next."""
    monkeypatch.setenv("COLUMNS", "120")
    assert demo.main() == 0
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
    monkeypatch.setattr(script, "_chosen", lambda body, text: [])
    assert demo.main() == 1
    assert "NOT what was expected" in capsys.readouterr().out


@pytest.mark.parametrize("width", [20, 80, 120, 999])
def test_columns(width: int) -> None:
    """Both columns stay in their half, however wide the terminal is."""
    lines: list[str] = []
    columns = demo.Columns(width, lines.append)
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


def test_a_pipe_that_breaks(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is said then goes nowhere."""
    turned: list[tuple[int, int]] = []

    def broken(*words: object, **how: object) -> None:
        raise BrokenPipeError

    with monkeypatch.context() as patch:
        patch.setattr("builtins.print", broken)
        patch.setattr("os.open", lambda path, flags: 99)
        patch.setattr("os.dup2", lambda new, old: turned.append((new, old)))
        patch.setattr("sys.stdout", sys.__stdout__)
        demo.say("x")
    assert turned == [(99, 1)]


@pytest.mark.anyio
async def test_what_is_not_said_is_not_shown() -> None:
    """A request without a body and an answer without losses have no lines for them."""
    shown: list[str] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await receive()

    async def receive() -> Any:
        return {"type": "http.request", "body": b""}

    await demo._observed(app, shown.append)({"type": "http", "path": "/"}, receive, cast(Any, None))
    assert shown == []

    class Quiet:
        headers = ()

        async def open(self, *request: Any) -> Any:
            return self

        async def pieces(self) -> Any:
            yield b"data: [DONE]\n"

        async def aclose(self) -> None: ...

    assert await demo._ask(cast(Any, Quiet()), "http://h/v1/x", {"a": []}, shown.append) == []
    assert shown == ["-> POST /v1/x", "->   a: []", "<- data: [DONE]"]
