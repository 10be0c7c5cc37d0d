"""Spans: one around the request, one around each call of the upstream, under the conventions' names."""

import json
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from diglot.adapters import Limits, Record, TranslationMiddleware, Upstream
from diglot.adapters.middleware.access_log import AccessLog
from diglot.adapters.observe.traces import Traces

pytestmark = pytest.mark.anyio

CAPTURE = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"
TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
HEADERS = {"traceparent": f"00-{TRACE}-{PARENT}-01", "tracestate": "a=b", "baggage": "k=v"}
ASK = {"model": "m", "input": "a secret"}
STREAM = {**ASK, "stream": True}
CALL_NAMES = {
    *("gen_ai.operation.name", "gen_ai.provider.name", "gen_ai.request.model", "gen_ai.response.model"),
    *("gen_ai.response.id", "gen_ai.response.finish_reasons", "gen_ai.usage.input_tokens"),
    *("gen_ai.usage.output_tokens", "gen_ai.request.stream", "gen_ai.response.time_to_first_chunk"),
    *("diglot.way", "diglot.losses", "diglot.attempts"),
}
"""All attributes of the span of a call. A new version of opentelemetry-util-genai may rename some: then this fails."""
REQUEST_NAMES = {
    *("http.request.method", "http.route", "http.response.status_code"),
    *("diglot.way", "diglot.losses", "diglot.attempts", "diglot.request_id"),
}
METRIC_NAMES = {
    *("gen_ai.client.operation.duration", "gen_ai.client.token.usage"),
    "gen_ai.client.operation.time_to_first_chunk",
}


class Host:
    """A process with an SDK of its own, and what it has recorded."""

    def __init__(self, app: Any, **options: Any) -> None:
        self.exporter = InMemorySpanExporter()
        self.reader = InMemoryMetricReader()
        self.tracers = TracerProvider()
        self.tracers.add_span_processor(SimpleSpanProcessor(self.exporter))
        self.records: list[Record] = []
        self.inner = app
        middleware = TranslationMiddleware(app, on_exchange=self.records.append, **options)
        self.app = Traces(middleware, tracer_provider=self.tracers, meter_provider=MeterProvider([self.reader]))

    def spans(self, kind: SpanKind) -> list[Any]:
        return [span for span in self.exporter.get_finished_spans() if span.kind is kind]

    @property
    def call(self) -> Any:
        (span,) = self.spans(SpanKind.CLIENT)
        return span

    @property
    def metrics(self) -> set[str]:
        data = self.reader.get_metrics_data()
        assert data is not None
        return {m.name for r in data.resource_metrics for s in r.scope_metrics for m in s.metrics}


async def test_names(talk: Any, chat: Any, frame: Any, hello: list[bytes]) -> None:
    """Of spans, attributes and metrics: all of them, and no others; nothing that was said."""
    usage = frame(usage={"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7})
    host = Host(chat(*hello[:-1], usage, hello[-1]), profile="azure")
    await talk(AccessLog(host.app), STREAM, headers=HEADERS).run()
    (request,) = host.spans(SpanKind.SERVER)
    assert (host.call.name, request.name) == ("chat m", "POST /responses")
    assert set(host.call.attributes) == CALL_NAMES
    assert set(request.attributes) == REQUEST_NAMES
    assert host.metrics == METRIC_NAMES
    assert host.call.attributes["gen_ai.provider.name"] == "azure.ai.openai"
    assert host.call.attributes["gen_ai.response.finish_reasons"] == ("stop",)
    assert (host.call.attributes["diglot.way"], host.call.attributes["diglot.losses"]) == ("translated", 0)
    assert host.call.attributes["gen_ai.usage.input_tokens"] == 3
    assert host.call.instrumentation_scope.name == "diglot"
    assert "secret" not in host.call.to_json() + request.to_json()


async def test_one_trace(talk: Any, chat: Any, hello: list[bytes]) -> None:
    """From the client, through both spans, to the upstream, and into the log line."""
    host = Host(chat(*hello))
    await talk(host.app, STREAM, headers=HEADERS).run()
    (request,) = host.spans(SpanKind.SERVER)
    assert f"{request.parent.span_id:016x}" == PARENT
    assert host.call.parent.span_id == request.context.span_id
    sent = dict(host.inner.scopes[0]["headers"])
    assert sent[b"traceparent"].decode() == f"00-{TRACE}-{host.call.context.span_id:016x}-01"
    assert (sent[b"tracestate"], sent[b"baggage"]) == (b"a=b", b"k=v")
    assert [name for name, _ in host.inner.scopes[0]["headers"]].count(b"traceparent") == 1
    assert host.records[0].trace_id == TRACE


@pytest.mark.parametrize(
    "headers",
    [{}, {"traceparent": "00-" + "0" * 32 + f"-{PARENT}-01"}, {"traceparent": "x" * 10**6, "tracestate": "y" * 10**6}],
)
async def test_forged(talk: Any, chat: Any, hello: list[bytes], headers: dict[str, str]) -> None:
    """What is no context begins a new trace, and goes no further."""
    host = Host(chat(*hello))
    await talk(host.app, STREAM, headers=headers).run()
    sent = dict(host.inner.scopes[0]["headers"])
    assert sent[b"traceparent"].decode()[3:35] == host.records[0].trace_id == f"{host.call.context.trace_id:032x}"
    assert b"tracestate" not in sent


async def test_a_span_of_the_host(talk: Any, chat: Any, hello: list[bytes]) -> None:
    """Whoever traces requests already (the ASGI instrumentation) is the parent: there is no second span."""
    host = Host(chat(*hello))

    async def instrumented(scope: Any, receive: Any, send: Any) -> None:
        with trace.get_tracer("host", tracer_provider=host.tracers).start_as_current_span("GET /"):
            await host.app(scope, receive, send)

    await talk(instrumented, STREAM, headers=HEADERS).run()
    assert host.spans(SpanKind.SERVER) == []
    (outer,) = host.spans(SpanKind.INTERNAL)
    assert host.call.parent.span_id == outer.context.span_id


async def test_without_an_sdk(talk: Any, chat: Any, hello: list[bytes]) -> None:
    """Nothing is recorded; the client's context goes to the upstream."""
    app = chat(*hello)
    await talk(Traces(TranslationMiddleware(app)), STREAM, headers=HEADERS).run()
    assert dict(app.scopes[0]["headers"])[b"traceparent"].decode() == HEADERS["traceparent"]
    await talk(Traces(TranslationMiddleware(app)), STREAM).run()
    assert b"traceparent" not in dict(app.scopes[1]["headers"])


async def test_several_calls(talk: Any, responses_side: Any, chat: Any) -> None:
    """Each choice has a span; all are children of the request's."""
    host = Host(chat(responses_side.whole, kind="application/json"), upstream_api="responses")
    await talk(host.app, {**responses_side.ask, "n": 3}, path="/v1/chat/completions").run()
    (request,) = host.spans(SpanKind.SERVER)
    assert {span.parent.span_id for span in host.spans(SpanKind.CLIENT)} == {request.context.span_id}
    assert len(host.spans(SpanKind.CLIENT)) == request.attributes["diglot.attempts"] == 3
    assert request.attributes["diglot.losses"] > 0


async def test_an_error(talk: Any, chat: Any) -> None:
    """Its code, but not its message, which may repeat what was said."""
    answer = b'{"error":{"message":"a secret","code":"overloaded"}}'
    host = Host(chat(answer, status=503, kind="application/json"))
    await talk(host.app, STREAM).run()
    (request,) = host.spans(SpanKind.SERVER)
    assert host.call.attributes["error.type"] == "overloaded"
    assert host.call.status.status_code is request.status.status_code is StatusCode.ERROR
    assert request.attributes["error.type"] == "503"
    assert "secret" not in host.call.to_json() + request.to_json()


async def test_the_upstream_is_named(talk: Any) -> None:
    """By its address, without credentials."""
    upstream = Upstream("http://user:pass@127.0.0.1:9", limits=Limits())
    host = Host(upstream)
    await talk(host.app, STREAM).run()
    await upstream.aclose()
    (request,) = host.spans(SpanKind.SERVER)
    assert host.call.attributes["diglot.upstream"] == request.attributes["diglot.upstream"] == "127.0.0.1:9"
    assert host.call.attributes["error.type"] == "upstream_unreachable"


async def test_models_are_bounded(talk: Any, chat: Any, hello: list[bytes]) -> None:
    """Long ones are cut, and control characters are left out."""
    for model in ("x" * 1024, "a\n\x1b[31m"):
        host = Host(chat(*hello))
        got = await talk(host.app, {**STREAM, "model": model}).run()
        assert got.status == 200, got.body[:300]
        assert len(host.call.name) <= 205
        assert host.call.name.isprintable()


async def test_passed_through(talk: Any, chat: Any, hello: list[bytes]) -> None:
    """It has the span of the request only, and its context goes on, too."""
    host = Host(chat(*hello))
    body = {"model": "m", "messages": []}
    await talk(AccessLog(host.app), body, path="/v1/chat/completions", headers=HEADERS).run()
    (request,) = host.spans(SpanKind.SERVER)
    assert host.spans(SpanKind.CLIENT) == []
    assert request.attributes["diglot.way"] == "passed"
    assert "diglot.losses" not in request.attributes
    sent = dict(host.inner.scopes[0]["headers"])[b"traceparent"].decode()
    assert sent == f"00-{TRACE}-{request.context.span_id:016x}-01"


async def test_other_connections(talk: Any) -> None:
    """A lifespan is no request."""
    seen: list[Any] = []

    async def app(*call: Any) -> None:
        seen.append(call[0]["type"])

    await talk(Traces(app), type="lifespan").run()
    assert seen == ["lifespan"]


@pytest.mark.parametrize("upstream_api", ["chat", "responses"])
async def test_content(
    talk: Any, chat: Any, completion: bytes, responses_side: Any, monkeypatch: pytest.MonkeyPatch, upstream_api: Any
) -> None:
    """Only if the variable says so, and from the chat side, whichever that is."""
    monkeypatch.setenv(CAPTURE, "SPAN_ONLY")
    is_chat = upstream_api == "chat"
    answer = completion if is_chat else responses_side.whole
    host = Host(chat(answer, kind="application/json"), upstream_api=upstream_api)
    body, path = (ASK, "/v1/responses") if is_chat else (responses_side.ask, "/v1/chat/completions")
    await talk(host.app, body, path=path).run()
    said = json.loads(host.call.attributes["gen_ai.input.messages"])
    heard = json.loads(host.call.attributes["gen_ai.output.messages"])
    assert [(message["role"], message["parts"][0]["content"]) for message in said] == [
        ("user", "a secret" if is_chat else "hi")
    ]
    assert heard[0]["parts"] == [{"type": "text", "content": "Hello"}]


async def test_the_client_leaves(talk: Any, chat: Any) -> None:
    """That is no error of the upstream; there is no status."""
    host = Host(chat(3600))
    asked = talk(host.app, STREAM)
    asked.gone.set()
    await asked.run()
    (request,) = host.spans(SpanKind.SERVER)
    assert "error.type" not in host.call.attributes
    assert "http.response.status_code" not in request.attributes


async def test_strange_answers(talk: Any, chat: Any) -> None:
    """Whatever types an upstream sends, the span ends."""
    answer = {
        "id": 5,
        "model": ["m"],
        "usage": [1],
        "choices": [{"message": {"content": "x"}, "finish_reason": "stop"}],
    }
    host = Host(chat(json.dumps(answer).encode(), kind="application/json"))
    await talk(host.app, ASK).run()
    assert "gen_ai.usage.input_tokens" not in host.call.attributes


@pytest.mark.parametrize("cut", [False, True])
async def test_the_content_of_a_stream(
    talk: Any, chat: Any, hello: list[bytes], monkeypatch: pytest.MonkeyPatch, cut: bool
) -> None:
    """What the answer repeats of the request is kept encoded there; one that failed says what it has."""
    monkeypatch.setenv(CAPTURE, "SPAN_ONLY")
    host = Host(chat(*(hello[:-2] if cut else hello)))
    got = await talk(host.app, {**STREAM, "tools": [], "metadata": {"a": "b"}}).run()
    assert (b"response.failed" if cut else b"response.completed") in got.body
    (heard,) = json.loads(host.call.attributes["gen_ai.output.messages"])
    assert heard["parts"] == [{"type": "text", "content": "Hello"}]
    assert heard["finish_reason"] == ("error" if cut else "stop")
    assert len(host.records) == 1


@pytest.mark.parametrize("when", ["on_start", "on_end"])
async def test_a_processor_that_raises(
    talk: Any, chat: Any, hello: list[bytes], caplog: pytest.LogCaptureFixture, when: str
) -> None:
    """The host's processors of spans may do anything: the client has its answer, and the exchange its record."""

    class Broken(SpanProcessor):
        def __getattribute__(self, name: str) -> Any:
            if name == when:
                raise ZeroDivisionError
            return super().__getattribute__(name)

    host = Host(chat(*hello))
    host.tracers.add_span_processor(Broken())
    got = await talk(host.app, STREAM).run()
    assert b"response.completed" in got.body
    assert [record.outcome for record in host.records] == ["completed"]
    assert caplog.text.count("ZeroDivisionError") >= 2


async def test_headers_that_come_twice(talk: Any, chat: Any, hello: list[bytes]) -> None:
    """Two parents are none (W3C, 3.2.2.1), and lists in two headers are one list."""
    host = Host(chat(*hello))
    asked = talk(host.app, STREAM, headers=HEADERS)
    asked.scope["headers"] += [(b"tracestate", b"c=d"), (b"baggage", b"e=f")]
    await asked.run()
    sent = dict(host.inner.scopes[0]["headers"])
    assert (sent[b"tracestate"], sent[b"baggage"]) == (b"a=b,c=d", b"k=v,e=f")
    asked = talk(host.app, STREAM, headers=HEADERS)
    asked.scope["headers"] += [(b"traceparent", f"00-{TRACE}-{PARENT}-01".encode())]
    await asked.run()
    first, second = host.spans(SpanKind.SERVER)
    assert f"{first.context.trace_id:032x}" == TRACE
    assert second.parent is None
