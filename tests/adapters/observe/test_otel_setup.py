"""`--otel` sets up an SDK, unless the process has one; a collector that is down costs a line of the log.

Providers are set once in a process, so each test has processes of its own; what runs in them is run here as well, with
providers of its own.
"""

import logging
import os
import subprocess
import sys
from typing import Any

import pytest
from opentelemetry import _logs, metrics, trace
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.trace import TracerProvider

from diglot.adapters.observe import otel_setup

from otlp_receiver import attributes, receiving

CAPTURE = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"
PROGRAM = """
import logging, time
logging.basicConfig(level="WARNING", format="%(message)s")
from opentelemetry import metrics, trace
from diglot.adapters.observe import otel_setup
began = time.monotonic()
with otel_setup.running():
    for number in range(3):
        trace.get_tracer("t").start_span("one").end()
    metrics.get_meter("m").create_counter("c").add(1)
print(time.monotonic() - began)
"""


def run(**environment: str) -> subprocess.CompletedProcess[str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
    command = [sys.executable, "-c", PROGRAM]
    return subprocess.run(command, env=inherited | environment, capture_output=True, text=True, timeout=60)


def test_arrives() -> None:
    """Traces and metrics, in the name of diglot, or in the one that the variables have."""
    with receiving() as received:
        for named in ({}, {"OTEL_SERVICE_NAME": "mine"}, {"OTEL_RESOURCE_ATTRIBUTES": "a=b,service.name=ours"}):
            ran = run(OTEL_EXPORTER_OTLP_ENDPOINT=received.url, **named)
            assert ran.stderr == ""
    assert {each["service.name"] for each in received.resources} == {"diglot", "mine", "ours"}
    assert len(received.spans) == 9
    assert received.metrics == {"c"}


def test_nothing_is_wanted() -> None:
    """What the variables turn off is not sent."""
    with receiving() as received:
        off = {"OTEL_TRACES_EXPORTER": "none", "OTEL_METRICS_EXPORTER": "NONE"}
        assert run(OTEL_EXPORTER_OTLP_ENDPOINT=received.url, **off).stderr == ""
    assert received.messages == []


def test_a_collector_that_is_down() -> None:
    """One line, however often it is tried, and the process ends soon."""
    ran = run(OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:9")
    (line,) = ran.stderr.splitlines()
    assert line.startswith("OpenTelemetry: ")
    assert float(ran.stdout) < 15


@pytest.fixture
def fresh(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The providers that are set in this process, where none are."""
    made: dict[str, Any] = {}
    logs_proxy = type(_logs.get_logger_provider())
    monkeypatch.setattr(trace, "get_tracer_provider", lambda: made.get("trace", trace.ProxyTracerProvider()))
    monkeypatch.setattr(trace, "set_tracer_provider", lambda provider: made.update(trace=provider))
    meters = metrics.get_meter_provider()
    monkeypatch.setattr(metrics, "get_meter_provider", lambda: made.get("metrics", meters))
    monkeypatch.setattr(metrics, "set_meter_provider", lambda provider: made.update(metrics=provider))
    monkeypatch.setattr(_logs, "get_logger_provider", lambda: made.get("logs", logs_proxy()))
    monkeypatch.setattr(_logs, "set_logger_provider", lambda provider: made.update(logs=provider))
    for name in [name for name in os.environ if name.startswith("OTEL_")]:
        monkeypatch.delenv(name)
    return made


def test_set_up(fresh: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """Traces and metrics; events only if what was said is to be in them."""
    with receiving() as received:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", received.url)
        with otel_setup.running():
            assert {name: type(made) for name, made in fresh.items()} == {
                "trace": TracerProvider,
                "metrics": MeterProvider,
            }
            fresh["trace"].get_tracer("t").start_span("one", attributes={"a": 1}).end()
        assert [(span.name, attributes(span)) for span in received.spans] == [("one", {"a": 1})]
        monkeypatch.setenv(CAPTURE, "event_only")
        with otel_setup.running():
            assert isinstance(fresh["logs"], LoggerProvider)
            fresh["logs"].get_logger("l").emit(_logs.LogRecord(body="said"))
        assert [log.body.string_value for log in received.logs] == ["said"]


def test_set_up_once(fresh: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """An SDK that the process has already is left alone, also at the end; so is what the variables turn off."""
    host = {"trace": TracerProvider(), "metrics": MeterProvider(), "logs": LoggerProvider()}
    fresh.update(host)
    monkeypatch.setenv(CAPTURE, "SPAN_AND_EVENT")
    with otel_setup.running():
        assert fresh == host
    assert host["trace"].get_tracer("t").start_span("x").is_recording()
    fresh.clear()
    for signal in ("TRACES", "METRICS", "LOGS"):
        monkeypatch.setenv(f"OTEL_{signal}_EXPORTER", "none")
    with otel_setup.running():
        assert fresh == {}


def test_complaints(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever an exporter repeats, there is one line a minute, of a bounded length, without credentials."""
    now = [100.0]
    monkeypatch.setattr(otel_setup, "monotonic", lambda: now[0])
    complaints = otel_setup._Complaints()
    for _ in range(100):
        complaints.handle(logging.makeLogRecord({"msg": "x" * 10_000, "levelno": logging.ERROR}))
    for text in ("again", "refused " * 100, "Invalid URL 'http://me:s3cret@:9/v1/traces'"):
        now[0] += 61
        complaints.handle(logging.makeLogRecord({"msg": text, "levelno": logging.ERROR}))
    assert [record.getMessage().removeprefix("OpenTelemetry: ") for record in caplog.records] == [
        "x" * 300 + "...",
        "again",
        " ".join(["refused"] * 37) + "...",
        "Invalid URL 'http://:9/v1/traces'",
    ]
