"""The ready-made server: an upstream, the middleware in front of it, and a health check, run by uvicorn."""

from __future__ import annotations

import gc
import logging
import math
import os
import socket
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

import anyio
import msgspec
import uvicorn
from starlette.routing import Router

from ...translator import RequestError
from ..asgi.types import App, Receive, Scope, Send
from ..asgi.websocket import deny, is_websocket, refuse
from ..demo import app as demo_app
from ..middleware import access_log
from ..middleware.record import Record
from ..store import Store
from ..upstream.app import Upstream
from . import banner, inspection, logs, stored_state
from .authentication import Authentication, check_exposure
from .config import Settings, require_upstream
from .guard import Guard
from .keys import Keys, keys_of
from .lifecycle import Life, Signals, delay_of, reloads_held
from .middleware import ServerMiddleware
from .model_settings import tables
from .observing import Observing, in_parent
from .own_routes import own_routes
from .protocol import ConnectionTimers, http_protocol
from .readiness import Check, Readiness, any_of, is_reachable
from .reloading import ReloadableApp, Source, reloaded, source_of
from .shared_store import shared
from .store import OFF, store_of

if TYPE_CHECKING:
    from ..observe.ring import Ring
    from .model_router import ModelRouter

_log = logging.getLogger("diglot")
_SETTINGS, _SOURCE = "_DIGLOT_SETTINGS", "_DIGLOT_SOURCE"  # pass the settings to the worker processes
_MAX_IDLE_WAIT = 2.0
_GC_THRESHOLDS = (10_000, 20, 20)
"""An open stream has hundreds of objects and no garbage: Python's default thresholds would scan them too often."""


def application(
    settings: Settings,
    on_exchange: Callable[[Record], object] | None = None,
    *,
    keys: Keys | None = None,
    life: Life | None = None,
    store: Store | None = None,
    observing: Observing | None = None,
    inspect_token: str | None = None,
    inspect_ring: Ring | None = None,
) -> App:
    """Return the whole server as an ASGI application; raises ValueError for settings that cannot work.

    Without the setting `store` nothing is stored: the default of `diglot serve` is not one of this function. *keys*,
    *life*, *store*, *observing* and *inspect_ring* belong to the process, if it outlives the application; otherwise
    they are made here. Without an *inspect_token*, an inspector makes one and prints its link.
    """
    require_upstream(settings)
    keys = keys if keys is not None else keys_of(settings.api_keys, settings.api_key)
    check_exposure(settings, keys)
    life, observing = life or Life(), observing or Observing(settings)
    on_exchange = observing.on_exchange(on_exchange)
    if (found := tables(settings)) is not None:
        from .model_router import router  # a single upstream needs none

        upstream = middleware = router(settings, found, on_exchange, store)
        replicas = upstream.replicas
        if not settings.upstreams:
            replicas = {banner.answered_by(settings): clients for clients in replicas.values()}
    else:
        upstream = Upstream(settings.upstream, limits=settings.limits) if settings.upstream else None
        middleware = _single(settings, upstream, on_exchange, store)
        replicas = {banner.answered_by(settings): [upstream]} if upstream is not None else {}

    async def is_ready() -> bool:
        return readiness.started and not life.draining and await readiness.reaches_all()

    @asynccontextmanager
    async def lifespan(app: object) -> AsyncIterator[None]:
        async with middleware.running():
            with observing.running():
                readiness.started = True
                yield
                await active.wait_until_idle()
        if upstream is not None:
            await upstream.aclose()

    active = _ActiveRequests(middleware, has_store=settings.store not in (None, OFF))
    readiness = Readiness({name: _reachable(each, settings.ready_path) for name, each in replicas.items()})
    routes = own_routes(settings, middleware, has_keys=keys is not None, is_ready=is_ready) + observing.routes
    served = observing.around(active)
    inspector = inspection.inspected(served, settings, inspect_token, inspect_ring) if settings.inspect else None
    app: App = Router(routes, redirect_slashes=False, default=inspector or served, lifespan=lifespan)
    if keys is not None:
        app = Authentication(app, keys, inspector.owns if inspector is not None else None)
    return access_log.AccessLog(Guard(app, settings.host, settings.allow_host, settings.allow_origin))


def _reachable(replicas: Sequence[Upstream], path: str) -> Check:
    return any_of([partial(is_reachable, replica, path) for replica in replicas])


def _single(
    settings: Settings,
    upstream: Upstream | None,
    on_exchange: Callable[[Record], object] | None,
    store: Store | None,
) -> ServerMiddleware:
    """Return the middleware in front of one upstream, or of the demo."""
    return ServerMiddleware(
        upstream or (demo_app.responses_upstream() if settings.upstream_api == "responses" else demo_app.upstream()),
        profile=settings.as_profile(),
        upstream_api=settings.upstream_api,
        strict=settings.strict,
        limits=settings.limits,
        paths=settings.paths,
        on_exchange=on_exchange,
        store=store or store_of(settings),
        tenant=settings.tenant,
        seal=settings.seal_keys,
    )


class _ActiveRequests:
    """Counts the active requests, which must be over before the server exits after its lifespan.

    Refuses what cannot be served: WebSockets, and without a store requests for what would have to be stored.
    """

    def __init__(self, middleware: ServerMiddleware | ModelRouter, has_store: bool = False) -> None:
        self._middleware, self._has_store = middleware, has_store
        self._count = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._count += 1
        try:
            await self._serve(scope, receive, send)
        finally:
            self._count -= 1

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        if is_websocket(scope):
            await refuse(scope, receive, send)
        elif (error := self._state_error(scope)) is not None:
            await deny(scope, receive, send, error)
        else:
            access_log.mark(scope, "passed")
            await self._middleware(scope, receive, send)

    def _state_error(self, scope: Scope) -> RequestError | None:
        is_in_vain = self._middleware.upstream_api == "chat" and not self._has_store
        return stored_state.state_error(scope) if is_in_vain else None

    async def wait_until_idle(self) -> None:
        """Wait until no request is active, but only briefly."""
        with anyio.move_on_after(_MAX_IDLE_WAIT):
            while self._count:  # noqa: ASYNC110
                await anyio.sleep(0.01)


def from_environment() -> App:
    """Return the application for the settings that run() put into the environment of its workers."""
    settings = msgspec.json.decode(os.environ[_SETTINGS], type=Settings)
    source = msgspec.json.decode(os.environ.get(_SOURCE) or "null", type=Source | None)
    life, kept = Life(), store_of(settings)
    store = shared(kept) if kept is not None else None
    token, ring = inspection.token_from_environment(), inspection.ring_of_process(settings)
    observing = Observing(settings)

    def build(settings: Settings, keys: Keys | None) -> App:
        return application(
            settings,
            keys=keys,
            life=life,
            store=store,
            observing=observing,
            inspect_token=token,
            inspect_ring=ring,
        )

    app = ReloadableApp(settings, build, _use_limits)
    _use_limits(settings)
    gc.set_threshold(*_GC_THRESHOLDS)
    gc.freeze()  # what exists by now stays

    reload = partial(app.reload, source or source_of({}, None, settings))
    signals = Signals(
        life,
        lambda: delay_of(app.settings.drain_delay, settings.host),
        settings.graceful,
        reload,
        worker=settings.workers > 1,
    )
    return life.counted(signals.around(app))


def _use_limits(settings: Settings) -> None:
    """Connections have the limits of the settings that are served."""
    ConnectionTimers.limits = settings.limits


def run(settings: Settings, source: Source | None = None) -> None:
    """Serve until a signal arrives; then let running answers finish for a while, and end the others as failed.

    The settings are read again from their *source* at SIGHUP.
    """
    os.environ[_SETTINGS] = msgspec.json.encode(settings).decode()
    os.environ[_SOURCE] = msgspec.json.encode(source).decode()
    arguments: dict[str, Any] = {
        "app": f"{__name__}:{from_environment.__name__}",
        "factory": True,
        "timeout_graceful_shutdown": math.ceil(settings.graceful),
        "workers": settings.workers,
        "host": settings.host,
        "port": settings.port,
        **_common(settings),
    }
    if settings.workers == 1:
        with reloads_held():
            uvicorn.run(**arguments)
        return
    from .supervisor import supervise

    with in_parent(settings):
        supervise(uvicorn.Config(**arguments), partial(_may_reload, source or source_of({}, None, settings)))


def _may_reload(source: Source) -> bool:
    """Check the settings for the workers, and keep them for those that are started later."""
    running = msgspec.json.decode(os.environ[_SETTINGS], type=Settings)
    try:
        settings = reloaded(source, running)
        application(settings, observing=Observing.off(), inspect_token=inspection.token_from_environment())
    except ValueError as error:
        _log.error("Reload: refused, nothing has changed: %s", error)
        return False
    os.environ[_SETTINGS] = msgspec.json.encode(settings).decode()
    return True


def _common(settings: Settings) -> dict[str, Any]:
    """Return the settings of uvicorn, which chooses the fastest event loop that is installed."""
    level = "warning" if settings.quiet and settings.log_level in ("debug", "info") else settings.log_level
    terminal = sys.stderr.isatty()
    form = settings.log_format or ("text" if terminal else "json")
    return {
        "access_log": False,
        "http": http_protocol(),
        "proxy_headers": False,
        "log_level": level,
        "log_config": logs.configuration(level, form, colour=terminal and "NO_COLOR" not in os.environ),
        "server_header": False,
        "ws": "none",
    }


def free_port(host: str, port: int = 0) -> int:
    """Return *port*, or a free one for 0; raises OSError with a message for the user if the port is in use."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        if os.name == "posix":  # as the server does
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise OSError(f"cannot listen on {host} port {port}: {error.strerror or error}") from None
        return probe.getsockname()[1]


@asynccontextmanager
async def on_loopback(app: App) -> AsyncIterator[str]:
    """Run a real server for *app* on a free loopback port while the context lasts; yields its URL."""
    with socket.socket(proto=socket.IPPROTO_TCP) as listening:  # otherwise asyncio sends small pieces late
        listening.bind(("127.0.0.1", 0))
        config = uvicorn.Config(
            app, timeout_graceful_shutdown=1, access_log=False, log_config=None, ws="none", http=http_protocol()
        )
        server = uvicorn.Server(config)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(server.serve, [listening])
            while not server.started:  # noqa: ASYNC110  # uvicorn has no event for it
                await anyio.sleep(0.01)
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
            server.should_exit = True
