"""The upstreams of `[upstreams]`: the replicas of each, and the middleware in front of them."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from ...translator import Profile, public_url
from ..asgi.types import MODEL_ROUTE, App, Headers, Scope
from ..middleware.call import TranslatedRequest
from ..middleware.endpoint_check import DetectionError
from ..middleware.record import Record
from ..store import Store
from ..upstream.app import Upstream
from ..upstream.renaming import Renaming
from ..upstream.replicas import Replica, Replicas
from .config import Settings, profile_of_upstream
from .middleware import ServerMiddleware
from .model_settings import Tables, UpstreamSettings
from .setting_values import ConfigError
from .store import store_of


class ServedUpstream(NamedTuple):
    """One of them."""

    name: str
    middleware: UpstreamMiddleware
    app: App
    """All its replicas, behind no middleware."""
    clients: list[Upstream]
    """Each replica."""


class UpstreamMiddleware(ServerMiddleware):
    """The middleware of one upstream; its *replicas* get to know who has answered."""

    def __init__(self, app: App, *, replicas: Replicas | None, **settings: Any) -> None:
        super().__init__(app, **settings)
        self.replicas: Replicas | None = replicas

    async def _serve(self, request: TranslatedRequest[bytes], scope: Scope, failure: DetectionError | None) -> None:
        try:
            await super()._serve(request, scope, failure)
        finally:
            answered, route = request.answer.get("id"), scope.get(MODEL_ROUTE)
            if self.replicas is not None and isinstance(answered, str) and route is not None:
                self.replicas.remember(answered, route.replica)


def serve_all(
    settings: Settings,
    found: Tables,
    on_exchange: Callable[[Record], object] | None = None,
    store: Store | None = None,
) -> dict[str, ServedUpstream]:
    """Return the upstreams by name; what is stored, they keep together (in *store*). Raises ConfigError."""
    served: dict[str, ServedUpstream] = {}
    keeper = None
    for name, upstream in found.upstreams.items():
        profile = profile_of_upstream(settings, found, name)
        clients = clients_of(name, upstream, profile, settings)
        replicas = _replicas(upstream, clients, settings) if len(clients) > 1 else None
        app: App = clients[0] if replicas is None else replicas
        middleware = UpstreamMiddleware(
            Renaming(app, settings.limits),
            replicas=replicas,
            keeper=keeper,
            profile=profile,
            upstream_api=upstream.api or settings.upstream_api,
            strict=settings.strict,
            limits=settings.limits,
            paths=settings.paths,
            on_exchange=on_exchange,
            store=(store or store_of(settings)) if keeper is None else None,
            tenant=settings.tenant,
            seal=settings.seal_keys if keeper is None else (),
        )
        keeper = keeper or middleware.keeper
        served[name] = ServedUpstream(name, middleware, app, clients)
    return served


def clients_of(name: str, upstream: UpstreamSettings, profile: Profile, settings: Settings) -> list[Upstream]:
    """Return the client of each replica; raises ConfigError if the key is not there."""
    credentials = _credentials(upstream, profile, os.environ)
    name = name if settings.upstreams else ""  # the single one has only been called something for the tables
    return [Upstream(url, limits=settings.limits, credentials=credentials, name=name) for url in upstream.url]


def _credentials(upstream: UpstreamSettings, profile: Profile, environment: Mapping[str, str]) -> Headers:
    if upstream.key_env is None:
        return []
    key = environment.get(upstream.key_env, "")
    if not key or not key.isprintable() or not key.isascii():
        raise ConfigError(f"key_env: the variable {upstream.key_env} holds no key")
    return [(b"api-key", key.encode())] if profile.deployments else [(b"authorization", f"Bearer {key}".encode())]


def _replicas(upstream: UpstreamSettings, clients: list[Upstream], settings: Settings) -> Replicas:
    named = zip(upstream.url, clients, strict=True)
    return Replicas([Replica(public_url(url), client) for url, client in named], settings.limits.retry_within)
