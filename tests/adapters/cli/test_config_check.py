"""`diglot check --config`, as a user types it."""

import logging
import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from anyio.from_thread import start_blocking_portal
from click.testing import CliRunner, Result

from diglot.adapters.cli import commands
from diglot.adapters.demo import app as demo_app
from diglot.adapters.server import keys
from diglot.adapters.server.app import on_loopback

from raw_server import Server


@pytest.fixture(autouse=True)
def _as_before(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    for name in [name for name in os.environ if name.startswith("DIGLOT_") or name == "OPENAI_API_KEY"]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    level = logging.getLogger("diglot").level
    yield
    logging.getLogger("diglot").setLevel(level)


@pytest.fixture
def upstream() -> Iterator[str]:
    with ExitStack() as stack:
        portal = stack.enter_context(start_blocking_portal())
        yield stack.enter_context(portal.wrap_async_context_manager(on_loopback(demo_app.upstream())))


async def odd(scope: Any, receive: Any, send: Any) -> None:
    """Lists its models in a way of its own, or refuses without a reason; it is never ready."""
    is_refused = (b"authorization", b"Bearer wr0ng") in scope["headers"]
    data = b'{"data": []}' if scope["path"].startswith("/listing") else b'{"data": "many"}'
    status = 503 if scope["path"].endswith("/ready") else 403 if is_refused else 200
    await send({"type": "http.response.start", "status": status, "headers": []})
    await send({"type": "http.response.body", "body": b"no" if is_refused else data})


@pytest.fixture
def odd_upstream() -> Iterator[str]:
    with start_blocking_portal() as portal, portal.wrap_async_context_manager(on_loopback(odd)) as url:
        yield url


def run(folder: Path, text: str, *arguments: str) -> Result:
    file = folder / "diglot.toml"
    file.write_text(text)
    return CliRunner().invoke(commands.main, ("check", "--config", str(file), *arguments))


def test_without_asking(tmp_path: Path) -> None:
    """Nobody is asked; the store is tried."""
    got = run(tmp_path, '[upstreams.a]\nurl = "http://127.0.0.1:9"\n[models]\nx = {}\ny = {}\n')
    first, *rows = got.stdout.splitlines()
    assert (got.exit_code, first) == (0, f"{tmp_path}/diglot.toml: no mistakes; 1 upstream, 2 in [models]")
    assert [row.split(maxsplit=1) for row in rows] == [
        ["keys", "none in this file or its variables"],
        ["store", f"SQLite {tmp_path}/diglot/diglot.db"],
        ["a", "http://127.0.0.1:9"],
    ]
    got = run(tmp_path, 'upstream = "http://127.0.0.1:9"\n[state]\nstore = "sqlite:////nowhere/at/all.db"\n')
    assert got.exit_code == 2
    assert "Error: store:" in got.stderr


def test_wrong(tmp_path: Path) -> None:
    """A file that start-up would refuse is refused in the same words."""
    got = run(tmp_path, '[upstreams.a]\nurl = "x"\n')
    assert got.exit_code == 2
    assert f"{tmp_path}/diglot.toml: upstreams.a.url: 'x' is not" in got.stderr
    assert run(tmp_path, "").exit_code == 2
    assert run(tmp_path, "demo = true\n", "http://a").exit_code == 2
    assert CliRunner().invoke(commands.main, ("check", "http://a", "--connect")).exit_code == 2


def test_keys(tmp_path: Path) -> None:
    """How many there are; what is secret is not shown."""
    keys.new(tmp_path / "keys", "alice")
    got = run(tmp_path, f'upstream = "http://me:k3y@up:1"\napi_keys = "{tmp_path}/keys"\n')
    assert got.exit_code == 0
    rows = [line.split(maxsplit=1) for line in got.stdout.splitlines()]
    assert (rows[1], rows[3]) == (["keys", "1"], ["default", "http://up:1"])
    assert "k3y" not in got.output


def test_inspector(tmp_path: Path) -> None:
    """A page that is not served has no link."""
    got = run(tmp_path, 'demo = true\ninspect = true\n[state]\nstore = "none"\n', "--connect")
    assert (got.exit_code, got.stderr) == (0, "")
    assert [line.split()[:2] for line in got.stdout.splitlines()[1:3]] == [["keys", "none"], ["store", "none"]]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("demo = true\nprofil = 1\n", "did you mean profile?"),
        ("", "no upstream is set"),
        ('demo = true\napi_keys = "/missing"\n', "/missing: No such file"),
        ('upstream = "http://me:k3y@up:1"\nhost = "0.0.0.0"\n', "--open"),
    ],
)
def test_mistakes(tmp_path: Path, text: str, words: str) -> None:
    """It is said what is wrong."""
    got = run(tmp_path, text)
    assert got.exit_code == 2
    assert words in got.stderr
    assert "k3y" not in got.output


def test_replicas(tmp_path: Path, upstream: str) -> None:
    """Each has a row; what is wrong is said below, and is the exit status."""
    text = f'[upstreams.a]\nurl = ["{upstream}", "http://u:p4ss@127.0.0.1:9"]\n[models]\n"x*" = {{ model = "demo" }}\n'
    got = run(tmp_path, text, "--connect")
    rows = [line.split() for line in got.stdout.splitlines()]
    assert got.exit_code == 1
    assert rows[5] == ["UPSTREAM", "REPLICA", "ANSWER", "AFTER", "READY", "MODELS"]
    assert [row[:3] for row in rows[6:8]] == [["a", upstream, "ok"], ["a", "http://127.0.0.1:9", "-"]]
    assert (rows[6][-2:], rows[7][-2:]) == (["200", "1"], ["-", "-"])
    assert got.stdout.splitlines()[-1] == "a: http://127.0.0.1:9 cannot be reached: connection refused"
    assert "p4ss" not in got.output


def test_models(tmp_path: Path, upstream: str) -> None:
    """A model that is not listed is a mistake; a pattern without a model stands for what is listed."""
    start = f'[upstreams.a]\nurl = "{upstream}"\n[models]\n"*" = {{}}\ndemo = {{}}\n'
    assert run(tmp_path, start, "--connect").exit_code == 0
    got = run(tmp_path, start + 'y = { model = "z" }\n', "--connect")
    assert got.exit_code == 1
    assert got.stdout.splitlines()[-1] == f"models.y: {upstream} does not list 'z'"


def test_a_single_one(tmp_path: Path, upstream: str) -> None:
    """Other files are checked, too; there is nothing to ask in a demo."""
    got = run(tmp_path, f'upstream = "{upstream}"\n', "--connect")
    assert (got.exit_code, got.stdout.splitlines()[6].split()[:3]) == (0, ["default", upstream, "ok"])
    assert run(tmp_path, "demo = true\n", "--connect").exit_code == 0


def test_odd_answers(tmp_path: Path, odd_upstream: str) -> None:
    """A list that cannot be read is a mistake; a key is sent where the upstream has none."""
    text = f'[upstreams.a]\nurl = "{odd_upstream}"\n[models]\nx = {{}}\n'
    no_list = f"a: {odd_upstream} answered 200, but with no list of models"
    got = run(tmp_path, text, "--connect")
    assert (got.exit_code, got.stdout.splitlines()[6].split()[2::3]) == (1, ["200", "200"])
    assert got.stdout.splitlines()[-1] == no_list
    got = run(tmp_path, 'api_key = "k"\n' + text, "--connect", "--key", "wr0ng")  # no client's key arrives
    assert got.stdout.splitlines()[-1] == no_list
    got = run(tmp_path, text, "--connect", "--key", "wr0ng")
    assert got.exit_code == 1
    assert got.stdout.splitlines()[-1] == f"a: {odd_upstream} answered 403: no reason was said"


def test_not_ready(tmp_path: Path, odd_upstream: str) -> None:
    """What `/readyz` would see counts, too."""
    got = run(tmp_path, f'upstream = "{odd_upstream}/listing/v1"\nready_path = "/listing/ready"\n', "--connect")
    assert (got.exit_code, got.stdout.splitlines()[6].split()[-2:]) == (1, ["503", "0"])
    assert got.stdout.splitlines()[-1].endswith("/listing/v1 counts as away: it answered 503 to /listing/ready")


@pytest.fixture
def server() -> Iterator[Server]:
    one = Server()
    one.close = False
    yield one
    one.stop()


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        ([], "did not answer within 1 s"),
        ([b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{"], "did not answer within 1 s"),
        ([b"HTTP/1.1 999 What\r\ncontent-length: 0\r\n\r\n"], "gave no answer that can be read"),
    ],
)
def test_no_answer(tmp_path: Path, server: Server, reply: list[bytes], words: str) -> None:
    """No status is shown that nobody has sent."""
    server.reply = reply
    got = run(tmp_path, f'upstream = "{server.url}"\nready_path = "/v1/x"\n', "--connect", "--timeout", "1")
    assert (got.exit_code, got.stdout.splitlines()[6].split()[2]) == (1, "-")
    assert got.stdout.splitlines()[-1] == f"default: {server.url} {words}"


def test_broken_off(tmp_path: Path, server: Server) -> None:
    """Nor is one that was only the beginning of an answer."""
    server.close, server.reply = True, [b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{"]
    got = run(tmp_path, f'upstream = "{server.url}"\n', "--connect", "--timeout", "1")
    assert got.stdout.splitlines()[-1] == f"default: {server.url} broke off the connection"


def test_unreachable(tmp_path: Path, upstream: str) -> None:
    """The reason is said, and nothing of the credentials."""
    plain = upstream.removeprefix("http://")
    text = f'upstream = "https://me:k3y@{plain}"\n'
    got = run(tmp_path, text, "--connect")
    assert got.stdout.splitlines()[-1].startswith(f"default: https://{plain} cannot be reached: TLS, ")
    assert "k3y" not in got.output
