"""The server measures what it is asked to, and nothing else."""

import os
import socket
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from opentelemetry import trace

from diglot.adapters import Record
from diglot.adapters.observe import otel_setup
from diglot.adapters.server import keys
from diglot.adapters.server.app import application, free_port
from diglot.adapters.server.config import ConfigError, Settings, load
from diglot.adapters.server.observing import Observing, in_parent

HOST = {"host": "localhost"}
ASK = {"model": "m", "input": "hi"}
FOLDER, OF_LIBRARY = "_DIGLOT_METRICS_FOLDER", "PROMETHEUS_MULTIPROC_DIR"


@pytest.mark.anyio
async def test_on_the_port_of_the_server(talk: Any) -> None:
    """What is asked of the server is at /metrics; asking for that is not counted."""
    app = application(Settings(demo=True, metrics=True))
    await talk(app, ASK, headers=HOST).run()
    await talk(app, path="/v1/models", method="GET", headers=HOST).run()
    got = await talk(app, path="/metrics", method="GET", headers=HOST).run()
    assert got.headers["content-type"].startswith("text/plain; version=")
    lines = got.body.decode().splitlines()
    assert 'diglot_requests_total{endpoint="/responses",outcome="completed",way="translated"} 1.0' in lines
    assert 'diglot_requests_total{endpoint="/models",outcome="completed",way="passed"} 1.0' in lines
    assert not [line for line in lines if "_created" in line]
    again = await talk(app, path="/metrics", method="GET", headers=HOST).run()
    assert b"/metrics" not in again.body
    strange = await talk(app, path="/metrics", method="GET", headers={"host": "attacker.example"}).run()
    assert strange.status == 403


@pytest.mark.anyio
async def test_off(talk: Any) -> None:
    """Then there is no such path here, and records go to nobody."""
    got = await talk(application(Settings(demo=True)), path="/metrics", method="GET", headers=HOST).run()
    assert got.status == 404
    off = Observing(Settings(demo=True))
    assert (off.on_exchange(None), off.routes) == (None, [])
    assert off.around(talk) is talk
    with off.running():
        pass


def test_records_go_to_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also to whoever wants them besides."""
    seen: list[Record] = []
    record = Record("POST", "/v1/responses", 200, "m", False, 1.0, {}, "completed", None, ())
    measured = Observing(Settings(demo=True, metrics=True))
    taken = measured.on_exchange(seen.append)
    assert taken is not None
    taken(record)
    assert seen == [record]
    assert measured.on_exchange(None) is not None
    assert Observing(Settings(demo=True)).on_exchange(seen.append) == seen.append


def test_a_port_of_its_own() -> None:
    """Then there is nothing on the port of the server."""
    port = free_port("127.0.0.1")
    measured = Observing(Settings(demo=True, metrics=port))
    assert measured.routes == []
    with measured.running(), urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
        assert b"diglot_build_info" in answer.read()


def test_settings_that_are_read_again() -> None:
    """The next application starts before the first ends: its port stays open, and its counts go on."""
    port = free_port("127.0.0.1")
    measured = Observing(Settings(demo=True, metrics=port))
    first, second = measured.running(), measured.running()
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
        assert answer.status == 200
    second.__exit__(None, None, None)
    assert free_port("127.0.0.1", port) == port
    assert Observing.off().routes == []


@pytest.mark.anyio
async def test_by_key(talk: Any, tmp_path: Path) -> None:
    """Requests and tokens are told by the names of keys, and the metrics themselves need a key."""
    file = tmp_path / "keys"
    shown = {name: {**HOST, "api-key": keys.new(file, name)} for name in ("alice", "bob")}
    app = application(Settings(demo=True, metrics=True, metrics_by_key=True, api_keys=str(file)))
    for name, times in (("alice", 2), ("bob", 1)):
        for _ in range(times):
            await talk(app, ASK, headers=shown[name]).run()
    await talk(app, path="/v1/models", method="GET", headers=shown["bob"]).run()
    assert (await talk(app, path="/metrics", method="GET", headers=HOST).run()).status == 401
    text = (await talk(app, path="/metrics", method="GET", headers=shown["bob"]).run()).body.decode()
    endings = 'outcome="completed",way="translated"}'
    assert f'diglot_requests_total{{endpoint="/responses",key="alice",{endings} 2.0' in text
    assert f'diglot_requests_total{{endpoint="/responses",key="bob",{endings} 1.0' in text
    assert 'endpoint="/models",key="bob",outcome="completed",way="passed"} 1.0' in text
    tokens = [line for line in text.splitlines() if line.startswith("gen_ai_client_token_usage_count")]
    assert {name for name in ("alice", "bob", "") if any(f'key="{name}"' in line for line in tokens)} == {
        "alice",
        "bob",
    }
    assert all(value["api-key"] not in text for value in shown.values())


def test_several_workers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The parent makes their folder and serves their port; they themselves serve neither."""
    monkeypatch.setenv(OF_LIBRARY, "/somebody/else")
    port = free_port("127.0.0.1")
    settings = Settings(demo=True, metrics=port, workers=2)
    with in_parent(settings):
        folder = Path(os.environ[FOLDER])
        assert folder.is_dir()
        assert folder.stat().st_mode & 0o077 == 0
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
            assert answer.status == 200
        with socket.socket() as other, Observing(settings).running():
            assert other.connect_ex(("127.0.0.1", port)) == 0
        assert os.environ[OF_LIBRARY] == str(folder)
    assert not folder.exists()
    Observing(Settings(demo=True, metrics=True))
    assert OF_LIBRARY not in os.environ
    with in_parent(Settings(demo=True, metrics=True, workers=2)):
        (route,) = Observing(Settings(demo=True, metrics=True, workers=2)).routes
        assert route.path == "/metrics"
    for alone in (Settings(demo=True, metrics=True), Settings(demo=True, workers=2)):
        with in_parent(alone):
            assert FOLDER not in os.environ


@pytest.mark.anyio
async def test_traces(talk: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The SDK is set up when the server starts, not when its application is made."""
    began: list[str] = []

    class Running:
        def __enter__(self) -> None:
            began.append("begin")

        def __exit__(self, *error: object) -> None:
            began.append("end")

    monkeypatch.setattr(otel_setup, "running", Running)
    traced = Observing(Settings(demo=True, otel=True))
    app = traced.around(application(Settings(demo=True)))
    assert began == []
    with traced.running():
        assert (await talk(app, ASK, headers=HOST).run()).status == 200
    assert began == ["begin", "end"]
    assert isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider)


def test_missing_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    """The server does not start without them."""
    monkeypatch.setitem(__import__("sys").modules, "diglot.adapters.observe.metrics", None)
    with pytest.raises(ConfigError):
        Observing(Settings(demo=True, metrics=True))


@pytest.mark.parametrize(("text", "value"), [("true", True), ("false", False), ("9090", 9090)])
def test_settings(text: str, value: bool | int) -> None:
    """A port, or yes."""
    found = load({}, {"DIGLOT_DEMO": "true", "DIGLOT_METRICS": text}).metrics
    assert (found, type(found)) == (value, type(value))
    assert load({"metrics": text, "demo": True}, {}).metrics == value


@pytest.mark.parametrize("text", ["0.5", "70000", "-1", "yes please"])
def test_wrong_settings(text: str) -> None:
    """The message says what is possible."""
    with pytest.raises(ConfigError, match=r"metrics: .* true or false, or a whole number from 1 to 65535"):
        load({"metrics": text, "demo": True}, {})
