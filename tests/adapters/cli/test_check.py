"""`diglot check`, as a user types it."""

import logging
import os
from collections.abc import Iterator
from typing import Any

import pytest
from anyio.from_thread import start_blocking_portal
from click.testing import CliRunner, Result

from diglot.adapters.cli import commands
from diglot.adapters.cli.check import faults, table
from diglot.adapters.cli.upstream_check import Outcome
from diglot.adapters.demo import app as demo_app
from diglot.adapters.server.app import on_loopback


def run(*arguments: str) -> Result:
    return CliRunner().invoke(commands.main, ("check", *arguments))


@pytest.fixture(autouse=True)
def _as_before(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in [name for name in os.environ if name.startswith("DIGLOT_") or name == "OPENAI_API_KEY"]:
        monkeypatch.delenv(name)
    level = logging.getLogger("diglot").level
    yield
    logging.getLogger("diglot").setLevel(level)


@pytest.fixture(params=["chat", "responses"])
def upstream(request: pytest.FixtureRequest) -> Iterator[tuple[str, str]]:
    """A real server in another thread: what it has, and its URL."""
    app: Any = demo_app.upstream() if request.param == "chat" else demo_app.responses_upstream()
    with start_blocking_portal() as portal, portal.wrap_async_context_manager(on_loopback(app)) as url:
        yield request.param, url


def test_check(upstream: tuple[str, str]) -> None:
    """A table, and the command that comes next."""
    has, url = upstream
    got = run(url.replace("://", "://user:k3y@"))
    assert got.exit_code == 0
    lines = got.stdout.splitlines()
    assert lines[0] == f"{url}, model demo"
    assert lines[2].split() == ["Chat", "Completions", "Responses"]
    assert lines[3].split() == ["exists", *(("yes", "no") if has == "chat" else ("no", "yes"))]
    assert [line[:11] for line in lines[4:7]] == ["answers    ", "streams    ", "calls tools"]
    assert ("--upstream-api responses" in lines[-1]) == (has == "responses")
    assert f"serve --upstream {url}" in lines[-1]
    assert "k3y" not in got.output


def test_neither_answers(upstream: tuple[str, str]) -> None:
    """That is a failure, in words."""
    got = run(f"{upstream[1]}/elsewhere", "--model", "m")
    assert got.exit_code == 1
    assert "Neither API answers" in got.stdout


@pytest.mark.parametrize("name", ["DIGLOT_KEY", "OPENAI_API_KEY"])
def test_key(upstream: tuple[str, str], name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It may come from a variable, of which the name is said, and the URL from another one."""
    monkeypatch.setenv(name, "k3y")
    monkeypatch.setenv("DIGLOT_UPSTREAM", upstream[1])
    got = run()
    assert got.exit_code == 0
    assert got.stderr == f"Using the key in {name}.\n"
    assert run(upstream[1], "--key", "other").stderr == ""


def test_nobody_there() -> None:
    """What may be wrong is said."""
    got = run("http://127.0.0.1:9")
    assert (got.exit_code, got.stdout) == (1, "")
    assert "is the server running?" in got.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "no URL is set"),
        (("localhost:8000",), "did you mean http://localhost:8000?"),
        (("http://h", "--profile", "vlm"), "did you mean vllm?"),
        (("http://h", "--timeout", "0"), "timeout"),
    ],
)
def test_misuse(arguments: tuple[str, ...], words: str) -> None:
    """As everywhere: exit status 2, and the way out."""
    got = run(*arguments)
    assert got.exit_code == 2
    assert words in got.stderr


def test_table() -> None:
    """What was not tried has a dash; what went wrong is said below."""
    tried: Any = {
        "chat": {
            "answers": Outcome(True, "1.0 s"),
            "streams": Outcome(False, "cut"),
            "calls tools": Outcome(True, "x"),
        },
        "responses": {"answers": Outcome(False, "no", missing=True)},
    }
    assert table(tried) == [
        ["", "Chat Completions", "Responses"],
        ["exists", "yes", "no"],
        ["answers", "yes (1.0 s)", "-"],
        ["streams", "no", "-"],
        ["calls tools", "yes (x)", "-"],
    ]
    assert faults(tried) == ["Chat Completions, streams: cut"]
