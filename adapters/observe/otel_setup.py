"""OpenTelemetry's SDK for `diglot serve --otel`: traces and metrics over OTLP/HTTP, by the standard variables.

https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/ lists them.
"""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import metadata as packages
from threading import Thread
from time import monotonic

from ..missing import with_install_hint

try:
    from opentelemetry import _logs, metrics, trace
    from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
    from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk._logs import LoggerProvider
    from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor
except ModuleNotFoundError as _error:
    raise with_install_hint(_error, "--otel", "otel") from None

_PATIENCE = 2.0
"""Seconds that the last spans may take to leave when the server stops."""
_QUIET = 60.0
_LONGEST = 300
_CAPTURE = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"
_WITH_EVENTS = ("EVENT_ONLY", "SPAN_AND_EVENT")
_EXPORTERS = "opentelemetry.exporter"
_SDK = "opentelemetry.sdk"
_CREDENTIALS = re.compile(r"//[^\s/]*@")
"""Those in a URL, which some complaints contain."""
_log = logging.getLogger("diglot")


@contextmanager
def running() -> Iterator[None]:
    """Set up what the process has not set up itself, and flush it at the end, for a few seconds at most."""
    resource = Resource.create({"service.name": "diglot", "service.version": packages.version("diglot")} | _named())
    made = [provider for make in (_tracing, _metering, _logging) if (provider := make(resource)) is not None]
    filters = _Complaints()
    sources = [logging.getLogger(name) for name in (_EXPORTERS, _SDK)]
    for source in sources:
        source.addHandler(filters)
        source.propagate = False
    try:
        yield
    finally:
        flushing = [Thread(target=provider.shutdown, daemon=True) for provider in made]
        for thread in flushing:
            thread.start()
        until = monotonic() + _PATIENCE
        for thread in flushing:
            thread.join(max(0.0, until - monotonic()))
        for source in sources:
            source.removeHandler(filters)
            source.propagate = True


def _named() -> dict[str, str]:
    """The name that the environment has for the service, which goes before ours."""
    pairs = (pair.partition("=") for pair in os.environ.get("OTEL_RESOURCE_ATTRIBUTES", "").split(","))
    named = {name.strip(): value.strip() for name, _, value in pairs if name.strip() == "service.name"}
    return named | ({"service.name": name} if (name := os.environ.get("OTEL_SERVICE_NAME")) else {})


def _wants(signal: str) -> bool:
    return os.environ.get(f"OTEL_{signal}_EXPORTER", "otlp").strip().lower() != "none"


def _tracing(resource: Resource) -> TracerProvider | None:
    if not _wants("TRACES") or not isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider):
        return None
    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
    return provider


def _metering(resource: Resource) -> MeterProvider | None:
    if not _wants("METRICS") or type(metrics.get_meter_provider()).__name__ != "_ProxyMeterProvider":
        return None
    provider = MeterProvider([PeriodicExportingMetricReader(OTLPMetricExporter())], resource, shutdown_on_exit=False)
    metrics.set_meter_provider(provider)
    return provider


def _logging(resource: Resource) -> LoggerProvider | None:
    if os.environ.get(_CAPTURE, "").strip().upper() not in _WITH_EVENTS:
        return None
    if not _wants("LOGS") or type(_logs.get_logger_provider()).__name__ != "ProxyLoggerProvider":
        return None
    provider = LoggerProvider(resource, shutdown_on_exit=False)
    provider.add_log_record_processor(BatchLogRecordProcessor(OTLPLogExporter()))
    _logs.set_logger_provider(provider)
    return provider


class _Complaints(logging.Handler):
    """Passes on what exporters complain about, at most once a minute: they repeat it at each try."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self._next = 0.0

    def emit(self, record: logging.LogRecord) -> None:
        """Log it, without its traceback."""
        if monotonic() >= self._next:
            self._next = monotonic() + _QUIET
            _log.warning("OpenTelemetry: %s", _shortened(_CREDENTIALS.sub("//", record.getMessage())))


def _shortened(text: str) -> str:
    """Cut a long *text* after a word."""
    if len(text) <= _LONGEST:
        return text
    start = text[:_LONGEST]
    return f"{start.rpartition(' ')[0] or start}..."
