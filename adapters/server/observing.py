"""Metrics and traces of the server. Their packages are imported only when somebody wants them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ..asgi.types import App
from ..middleware import access_log
from ..middleware.record import Record
from .config import METRICS_PATH, ConfigError, Settings

if TYPE_CHECKING:
    from ..observe.metrics import CollectorRegistry, Metrics

OnExchange = Callable[[Record], object]
_FOLDER = "_DIGLOT_METRICS_FOLDER"  # passes the folder to the worker processes
_FOLDER_OF_LIBRARY = "PROMETHEUS_MULTIPROC_DIR"  # prometheus_client reads it when it is imported


class Observing:
    """What is measured of the requests of a process, whose settings may be read again; these need a restart.

    Raises ConfigError if a package is missing.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._metrics: Metrics | None = None
        self._users = 0
        self._running = ExitStack()
        try:
            if settings.metrics:
                _set_folder()
                from ..observe.metrics import Metrics

                self._metrics = Metrics.of_server(by_key=settings.metrics_by_key)
            if settings.otel:
                from ..observe import otel_setup, traces  # noqa: F401  # raises what is missing
        except ModuleNotFoundError as error:
            raise ConfigError(str(error)) from None

    @classmethod
    def off(cls) -> Observing:
        """Return one that measures nothing."""
        return cls(Settings())

    def on_exchange(self, others: OnExchange | None) -> OnExchange | None:
        """Return what takes the records of exchanges, for the metrics and for *others*."""
        own = self._metrics and self._metrics.on_exchange
        if own is None or others is None:
            return own or others
        return lambda record: (own(record), others(record))

    def around(self, app: App) -> App:
        """Return *app* as it is served."""
        if self._metrics is not None:
            app = self._metrics.requests(app)
        if self._settings.otel:
            from ..observe.traces import Traces

            app = Traces(app)
        return app

    @property
    def routes(self) -> list[Route]:
        """Where the metrics are, if they are on the port of the server."""
        if self._metrics is None or self._settings.metrics is not True:
            return []
        registry = self._metrics.registry
        if self._settings.workers > 1 and _FOLDER in os.environ:
            from ..observe.metrics import shared_registry

            registry = shared_registry(Path(os.environ[_FOLDER]))

        def metrics(request: Request) -> Response:
            from ..observe.metrics import exposition

            access_log.mark(request.scope, "here", access_log.logging.DEBUG)
            text, media_type = exposition(registry, request.headers.get("accept", ""))
            return Response(text, headers={"content-type": media_type})

        return [Route(METRICS_PATH, metrics)]

    @contextmanager
    def running(self) -> Iterator[None]:
        """Do what takes threads and ports while an application is served, or the next one, which starts before."""
        if not self._users:
            self._begin()
        self._users += 1
        try:
            yield
        finally:
            self._users -= 1
            if not self._users:
                self._running.close()

    def _begin(self) -> None:
        if self._settings.otel:
            from ..observe import otel_setup

            self._running.enter_context(otel_setup.running())
        if self._metrics is not None and self._settings.workers == 1:
            self._running.enter_context(_own_port(self._settings, self._metrics.registry))


def _set_folder() -> None:
    """Have prometheus_client use the folder of this server's processes, and none of somebody else."""
    os.environ.pop(_FOLDER_OF_LIBRARY, None)
    if _FOLDER in os.environ:
        os.environ[_FOLDER_OF_LIBRARY] = os.environ[_FOLDER]


@contextmanager
def in_parent(settings: Settings) -> Iterator[None]:
    """Do what the parent of several workers does: a folder for the metrics of all of them, and their own port."""
    if not settings.metrics or settings.workers == 1:
        yield
        return
    from ..observe.metrics import shared_registry

    with TemporaryDirectory(prefix="diglot-metrics-") as folder:
        os.environ[_FOLDER] = folder
        try:
            with _own_port(settings, shared_registry(Path(folder))):
                yield
        finally:
            del os.environ[_FOLDER]


@contextmanager
def _own_port(settings: Settings, registry: CollectorRegistry) -> Iterator[None]:
    if isinstance(settings.metrics, bool):
        yield
        return
    from ..observe.metrics import on_own_port

    with on_own_port(registry, settings.host, settings.metrics):
        yield
