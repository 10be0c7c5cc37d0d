"""The ready server: as an application, and as a process that gets a signal."""

import contextlib
import gc
import importlib
import json
import logging
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import anyio
import msgspec
import pytest

from diglot.adapters.demo import app as demo_app
from diglot.adapters.server import app as server_app
from diglot.adapters.server import supervisor
from diglot.adapters.server.app import application, free_port, on_loopback
from diglot.adapters.server.config import Settings
from diglot.adapters.server.lifecycle import Life
from diglot.adapters.server.reloading import source_of
from diglot.adapters.store import open_store

uvicorn = importlib.import_module("uvicorn")
httpx = importlib.import_module("httpx")
ASK = {"model": "m", "input": "hi"}
HOST = {"host": "localhost"}


CHAT_ASK = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}


@pytest.mark.anyio
async def test_embedded_responses(talk: Any) -> None:
    """Where a Responses upstream is wanted, the demo is one, and only that."""
    app = application(Settings(demo=True, upstream_api="responses"))
    got = await talk(app, CHAT_ASK, path="/v1/chat/completions", headers=HOST).run()
    assert got.json["choices"][0]["finish_reason"] == "stop"
    assert (await talk(app, ASK, headers=HOST).run()).json["status"] == "completed"
    assert (await talk(app, path="/healthz", method="GET", headers=HOST).run()).json["upstream_api"] == "responses"
    assert (await talk(app, path="/v1/models", method="GET", headers=HOST).run()).json["data"][0]["id"] == "demo"
    hidden = demo_app.responses_upstream()
    assert (await talk(hidden, CHAT_ASK, path="/v1/chat/completions").run()).status == 404


@pytest.mark.parametrize("has", ["chat", "responses"])
def test_found_out_over_http(has: Any) -> None:
    """In front of a real upstream it is found out which API that has, and shown."""

    async def main() -> None:
        async with (
            on_loopback(demo_app.upstream() if has == "chat" else demo_app.responses_upstream()) as upstream,
            on_loopback(application(Settings(upstream=upstream, upstream_api="auto"))) as url,
            httpx.AsyncClient() as client,
        ):
            shown = [(await client.get(f"{url}/healthz")).json()["upstream_api"]]
            completion = await client.post(f"{url}/v1/chat/completions", json=CHAT_ASK)
            answer = await client.post(f"{url}/v1/responses", json=ASK)
            shown.append((await client.get(f"{url}/healthz")).json()["upstream_api"])
        assert (completion.json()["object"], answer.json()["object"]) == ("chat.completion", "response")
        assert shown == ["unknown", has]

    anyio.run(main)


@pytest.mark.anyio
async def test_embedded(talk: Any) -> None:
    """Without an upstream the demo answers, below /v1 and without it."""
    app = application(Settings(demo=True))
    assert (await talk(app, ASK, headers=HOST).run()).json["status"] == "completed"
    assert (await talk(app, ASK, path="/responses", headers=HOST).run()).json["status"] == "completed"
    assert (await talk(app, path="/v1/models", method="GET", headers=HOST).run()).json["data"][0]["id"] == "demo"
    assert (await talk(app, path="/v1/nothing", method="GET", headers=HOST).run()).error["code"] == "not_found"


@pytest.mark.anyio
async def test_paths(talk: Any) -> None:
    """Endpoints elsewhere are served where the settings say so."""
    app = application(Settings(demo=True, paths=("/v1/ai",)))
    assert (await talk(app, ASK, path="/v1/ai/responses", headers=HOST).run()).status == 404
    assert (await talk(app, ASK, path="/v1/else/responses", headers=HOST).run()).json["error"]["message"] == (
        "The demo has no POST /v1/else/responses."
    )


@pytest.mark.anyio
async def test_what_is_raised_is_logged_without_words(
    talk: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """There is no host that would have to see it: the log says where it was raised, once, and not what was said."""

    words = "what somebody wrote"

    async def broken(scope: Any, receive: Any, send: Any) -> None:
        raise ValueError(words)

    monkeypatch.setattr(demo_app, "upstream", lambda: broken)
    caplog.set_level("INFO")
    got = await talk(application(Settings(demo=True)), ASK, headers=HOST).run()
    assert (got.status, got.error["message"]) == (502, "The application behind this server failed.")
    assert caplog.text.count("The application raised ValueError") == 1
    assert "test_app.py" in caplog.text
    assert words not in caplog.text + got.body.decode()


@pytest.mark.anyio
async def test_factory(talk: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker makes the same application from the environment, and tunes its garbage collector for many streams."""
    told: list[object] = []
    monkeypatch.setattr(gc, "set_threshold", lambda *counts: told.append(counts))
    monkeypatch.setattr(gc, "freeze", lambda: told.append("freeze"))
    monkeypatch.setenv("_DIGLOT_SETTINGS", '{"demo":true,"profile":"vllm","set":{"efforts":["low"]}}')
    got = await talk(server_app.from_environment(), path="/healthz", method="GET", headers=HOST).run()
    assert got.json["profile"] == "vllm"
    assert len(told) == 2


def test_over_http() -> None:
    """A real server in front of a real upstream streams a real answer."""

    async def main() -> None:
        async with (
            on_loopback(application(Settings(demo=True))) as upstream,
            on_loopback(application(Settings(upstream=upstream))) as url,
            httpx.AsyncClient() as client,
        ):
            got = await client.post(f"{url}/v1/responses", json={**ASK, "stream": True})
            models = await client.get(f"{url}/v1/models")
        assert got.text.rstrip().rpartition("event: ")[2].startswith("response.completed")
        assert models.json()["data"][0]["id"] == "demo"

    anyio.run(main)


def test_no_websockets(caplog: pytest.LogCaptureFixture) -> None:
    """Under uvicorn as it is set up here, an upgrade is answered with 426."""
    upgrade = {
        "connection": "upgrade",
        "upgrade": "websocket",
        "sec-websocket-version": "13",
        "sec-websocket-key": "eA==",
    }

    async def main() -> None:
        async with on_loopback(application(Settings(demo=True))) as url, httpx.AsyncClient() as client:
            assert (await client.get(f"{url}/v1/responses", headers=upgrade)).status_code == 426

    anyio.run(main)
    assert server_app._common(Settings())["ws"] == "none"


@pytest.fixture
def slow_upstream(tmp_path: Path) -> Iterator[str]:
    """A stream that does not end by itself, in a process of its own."""
    (tmp_path / "slow.py").write_text(SLOW)
    port = free_port("127.0.0.1")
    command = [sys.executable, "-m", "uvicorn", "slow:app", "--port", str(port), "--log-level", "error"]
    process = subprocess.Popen(command, cwd=tmp_path)
    url = f"http://127.0.0.1:{port}"
    try:
        wait_for(port)
        yield url
    finally:
        process.kill()
        process.wait()


SLOW = """
import asyncio
async def app(scope, receive, send):
    if scope["type"] != "http":
        raise RuntimeError
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/event-stream")]})
    while True:
        data = b'data: {"choices":[{"index":0,"delta":{"content":"x"}}]}\\n\\n'
        await send({"type": "http.response.body", "body": data, "more_body": True})
        await asyncio.sleep(0.05)
"""


def wait_for(port: int) -> None:
    until = time.monotonic() + 20
    while time.monotonic() < until:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise AssertionError("no server")


GRACEFUL = 1


@contextmanager
def served(upstream: str, folder: Path, workers: int) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """`diglot serve` in a process of its own, and its URL."""
    (folder / "diglot.toml").write_text(f"graceful = {GRACEFUL}\n")
    port = free_port("127.0.0.1")
    command = [sys.executable, "-m", "diglot", "serve", "--upstream", upstream, "--port", str(port)]
    command += ["--workers", str(workers), "--config", "diglot.toml"]
    process = subprocess.Popen(command, cwd=folder, stderr=subprocess.PIPE, env=dict(os.environ))
    try:
        wait_for(port)
        yield process, f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.communicate()


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("workers", [1, 2])
def test_signals(slow_upstream: str, tmp_path: Path, workers: int, number: signal.Signals) -> None:
    """After SIGTERM or Ctrl-C a running stream gets its time, and then ends as failed instead of being cut."""
    text = ""
    with served(slow_upstream, tmp_path, workers) as (process, url):
        with httpx.stream("POST", f"{url}/v1/responses", json={**ASK, "stream": True}) as answer:
            for piece in answer.iter_text():
                if not text:
                    process.send_signal(number)
                text += piece
        _, log = process.communicate(timeout=20)
    last = text.rstrip().rpartition("data: ")[2]
    assert json.loads(last)["type"] == "response.failed"
    assert "CancelledError" not in log.decode()
    assert "Traceback" not in log.decode()
    records = [json.loads(line) for line in log.decode().splitlines() if '"diglot.access"' in line]
    assert [record["outcome"] for record in records] == ["failed"]


@pytest.mark.slow
def test_ctrl_c_during_a_stream_that_passes(slow_upstream: str, tmp_path: Path) -> None:
    """It does not wait for the model, either: it ends when the time is over."""
    with served(slow_upstream, tmp_path, 1) as (process, url):
        with httpx.stream("POST", f"{url}/v1/chat/completions", json={**CHAT_ASK, "stream": True}) as answer:
            pieces = answer.iter_raw()
            next(pieces)
            process.send_signal(signal.SIGINT)
            began = time.monotonic()
            with contextlib.suppress(httpx.HTTPError):
                for _ in pieces:
                    pass
        _, log = process.communicate(timeout=20)
        assert GRACEFUL <= time.monotonic() - began < GRACEFUL + 5
    assert "Traceback" not in log.decode()


def test_how_it_is_logged(monkeypatch: pytest.MonkeyPatch) -> None:
    """For people on a terminal, with colour unless they want none; for machines elsewhere; or as it is set."""

    def formatter(**settings: Any) -> dict[str, Any]:
        return server_app._common(Settings(**settings))["log_config"]["formatters"]["lines"]

    monkeypatch.delenv("NO_COLOR", raising=False)
    for terminal, colour in ((True, True), (False, False)):
        monkeypatch.setattr("sys.stderr.isatty", lambda terminal=terminal: terminal, raising=False)
        assert formatter().get("colour") is (colour or None)
        assert formatter(log_format="text")["colour"] is colour
        assert "colour" not in formatter(log_format="json")
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    monkeypatch.setenv("NO_COLOR", "1")
    assert formatter()["colour"] is False


@pytest.mark.parametrize(
    ("level", "quiet", "logged"), [("info", True, "warning"), ("error", True, "error"), ("debug", False, "debug")]
)
def test_quiet(level: Any, quiet: bool, logged: str) -> None:
    """Only warnings then, and what is worse."""
    assert server_app._common(Settings(log_level=level, quiet=quiet))["log_level"] == logged


def test_somebody_must_answer() -> None:
    """Without an upstream there is no server."""
    with pytest.raises(ValueError, match="--demo"):
        application(Settings())


@pytest.mark.parametrize("workers", [1, 3])
def test_run(monkeypatch: pytest.MonkeyPatch, workers: int) -> None:
    """The settings travel to the workers, whose server gets whole seconds; several workers have a supervisor."""
    monkeypatch.setenv("_DIGLOT_SETTINGS", "")
    monkeypatch.setenv("_DIGLOT_SOURCE", "")
    started: list[Any] = []
    monkeypatch.setattr("logging.config.dictConfig", lambda configuration: None)  # that of this process stays
    monkeypatch.setattr("uvicorn.run", lambda **settings: started.append(uvicorn.Config(**settings)))
    monkeypatch.setattr(supervisor, "supervise", lambda config, may_reload: started.append(config))
    server_app.run(Settings(demo=True, graceful=0.5, workers=workers))
    (config,) = started
    assert config.app == "diglot.adapters.server.app:from_environment"
    assert (config.timeout_graceful_shutdown, config.workers) == (1, workers)
    assert msgspec.json.decode(os.environ["_DIGLOT_SETTINGS"], type=Settings).graceful == 0.5


@pytest.mark.anyio
async def test_the_last_requests(talk: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """At the end there is a moment for those that are under way."""
    monkeypatch.setattr(server_app, "_MAX_IDLE_WAIT", 0.2)

    class Slow:
        upstream_api = "responses"

        async def __call__(self, *call: Any) -> None:
            await anyio.sleep(0.05 if call[0]["path"] == "/quick" else 3600)

    active = server_app._ActiveRequests(cast(Any, Slow()))
    for path, least, most in (("/quick", 0.01, 0.15), ("/slow", 0.15, 2)):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(talk(active, path=path).run)
            await anyio.wait_all_tasks_blocked()
            began = time.monotonic()
            await active.wait_until_idle()
            assert least < time.monotonic() - began < most
            tasks.cancel_scope.cancel()


def test_ports_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a used address needs no option, none is set; IPv6 has its own family."""
    with monkeypatch.context() as patch:
        patch.setattr("os.name", "nt")
        assert free_port("127.0.0.1") > 0
    with contextlib.suppress(OSError):  # not every machine has it
        assert free_port("::1") > 0


@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_store(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """What was said is kept in the store of the settings: it opens and closes with the server, which names it."""
    caplog.set_level("INFO", "diglot")
    settings = Settings(demo=True, store=f"sqlite:///{tmp_path}/a.db", seal_keys=("5e" * 32,), tenant="none")
    async with on_loopback(application(settings)) as url, httpx.AsyncClient(base_url=url) as client:
        health = (await client.get("/healthz")).json()
        assert health["store"]["name"] == f"SQLite {tmp_path}/a.db"
        assert "survives" in health["store"]["durability"]
        assert health["store"]["warnings"] == []
        first = (await client.post("/v1/responses", json=ASK)).json()
        second = await client.post("/v1/responses", json={**ASK, "previous_response_id": first["id"]})
        assert (second.status_code, first["store"]) == (200, True)
        lost = await client.post("/v1/responses", json={**ASK, "previous_response_id": "resp_" + "0" * 32})
        assert lost.json()["error"]["code"] == "previous_response_not_found"
    told = [record.getMessage() for record in caplog.records if record.getMessage().startswith("Store: ")]
    assert len(told) == 1
    assert "5e5e" not in caplog.text
    store = open_store(settings.store or "")
    await store.open()
    assert [counts.records for counts in await store.counts()] == [2]
    assert (await store.activity()).processes == 0
    await store.close()


@pytest.mark.parametrize("settings", [{"store": "mysql://me:k3y@h/x"}, {"seal_keys": ("k3y",)}])
def test_a_store_that_is_none(settings: dict[str, Any]) -> None:
    """What cannot work is said before anything starts, without what is secret."""
    with pytest.raises(ValueError) as caught:
        application(Settings(demo=True, **settings))
    assert "k3y" not in str(caught.value)


READY = {"path": "/readyz", "method": "GET", "headers": HOST}


async def lived(app: Any) -> None:
    """Run the whole lifespan of an application: what has started stays so."""
    steps = [{"type": "lifespan.shutdown"}, {"type": "lifespan.startup"}]

    async def receive() -> Any:
        return steps.pop()

    async def send(message: Any) -> None:
        assert message["type"].endswith("complete")

    await app({"type": "lifespan"}, receive, send)


@pytest.mark.anyio
async def test_ready(talk: Any) -> None:
    """Not before it has started, not while it drains, and not without its upstream."""
    life = Life()
    app = application(Settings(demo=True), life=life)
    assert (await talk(app, **READY).run()).status == 503
    await lived(app)
    got = await talk(app, **READY).run()
    assert (got.status, got.json) == (200, {"status": "ok"})
    life.draining = True
    assert (await talk(app, **READY).run()).status == 503
    alone = application(Settings(upstream="http://127.0.0.1:1"))
    await lived(alone)
    got = await talk(alone, **READY).run()
    assert (got.status, got.json) == (503, {"status": "unavailable"})


@pytest.mark.anyio
@pytest.mark.parametrize(("away", "status"), [((), 200), (("b1",), 200), (("b1", "b2"), 503), (("a",), 503)])
async def test_ready_with_several(talk: Any, fakes: Any, away: tuple[str, ...], status: int) -> None:
    """Each upstream has to be there, but of its replicas one is enough."""
    for name in away:
        fakes[name].status = 503
    models = '[models]\nx = { upstream = "a" }\n"*" = { upstream = "b" }\n'
    app = fakes.serve('[upstreams.a]\nurl = "http://a"\n[upstreams.b]\nurl = ["http://b1", "http://b2"]\n' + models)
    await lived(app)
    assert (await talk(app, **READY).run()).status == status
    assert fakes["a"].paths == ["/v1/models"]
    assert all(client.is_closed for client in fakes.made.values())


@pytest.mark.anyio
async def test_who_is_away(talk: Any, fakes: Any, caplog: pytest.LogCaptureFixture) -> None:
    """The log says it by the name in `[upstreams]`; a single upstream has none."""
    fakes["a"].status = 503
    for text in ('upstream = "http://a"\nmodel_map = ["x=y"]\n', '[upstreams.gpu]\nurl = "http://a"\n'):
        app = fakes.serve(text)
        await lived(app)
        await talk(app, **READY).run()
    told = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert told == ["Readiness: http://a cannot be reached", "Readiness: gpu cannot be reached"]


def test_a_key_that_is_lent() -> None:
    """A server that would lend its own key to everybody does not start."""
    with pytest.raises(ValueError, match="--open"):
        application(Settings(upstream="http://me:k3y@up:1", host="0.0.0.0"))


def test_settings_for_the_workers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The parent checks them, and has them for workers that are started later."""
    monkeypatch.delenv("DIGLOT_UPSTREAM", raising=False)
    running = Settings(demo=True, workers=2, port=1)
    monkeypatch.setenv("_DIGLOT_SETTINGS", msgspec.json.encode(running).decode())
    file = tmp_path / "diglot.toml"
    source = source_of({}, file, Settings(demo=True, workers=2))
    file.write_text("demo = 1 1")
    assert not server_app._may_reload(source)
    assert "Reload: refused, nothing has changed: " in caplog.text
    assert "vllm" not in os.environ["_DIGLOT_SETTINGS"]
    file.write_text('demo = true\nworkers = 2\nprofile = "vllm"\n')
    assert server_app._may_reload(source)
    kept = msgspec.json.decode(os.environ["_DIGLOT_SETTINGS"], type=Settings)
    assert (kept.profile, kept.port) == ("vllm", 1)


def test_a_single_upstream_needs_nothing_of_many() -> None:
    """What routes between models and replicas is not even imported."""
    program = (
        "import sys; from diglot.adapters.server import app, config;"
        "app.application(config.Settings(upstream='http://127.0.0.1:9')); print(*sys.modules)"
    )
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()
    names = "model_router model_list upstreams replicas renaming model_lines repeatable retry_after asking model_route"
    assert "diglot.adapters.server.app" in loaded
    assert not {name.rpartition(".")[2] for name in loaded} & set(names.split())
