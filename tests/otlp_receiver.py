"""An OTLP/HTTP receiver that keeps what it gets, for tests."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

_MESSAGES: dict[str, Any] = {
    "/v1/traces": ExportTraceServiceRequest,
    "/v1/metrics": ExportMetricsServiceRequest,
    "/v1/logs": ExportLogsServiceRequest,
}


class Received:
    """What has arrived."""

    def __init__(self, port: int) -> None:
        self.url: str = f"http://127.0.0.1:{port}"
        self.messages: list[Any] = []

    @property
    def resources(self) -> list[dict[str, Any]]:
        return [attributes(group.resource) for message in self.messages for group in _parts(message, "resource_")]

    @property
    def spans(self) -> list[Any]:
        return self._all("spans")

    @property
    def metrics(self) -> set[str]:
        return {metric.name for metric in self._all("metrics")}

    @property
    def logs(self) -> list[Any]:
        return self._all("log_records")

    def _all(self, kind: str) -> list[Any]:
        groups = [group for message in self.messages for group in _parts(message, "resource_")]
        scopes = [scope for group in groups for scope in _parts(group, "scope_")]
        return [each for scope in scopes for each in getattr(scope, kind, ())]


def attributes(owner: Any) -> dict[str, Any]:
    """The attributes of a span or a resource."""
    return {pair.key: getattr(pair.value, pair.value.WhichOneof("value")) for pair in owner.attributes}


def _parts(owner: Any, beginning: str) -> list[Any]:
    """What is in the list whose name begins so, as in `resource_spans` and `scope_metrics`."""
    (name,) = (field.name for field in owner.DESCRIPTOR.fields if field.name.startswith(beginning))
    return list(getattr(owner, name))


@contextmanager
def receiving() -> Iterator[Received]:
    """Run the receiver on a free port of loopback."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            assert self.headers["content-type"] == "application/x-protobuf"
            received.messages.append(_MESSAGES[self.path].FromString(body))
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    received = Received(server.server_port)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield received
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
