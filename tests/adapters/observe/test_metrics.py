"""Metrics count what happened, under names and labels of which there are only so many."""

import os
import shutil
import subprocess
import sys
import urllib.request
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec
import pytest
from prometheus_client import REGISTRY, CollectorRegistry
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from diglot.adapters import Record, TranslationMiddleware, Upstream
from diglot.adapters.middleware.access_log import AccessLog, mark
from diglot.adapters.middleware.notes import Attempt
from diglot.adapters.observe import metrics, names
from diglot.adapters.observe.metrics import Metrics
from diglot.adapters.server.app import free_port
from diglot.translator import Loss

USAGE = {"input_tokens": 5, "output_tokens": 11, "output_tokens_details": {"reasoning_tokens": 3}}
RECORD = Record(
    "POST",
    "/v1/responses",
    200,
    "m",
    True,
    2.0,
    USAGE,
    "completed",
    None,
    (Loss("tools[0].x", "dropped", "why"), Loss("made up", "dropped", "why")),
    endpoint="/responses",
    profile="vllm",
    response_model="m-1",
    attempts=(Attempt("a:1", "5xx"), Attempt("", "ok")),
    first_token=1.0,
    request_seconds=0.001,
    adaptations=("stream_usage",),
)
GEN_AI = {
    "gen_ai_operation_name": "chat",
    "gen_ai_provider_name": "vllm",
    "gen_ai_request_model": "m",
    "gen_ai_response_model": "m-1",
}


@pytest.fixture
def measured() -> Metrics:
    return Metrics(CollectorRegistry())


def value(measured: Metrics, name: str, **labels: str) -> float | None:
    return measured.registry.get_sample_value(name, labels)


def shown(measured: Metrics) -> str:
    return metrics.exposition(measured.registry, "")[0].decode()


def test_one_exchange(measured: Metrics) -> None:
    """Everything that the table lists."""
    measured.on_exchange(RECORD)
    assert value(measured, "gen_ai_server_request_duration_seconds_sum", **GEN_AI, error_type="") == 2
    assert value(measured, "gen_ai_server_time_to_first_token_seconds_sum", **GEN_AI) == 1
    assert value(measured, "gen_ai_server_time_per_output_token_seconds_sum", **GEN_AI) == 0.1
    for kind, count in {"input": 5, "output": 11, "reasoning": 3, "cached_input": None}.items():
        assert value(measured, "gen_ai_client_token_usage_sum", **GEN_AI, gen_ai_token_type=kind) == count
    ended = {"endpoint": "/responses", "way": "translated", "outcome": "completed"}
    assert value(measured, "diglot_requests_total", **ended) == 1
    for field in ("tools", "other"):
        assert value(measured, "diglot_losses_total", field=field, kind="dropped", way="to_chat") == 1
    assert value(measured, "diglot_upstream_attempts_total", upstream="a:1", result="5xx") == 1
    assert value(measured, "diglot_upstream_attempts_total", upstream="application", result="ok") == 1
    assert value(measured, "diglot_adaptations_total", setting="stream_usage") == 1
    assert value(measured, "diglot_translation_seconds_sum", step="request") == 0.001
    assert value(measured, "diglot_translation_seconds_sum", step="answer") is None
    assert "diglot_build_info{version=" in shown(measured)


def test_the_other_api(measured: Metrics) -> None:
    """Counts have other names in chat; losses go in the other direction; whole answers have no first token."""
    usage = {"prompt_tokens": 7, "prompt_tokens_details": {"cached_tokens": 4}, "completion_tokens": 1}
    measured.on_exchange(
        msgspec.structs.replace(
            RECORD,
            usage=usage,
            endpoint="/chat/completions",
            path="/chat/completions",
            first_token=None,
            streaming=False,
            answer_seconds=0.002,
        )
    )
    for kind, count in {"input": 7, "output": 1, "cached_input": 4}.items():
        assert value(measured, "gen_ai_client_token_usage_sum", **GEN_AI, gen_ai_token_type=kind) == count
    assert value(measured, "diglot_losses_total", field="tools", kind="dropped", way="to_responses") == 1
    assert value(measured, "diglot_translation_seconds_sum", step="answer") == 0.002
    assert "time_to_first_token_seconds_count{" not in shown(measured)


@pytest.mark.parametrize(
    ("error", "outcome", "label"),
    [
        ("rate_limit", "refused", "rate_limit"),
        (None, "disconnected", "disconnected"),
        (None, "failed", "failed"),
        (None, "incomplete", ""),
    ],
)
def test_errors(measured: Metrics, error: str | None, outcome: str, label: str) -> None:
    """The type of an error is its code, or how the exchange ended; failures have no time to their first token."""
    measured.on_exchange(msgspec.structs.replace(RECORD, error=error, outcome=outcome))
    assert value(measured, "gen_ai_server_request_duration_seconds_count", **GEN_AI, error_type=label) == 1
    assert (value(measured, "gen_ai_server_time_to_first_token_seconds_count", **GEN_AI) is None) is bool(label)


@pytest.mark.parametrize("usage", [{}, {"input_tokens": "9"}, {"input_tokens": -1, "output_tokens": True}, {"x": []}])
def test_what_is_no_usage(measured: Metrics, usage: Any) -> None:
    """An upstream may send anything."""
    measured.on_exchange(msgspec.structs.replace(RECORD, usage={**usage, "input_tokens_details": [1]}))
    assert "token_usage_count{" not in shown(measured)


def test_models_are_bounded(measured: Metrics) -> None:
    """10,000 names: 100 of them are labels; so are none that nobody answered to, long ones and unprintable ones."""
    strange = ["x" * 10**6, "a\nb", "\x1b[31m", *(f"refused {n}" for n in range(200))]
    for name in strange:
        status = 404 if name.startswith("refused") else 200
        measured.on_exchange(msgspec.structs.replace(RECORD, model=name, response_model=name, status=status))
    assert labels(measured, "gen_ai_request_model") == {"other"}
    for number in range(10_000):
        measured.on_exchange(msgspec.structs.replace(RECORD, model=f"m{number}", response_model=f"r{number}"))
    assert labels(measured, "gen_ai_request_model") == {"other", *(f"m{n}" for n in range(100))}
    assert labels(measured, "gen_ai_response_model") == {"other", *(f"r{n}" for n in range(100))}
    measured.on_exchange(msgspec.structs.replace(RECORD, model=None, response_model=None))
    assert "" in labels(measured, "gen_ai_request_model")


def test_errors_are_bounded(measured: Metrics) -> None:
    """Codes come from the upstream."""
    for number in range(200):
        measured.on_exchange(msgspec.structs.replace(RECORD, error=f"e{number}"))
    assert len(labels(measured, "error_type")) == 51
    assert "_OTHER" in labels(measured, "error_type")


def labels(measured: Metrics, name: str) -> set[str]:
    samples = [sample for family in measured.registry.collect() for sample in family.samples]
    return {sample.labels[name] for sample in samples if name in sample.labels}


@pytest.mark.anyio
async def test_passed_through(talk: Any, measured: Metrics) -> None:
    """What is not translated is counted as well, with how it ended; so is what is in progress."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        assert value(measured, "diglot_requests_in_progress", endpoint="/models") == 1
        mark(scope, "passed")
        if scope["query_string"] != b"nothing":
            await send({"type": "http.response.start", "status": int(scope["query_string"][:3]), "headers": []})
            more = scope["query_string"].endswith((b"left", b"cut"))
            await send({"type": "http.response.body", "body": b"", "more_body": more})
        if scope["query_string"].endswith(b"cut"):
            raise ConnectionResetError

    served = AccessLog(measured.requests(app))
    for query in (b"200", b"200", b"404", b"200cut", b"200left", b"nothing"):
        with suppress(ConnectionResetError):
            await talk(served, path="/v1/models", method="GET", query_string=query).run()
    for outcome, count in {"completed": 2, "refused": 1, "failed": 1, "disconnected": 2}.items():
        ended = {"endpoint": "/models", "way": "passed", "outcome": outcome}
        assert value(measured, "diglot_requests_total", **ended) == count
    assert value(measured, "diglot_requests_in_progress", endpoint="/models") == 0


@pytest.mark.anyio
async def test_mounted(talk: Any, chat: Any, hello: list[bytes], measured: Metrics) -> None:
    """In a host, with or without what counts requests; no call of the upstream is counted twice."""
    app = TranslationMiddleware(chat(*hello), on_exchange=measured.on_exchange)
    body = {"model": "m", "input": "hi", "stream": True}
    await talk(app, body).run()
    await talk(measured.requests(app), body).run()
    assert value(measured, "diglot_upstream_attempts_total", upstream="application", result="ok") == 2
    ended = {"endpoint": "/responses", "way": "translated", "outcome": "completed"}
    assert value(measured, "diglot_requests_total", **ended) == 2
    upstream = Upstream("http://127.0.0.1:9")
    await talk(measured.requests(upstream), body).run()
    await upstream.aclose()
    assert value(measured, "diglot_upstream_attempts_total", upstream="127.0.0.1:9", result="refused") == 1


@pytest.mark.anyio
async def test_other_connections(talk: Any, measured: Metrics) -> None:
    """A lifespan is no request."""
    seen: list[Any] = []

    async def app(*call: Any) -> None:
        seen.append(call[0]["type"])

    await talk(measured.requests(app), type="lifespan").run()
    assert seen == ["lifespan"]
    assert "in_progress{" not in shown(measured)


def test_the_global_registry() -> None:
    """It is the default, as everywhere in prometheus_client."""
    measured = Metrics()
    try:
        assert measured.registry is REGISTRY
        measured.on_exchange(RECORD)
        assert b"diglot_losses_total{" in metrics.exposition(REGISTRY, "")[0]
    finally:
        for metric in names.METRICS:
            REGISTRY.unregister(measured._made[metric.name])


def test_both_formats(measured: Metrics) -> None:
    """OpenMetrics for those who ask for it; its own parser reads it."""
    measured.on_exchange(RECORD)
    text, kind = metrics.exposition(measured.registry, "application/openmetrics-text; version=1.0.0")
    assert kind.startswith("application/openmetrics-text")
    assert list(text_string_to_metric_families(text.decode()))
    assert metrics.exposition(measured.registry, "*/*")[1].startswith("text/plain")


def test_promtool(measured: Metrics) -> None:
    """`promtool check metrics` has nothing to say."""
    tool = shutil.which("promtool")
    if tool is None:
        pytest.skip("promtool is not installed (Debian: prometheus)")
    measured = Metrics.of_server()
    measured.on_exchange(RECORD)
    ran = subprocess.run([tool, "check", "metrics"], input=shown(measured), capture_output=True, text=True)
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "")


SHARED = """
import sys
from diglot.adapters.observe import names
from diglot.adapters.observe.metrics import Metrics
Metrics.of_server()._child(names.IN_PROGRESS, "/responses").inc()
print("ready", flush=True)
sys.stdin.read()
"""


def test_several_processes(tmp_path: Path) -> None:
    """They are added up; what one was doing that was killed is not in progress any more."""
    environment = {**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(tmp_path)}
    command = [sys.executable, "-c", SHARED]
    registry = metrics.shared_registry(tmp_path)
    pipes: Any = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "env": environment}
    with subprocess.Popen(command, **pipes) as one, subprocess.Popen(command, **pipes) as other:
        for process in (one, other):
            assert process.stdout is not None
            assert process.stdout.readline() == b"ready\n"
        assert registry.get_sample_value("diglot_requests_in_progress", {"endpoint": "/responses"}) == 2
        other.kill()
        other.wait()
        assert registry.get_sample_value("diglot_requests_in_progress", {"endpoint": "/responses"}) == 1
        one.kill()


def test_somebody_else_asks_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who comes second does not find the file of a process that is gone."""

    def gone(*call: object) -> None:
        raise FileNotFoundError

    monkeypatch.setattr(metrics, "mark_process_dead", gone)
    for name in ("gauge_livesum_4194305.db", "gauge_liveall_x.db"):
        (tmp_path / name).write_bytes(b"\0" * 64)
    assert list(metrics.shared_registry(tmp_path).collect()) == []


@pytest.mark.parametrize("accept", ["application/openmetrics-text; version=x", "", "x;=;,"])
def test_strange_formats(measured: Metrics, accept: str) -> None:
    """Who asks for a version that is none gets the text that everybody reads."""
    text, media_type = metrics.exposition(measured.registry, accept)
    assert b"diglot_build_info" in text
    assert media_type.startswith("text/plain")


def test_processes_of_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that may not be asked is running."""

    def refuse(*call: int) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "kill", refuse)
    assert metrics._is_running(1)


def test_a_port_of_its_own(measured: Metrics) -> None:
    """As long as the context lasts."""
    port = free_port("127.0.0.1")
    with (
        metrics.on_own_port(measured.registry, "127.0.0.1", port),
        urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as answer,
    ):
        assert b"diglot_build_info" in answer.read()
    with pytest.raises(OSError), urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics"):
        pass
