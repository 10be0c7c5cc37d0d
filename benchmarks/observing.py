"""What do metrics and traces cost: each on against off, per chunk and per exchange? Rows for the question `observe`."""

from __future__ import annotations

import copy
import statistics
from collections.abc import Callable
from typing import Any

from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from prometheus_client import CollectorRegistry

from benchmarks import measure, results, settings
from benchmarks.directions import DIRECTIONS, TITLES, Api, other
from benchmarks.inputs import answers, requests, streams
from benchmarks.inputs.texts import encode
from benchmarks.middleware import App, Application, Client
from diglot.adapters import TranslationMiddleware
from diglot.adapters.observe.metrics import Metrics
from diglot.adapters.observe.traces import Traces

Run = Callable[[], list[bytes]]
UNIT = "microseconds of process CPU time for one chunk, or for one exchange"


class Nowhere(SpanExporter):
    """Takes spans as fast as they come."""

    def export(self, spans: Any) -> SpanExportResult:
        return SpanExportResult.SUCCESS


def metrics(app: Any) -> App:
    measured, counted = Metrics(CollectorRegistry()), copy.copy(app)
    counted.on_exchange = measured.on_exchange
    return measured.requests(counted)


def traces(app: App) -> App:
    tracers = TracerProvider()
    tracers.add_span_processor(BatchSpanProcessor(Nowhere()))
    return Traces(app, tracer_provider=tracers, meter_provider=MeterProvider([InMemoryMetricReader()]))


FEATURES: dict[str, Callable[[Any], App]] = {"metrics": metrics, "traces": traces}
"""Each as a wrapper around the middleware."""


def contestants(app: App, api: Api, body: bytes, times: int) -> dict[str, Run]:
    ours = TranslationMiddleware(app, upstream_api=other(api))
    features = {f"with {name}": Client(wrap(ours), api, body, times).run for name, wrap in FEATURES.items()}
    return {measure.OURS: Client(ours, api, body, times).run, **features}


def cases(api: Api, given: settings.Settings) -> dict[str, tuple[dict[str, Run], int]]:
    count, times = (200, 20) if given.short else (2_000, 100)
    stream = Application(streams.events("text", count, other(api)), b"text/event-stream")
    brief = Application(streams.events("text", 20, other(api)), b"text/event-stream")
    finished = Application([answers.data("text", other(api))], b"application/json")
    asked = encode(streams.asked("text", api))
    small = encode(requests.body(requests.small()._replace(stream=False), api))
    return {
        "text, one chunk": (contestants(stream, api, asked, 1), count),
        "one exchange, a stream of 20 chunks": (contestants(brief, api, asked, times), times),
        "one exchange": (contestants(finished, api, small, times), times),
    }


def main() -> None:
    given = settings.from_command_line()
    found: dict[Api, Any] = {}
    for api in DIRECTIONS:
        found[api] = {}
        for name, (runs, units) in cases(api, given).items():
            rows = measure.compare(runs, given, dict.fromkeys(runs, units))
            off = rows[measure.OURS]["rounds"]
            for contestant, row in rows.items():
                row["x diglot"] = measure.ratio(rows, contestant, measure.OURS)
                row["over off"] = round(statistics.median(a - b for a, b in zip(row["rounds"], off, strict=True)), 3)
                print(f"{name:40} {contestant:16} {row['median']:10.2f} {row['over off']:+10.2f}")
            found[api][name] = {"rows": rows}
        print(TITLES[api])
    results.save("observing", UNIT, given, {"directions": found})


if __name__ == "__main__":
    main()
