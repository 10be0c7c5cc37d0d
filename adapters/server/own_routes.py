"""What the server answers itself: the page for people, `/healthz` and `/readyz`."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from importlib import metadata
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from ..asgi.types import KEY_NAME
from ..middleware import access_log
from ..store import Opened
from . import banner
from .config import Settings
from .middleware import ServerMiddleware
from .model_settings import api_of
from .page import page

if TYPE_CHECKING:
    from .model_router import ModelRouter


def own_routes(
    settings: Settings,
    middleware: ServerMiddleware | ModelRouter,
    *,
    has_keys: bool,
    is_ready: Callable[[], Awaitable[bool]],
) -> list[Route]:
    """Return them. Where the server *has keys*, `/healthz` tells those without one only that the process lives."""

    async def health(request: Request) -> Response:
        access_log.mark(request.scope, "here", logging.DEBUG)
        tells = not has_keys or KEY_NAME in request.scope
        return JSONResponse(_health(settings, middleware) if tells else {"status": "ok"})

    async def ready(request: Request) -> Response:
        access_log.mark(request.scope, "here", logging.DEBUG)
        is_there = await is_ready()
        return JSONResponse({"status": "ok" if is_there else "unavailable"}, 200 if is_there else 503)

    async def index(request: Request) -> Response:
        routes = banner.routes(api_of(settings))
        return page(metadata.version("diglot"), banner.answering(settings), routes, banner.clients(settings))

    return [Route("/", index), Route("/healthz", health), Route("/readyz", ready)]


def _health(settings: Settings, middleware: ServerMiddleware | ModelRouter) -> dict[str, Any]:
    about: dict[str, Any] = {"profile": settings.profile, "upstream_api": middleware.upstream_api}
    states, several = middleware.replica_states, banner.upstreams(settings)
    if several:  # each may have a profile of its own
        about["upstreams"] = {
            name: each | ({"replicas": states[name]} if name in states else {}) for name, each in several.items()
        }
    known = {"believed": middleware.believed} if settings.upstream_api == "auto" else {}
    stored = {"store": _store(middleware.opened)} if middleware.opened is not None else {}
    about |= known | stored
    return {"status": "ok", "version": metadata.version("diglot"), **about, "learned": middleware.learned}


def _store(opened: Opened) -> dict[str, Any]:
    return {"name": opened.name, "durability": opened.durability, "warnings": opened.warnings}
