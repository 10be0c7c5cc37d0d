"""Metrics of exchanges for Prometheus: `Metrics(registry)` for a mounted middleware, and what serves them."""

from __future__ import annotations

import os
import re
from collections import Counter as Counts
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from importlib import metadata
from pathlib import Path
from typing import Any

from ..missing import with_install_hint

try:
    from prometheus_client import (
        REGISTRY,
        CollectorRegistry,
        Counter,
        Gauge,
        Histogram,
        disable_created_metrics,
        start_http_server,
    )
    from prometheus_client.exposition import choose_encoder
    from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead
except ModuleNotFoundError as _error:
    raise with_install_hint(_error, "Metrics", "metrics") from None

from ...translator import table_field
from ..asgi.types import KEY_NAME, App, Receive, Scope, Send
from ..middleware.notes import Notes, notes_of, with_notes
from ..middleware.record import Record
from . import names
from .names import CHAT, OTHER, TOKEN_TYPES, Metric

_MOST_MODELS, _MOST_ERRORS = 100, 50
_LONGEST = 200
_OTHER_ERROR = "_OTHER"  # the conventions' word
_APPLICATION = "application"
_DIRECTIONS = {"/chat/completions": "to_responses"}
_COUNTS = (
    (("input_tokens",), ("prompt_tokens",)),
    (("output_tokens",), ("completion_tokens",)),
    (("input_tokens_details", "cached_tokens"), ("prompt_tokens_details", "cached_tokens")),
    (("output_tokens_details", "reasoning_tokens"), ("completion_tokens_details", "reasoning_tokens")),
)
"""Where each of TOKEN_TYPES is in the usage of either API."""
_LIVE_FILE = re.compile(r"gauge_live\w*_(\d+)\.db")


class Metrics:
    """Counts exchanges in a *registry* of prometheus_client, by default its global one.

    Give `on_exchange` to a `TranslationMiddleware`; `requests` wraps an application to count what is passed through,
    and what is in progress. The names of models come from clients: the first 100 that were answered are labels.
    *by_key* tells requests and tokens by the names of the clients' keys, where the server checks keys.
    """

    def __init__(self, registry: CollectorRegistry | None = None, *, by_key: bool = False) -> None:
        self.registry: CollectorRegistry = REGISTRY if registry is None else registry
        self._by_key = by_key
        more = {metric.name: (names.KEY,) for metric in names.BY_KEY} if by_key else {}
        made = {metric.name: _made(metric, self.registry, more.get(metric.name, ())) for metric in names.METRICS}
        self._made = made
        self._models, self._answering = _BoundedNames(_MOST_MODELS, OTHER), _BoundedNames(_MOST_MODELS, OTHER)
        self._errors = _BoundedNames(_MOST_ERRORS, _OTHER_ERROR)
        self._children: dict[tuple[str, ...], Any] = {}
        made[names.BUILD.name].labels(metadata.version("diglot")).set(1)

    @classmethod
    def of_server(cls, *, by_key: bool = False) -> Metrics:
        """Return those of a process that serves nothing else: without series that say when others were made."""
        disable_created_metrics()
        return cls(CollectorRegistry(), by_key=by_key)

    def on_exchange(self, record: Record) -> None:
        """Count a translated exchange that is over."""
        labels, whose, first_token = self._common_labels(record), self._whose(record.key), record.first_token
        error = self._errors.label(_error_type(record), True)
        self._child(names.DURATION, *labels, error).observe(record.duration)
        if first_token is not None and not error:
            self._child(names.FIRST_TOKEN, *labels).observe(first_token)
        for kind, count in _tokens(record.usage):
            self._child(names.TOKENS, *labels, kind, *whose).observe(count)
            if kind == "output" and count > 1 and first_token is not None and not error:
                self._child(names.OUTPUT_TOKEN, *labels).observe((record.duration - first_token) / (count - 1))
        self._child(names.REQUESTS, names.endpoint_of(record.path), "translated", record.outcome, *whose).inc()
        self._child(names.TRANSLATION, "request").observe(record.request_seconds)
        if record.answer_seconds:
            self._child(names.TRANSLATION, "answer").observe(record.answer_seconds)
        self._count_attempts(record.attempts)
        direction = _DIRECTIONS.get(record.endpoint, "to_chat")
        for (field, kind), count in Counts((table_field(loss.path), loss.kind) for loss in record.losses).items():
            self._child(names.LOSSES, field, kind, direction).inc(count)
        for setting in record.adaptations:
            self._child(names.ADAPTATIONS, setting).inc()

    def requests(self, app: App) -> App:
        """Return *app* so that its requests are counted: those in progress, and those that are passed through."""

        async def counted(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] != "http":
                await app(scope, receive, send)
                return
            if (notes := notes_of(scope)) is None:
                scope = with_notes(scope, notes := Notes())
            endpoint = names.endpoint_of(scope["path"])
            in_progress = self._child(names.IN_PROGRESS, endpoint)
            in_progress.inc()
            returned = False
            try:
                await app(scope, receive, send)
                returned = True
            finally:
                in_progress.dec()
                if notes.handled == "passed":
                    whose = self._whose(scope.get(KEY_NAME))
                    self._child(names.REQUESTS, endpoint, "passed", _outcome(notes, returned), *whose).inc()
                self._count_attempts(notes.attempts[notes.recorded :])

        return counted

    def _whose(self, key: str | None) -> tuple[str, ...]:
        return (key or "",) if self._by_key else ()

    def _count_attempts(self, attempts: Any) -> None:
        for attempt in attempts:
            self._child(names.ATTEMPTS, attempt.upstream or _APPLICATION, attempt.result).inc()

    def _common_labels(self, record: Record) -> tuple[str, ...]:
        answered = record.status == 200
        return (
            CHAT,
            names.provider_of(record.profile),
            self._models.label(record.model, answered),
            self._answering.label(record.response_model, answered),
        )

    def _child(self, metric: Metric, *labels: str) -> Any:
        """The time series with these labels: looking it up in the client takes longer than counting."""
        key = (metric.name, *labels)
        child = self._children.get(key)
        if child is None:
            child = self._children[key] = self._made[metric.name].labels(*labels)
        return child


class _BoundedNames:
    """Names that somebody else chooses, as values of a label: so many, then *other*."""

    def __init__(self, most: int, other: str) -> None:
        self._most, self._other = most, other
        self._names: set[str] = set()

    def label(self, name: str | None, may_be_new: bool) -> str:
        """Return the label for a name; empty for none."""
        if not name or name in self._names:
            return name or ""
        if not may_be_new or len(self._names) >= self._most or len(name) > _LONGEST or not name.isprintable():
            return self._other
        self._names.add(name)
        return name


def _made(metric: Metric, registry: CollectorRegistry, more: tuple[str, ...]) -> Any:
    labels = (*metric.labels, *more)
    if metric.kind == "counter":
        return Counter(metric.name, metric.about, labels, registry=registry)
    if metric.kind == "gauge":
        mode = "max" if metric is names.BUILD else "livesum"
        return Gauge(metric.name, metric.about, labels, registry=registry, multiprocess_mode=mode)
    return Histogram(metric.name, metric.about, labels, registry=registry, buckets=metric.buckets)


def _tokens(usage: Mapping[str, Any]) -> Iterator[tuple[str, int]]:
    """Yield the counts that the upstream has sent; it may have sent anything."""
    for kind, places in zip(TOKEN_TYPES, _COUNTS, strict=True):
        for place in places:
            count: Any = usage
            for name in place:
                count = count.get(name) if isinstance(count, dict) else None
            if count.__class__ is int and count >= 0:
                yield kind, count
                break


def _error_type(record: Record) -> str | None:
    if record.error or record.outcome in ("completed", "incomplete"):
        return record.error
    return record.outcome


def _outcome(notes: Notes, returned: bool) -> str:
    """How a request ended that was passed through, in the words of `Record.outcome`.

    An application that *returned* without the end of its answer had nobody to send it to; after a cut it raises.
    """
    if notes.status >= 400:
        return "refused"
    if notes.status and notes.complete:
        return "completed"
    return "disconnected" if returned or not notes.status else "failed"


# What serves them


def exposition(registry: CollectorRegistry, accept: str) -> tuple[bytes, str]:
    """Return all metrics as text, and its media type; *accept* is the header of the request."""
    try:
        encode, media_type = choose_encoder(accept)
    except (TypeError, ValueError):  # of a version that is no number
        encode, media_type = choose_encoder("")
    return encode(registry), media_type


def shared_registry(folder: Path) -> CollectorRegistry:
    """Return the registry of all processes that share a *folder*."""
    registry = CollectorRegistry()
    registry.register(_Shared(folder))
    return registry


class _Shared:
    """The metrics of all processes, without what those are doing that are gone."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._collector = MultiProcessCollector(None, str(folder))

    def collect(self) -> Any:
        """Return all metrics."""
        for file in self._folder.glob("gauge_live*.db"):
            match = _LIVE_FILE.fullmatch(file.name)
            if match is not None and not _is_running(int(match[1])):
                with suppress(FileNotFoundError):  # somebody else asks for the metrics at the same time
                    mark_process_dead(int(match[1]), str(self._folder))
        return self._collector.collect()


def _is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


@contextmanager
def on_own_port(registry: CollectorRegistry, host: str, port: int) -> Iterator[None]:
    """Serve the metrics on a port of their own while the context lasts; raises OSError."""
    server, thread = start_http_server(port, host, registry)
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
