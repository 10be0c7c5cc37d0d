"""What does watching cost: each feature on against off, per chunk and per exchange?"""

from __future__ import annotations

import copy
import statistics
from collections.abc import Callable, Iterator
from contextlib import contextmanager
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
from diglot.adapters.middleware import access_log, call, recording
from diglot.adapters.middleware import app as middleware_app
from diglot.adapters.observe.metrics import Metrics
from diglot.adapters.observe.ring import Ring
from diglot.adapters.observe.tap import Tap
from diglot.adapters.observe.traces import Traces

Run = Callable[[], list[bytes]]
UNIT = "microseconds of process CPU time for one chunk, or for one exchange"
UNWATCHABLE = "diglot, without the look-ups"


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


FEATURES: dict[str, Callable[[Any], App]] = {
    "metrics": metrics,
    "traces": traces,
    "tap": lambda app: Tap(app, Ring()),
}
"""What can be switched on, each as a wrapper around the middleware."""
LOOK_UPS: tuple[tuple[Any, str, Any], ...] = (
    (call, "noted", lambda exchange, body, scope, attempt: None),
    (call, "notes_of", lambda scope: None),
    (call, "observed", lambda app, scope: app),
    (middleware_app, "observed", lambda app, scope: app),
    (recording, "notes_of", lambda scope: None),
    (recording, "observers", lambda scope: ()),
    (access_log, "observers", lambda scope: ()),
)
"""What an exchange costs that nobody watches: these are all places that ask whether somebody does."""


@contextmanager
def without_look_ups() -> Iterator[None]:
    before = [(module, name, getattr(module, name)) for module, name, _ in LOOK_UPS]
    for module, name, nothing in LOOK_UPS:
        setattr(module, name, nothing)
    try:
        yield
    finally:
        for module, name, function in before:
            setattr(module, name, function)


def contestants(app: App, api: Api, body: bytes, times: int) -> dict[str, Run]:
    """The middleware as it is, without what watching needs, and with each feature."""
    ours = TranslationMiddleware(app, upstream_api=other(api))
    off = Client(ours, api, body, times)

    def unwatchable() -> list[bytes]:
        with without_look_ups():
            return off.run()

    features = {f"with {name}": Client(wrap(ours), api, body, times).run for name, wrap in FEATURES.items()}
    return {measure.OURS: off.run, UNWATCHABLE: unwatchable, **features}


def compare(title: str, runs: dict[str, Run], units: int, given: settings.Settings) -> dict[str, Any]:
    rows = measure.compare(runs, given, dict.fromkeys(runs, units))
    off = rows[measure.OURS]["rounds"]
    for name, row in rows.items():
        row["x diglot"] = measure.ratio(rows, name, measure.OURS)
        row["over off"] = round(statistics.median(a - b for a, b in zip(row["rounds"], off, strict=True)), 3)
    measure.show(title, rows)
    return {"rows": rows}


def cases(api: Api, given: settings.Settings) -> dict[str, tuple[dict[str, Run], int]]:
    count, times = (200, 20) if given.short else (2_000, 100)
    stream = Application(streams.events("text", count, other(api)), b"text/event-stream")
    brief = Application(streams.events("text", 20, other(api)), b"text/event-stream")
    finished = Application([answers.data("text", other(api))], b"application/json")
    asked = encode(streams.asked("text", api))
    small = encode(requests.body(requests.small()._replace(stream=False), api))
    large = encode(requests.body(requests.codex()._replace(stream=False), api))
    return {
        "text, one chunk": (contestants(stream, api, asked, 1), count),
        "one exchange, a stream of 20 chunks": (contestants(brief, api, asked, times), times),
        "one exchange": (contestants(finished, api, small, times), times),
        "one exchange, request of Codex": (contestants(finished, api, large, max(1, times // 10)), max(1, times // 10)),
    }


def main() -> None:
    given = settings.from_command_line()
    found: dict[Api, Any] = {}
    for api in DIRECTIONS:
        found[api] = {}
        for name, (runs, units) in cases(api, given).items():
            told = [b"".join(run()) for run in runs.values()]
            assert all(len(one) == len(told[0]) for one in told)
            found[api][name] = compare(f"{TITLES[api]}: {name}", runs, units, given)
    results.save("observe", UNIT, given, {"directions": found})


if __name__ == "__main__":
    main()
