"""Traces: a span `chat {model}` around each call of the upstream, made by OpenTelemetry's own helper for its
conventions (`opentelemetry-util-genai`), and one around the request of a client whose host makes none.

The process's own SDK is used; without one, nothing is recorded. `otel_setup` is what `diglot serve --otel` does.
"""

from __future__ import annotations

import logging
from importlib import metadata
from typing import Any

from ..missing import with_install_hint

try:
    from opentelemetry import propagate, trace
    from opentelemetry.context import Context, get_current
    from opentelemetry.trace import Span, SpanKind, Status, StatusCode, set_span_in_context
    from opentelemetry.util.genai.handler import TelemetryHandler
    from opentelemetry.util.genai.types import Error
except ModuleNotFoundError as _error:
    raise with_install_hint(_error, "Traces", "otel") from None

from ...translator import Exchange
from ..asgi.types import App, Receive, Scope, Send
from ..error_log import harmless
from ..middleware.notes import Attempt, Notes, notes_of, with_notes
from . import trace_content
from .names import endpoint_of, provider_of

SCOPE = "diglot"
"""The name of the instrumentation."""
WAY, LOSSES, ATTEMPTS, UPSTREAM = "diglot.way", "diglot.losses", "diglot.attempts", "diglot.upstream"
REQUEST_ID = "diglot.request_id"
_CHAT = "/chat/completions"
_WHO = "What traces a request"
_log = logging.getLogger("diglot")
_LONGEST = 200


class Traces:
    """Traces what is asked of *app*, somewhere behind which is a `TranslationMiddleware`.

    The context of the trace comes from the client's headers and goes to the upstream in its place. If the host has
    begun a span for the request (as the ASGI instrumentation does), that is the parent. *providers* are for hosts that
    have other providers than the global ones: `tracer_provider`, `meter_provider`, `logger_provider`.
    """

    def __init__(self, app: App, **providers: Any) -> None:
        version = metadata.version("diglot")
        self._app = app
        self._handler = TelemetryHandler(
            **providers, instrumentation_scope_name=SCOPE, instrumentation_scope_version=version
        )
        self._tracer = trace.get_tracer(SCOPE, version, providers.get("tracer_provider"))
        self._fields = frozenset(name.encode() for name in propagate.get_global_textmap().fields)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if (notes := notes_of(scope)) is None:
            scope = with_notes(scope, notes := Notes())
        own, context = None, get_current()
        if not trace.get_current_span(context).get_span_context().is_valid:
            with harmless(_log, _WHO):
                if carrier := self._carrier(scope):
                    context = propagate.extract(carrier, context)
                own = self._begin(scope, context)
                context = set_span_in_context(own, context)
        traced = trace.get_current_span(context).get_span_context()
        if traced.is_valid:
            notes.trace_id = trace.format_trace_id(traced.trace_id)
        notes.tracer = _Tracer(self._handler, context, self._fields)
        try:
            await self._app(_with_context(scope, context, self._fields), receive, send)
        finally:
            if own is not None:
                with harmless(_log, _WHO):
                    _end(own, notes)

    def _carrier(self, scope: Scope) -> dict[str, str]:
        """What the client's headers say of a context; two headers `traceparent` say nothing, other lists go on."""
        values: dict[bytes, list[bytes]] = {}
        for name, value in scope["headers"]:
            if name in self._fields:
                values.setdefault(name, []).append(value)
        return {name.decode(): b",".join(each).decode("latin-1") for name, each in values.items()}

    def _begin(self, scope: Scope, parent: Context) -> Span:
        """Begin the span of a request; its name has few values, and the path that clients write is no part of it."""
        endpoint, method = endpoint_of(scope["path"]), scope["method"][:_LONGEST]
        attributes = {"http.request.method": method, "http.route": endpoint}
        return self._tracer.start_span(f"{method} {endpoint}", parent, SpanKind.SERVER, attributes)


def _end(span: Span, notes: Notes) -> None:
    attributes: dict[str, Any] = {WAY: notes.handled, ATTEMPTS: len(notes.attempts)}
    if notes.handled == "translated":
        attributes[LOSSES] = notes.losses
    attributes |= {name: value for name, value in ((UPSTREAM, notes.upstream), (REQUEST_ID, notes.request_id)) if value}
    if notes.status:
        attributes["http.response.status_code"] = notes.status
    if notes.status >= 500:
        attributes["error.type"] = str(notes.status)
        span.set_status(Status(StatusCode.ERROR))
    span.set_attributes(attributes)
    span.end()


class _Tracer:
    """Makes the spans of one exchange, as children of what *context* has."""

    def __init__(self, handler: TelemetryHandler, context: Context, fields: frozenset[bytes]) -> None:
        self._handler, self._context, self._fields = handler, context, fields

    def begin(self, exchange: Exchange, body: dict[str, Any], scope: Scope) -> _TracedCall:
        """Begin the span of one call."""
        call = _TracedCall(self._handler, self._context, exchange, body)
        call.scope = _with_context(scope, call.context, self._fields)
        return call


class _TracedCall:
    """One span. It is current for whatever the upstream's client traces itself."""

    scope: Scope

    def __init__(self, handler: TelemetryHandler, context: Context, exchange: Exchange, body: dict[str, Any]) -> None:
        model = exchange.request.get("model")
        self._invocation = invocation = handler.inference(
            provider_of(exchange.profile.name),
            request_model=_plain(model) if isinstance(model, str) else None,
            context=context,
        )
        invocation.request_stream = exchange.streaming or None
        invocation.attributes |= {WAY: "translated", LOSSES: len(exchange.report)}
        self._captures = handler.should_capture_content()
        if self._captures:
            chat = exchange.request if exchange.endpoint == _CHAT else body
            invocation.input_messages = trace_content.messages(chat.get("messages"))
        self.context: Context = invocation.context

    def first_token(self) -> None:
        """Note the first piece of the stream."""
        self._invocation.record_stream_chunk()

    def end(self, answer: dict[str, Any], error: str | None, attempts: list[Attempt]) -> None:
        """End the span."""
        invocation = self._invocation
        invocation.attributes[ATTEMPTS] = len(attempts)
        if attempts and attempts[-1].upstream:
            invocation.attributes[UPSTREAM] = attempts[-1].upstream
        if answer:
            self._take(answer)
        if error is None:
            invocation.stop()
        else:  # the message may have texts in it
            invocation.fail(Error(message=None, type=error))

    def _take(self, answer: dict[str, Any]) -> None:
        invocation, usage = self._invocation, answer.get("usage")
        usage = usage if isinstance(usage, dict) else {}
        invocation.response_id = _text(answer.get("id"))
        invocation.response_model_name = _text(answer.get("model"))
        invocation.input_tokens = _count(usage.get("input_tokens", usage.get("prompt_tokens")))
        invocation.output_tokens = _count(usage.get("output_tokens", usage.get("completion_tokens")))
        invocation.finish_reasons = trace_content.finish_reasons(answer)
        if self._captures:
            invocation.output_messages = trace_content.answered(answer)


def _with_context(scope: Scope, context: Context, fields: frozenset[bytes]) -> Scope:
    """Return *scope* with the context of the trace in its headers, in place of the client's."""
    carrier: dict[str, str] = {}
    propagate.inject(carrier, context)
    headers = [pair for pair in scope["headers"] if pair[0] not in fields]
    headers += [(name.encode(), value.encode("latin-1", "replace")) for name, value in carrier.items()]
    return {**scope, "headers": headers}


def _plain(text: str) -> str:
    text = text[:_LONGEST]
    return text if text.isprintable() else "".join(letter if letter.isprintable() else "?" for letter in text)


def _text(value: Any) -> str | None:
    return _plain(value) if isinstance(value, str) else None


def _count(value: Any) -> int | None:
    return value if value.__class__ is int and value >= 0 else None
