"""The demo upstream: a scripted Chat Completions server, for the demo, for tests and for a first `diglot serve`."""

from __future__ import annotations

import secrets
import time
from collections.abc import AsyncIterator
from typing import Any

import anyio
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from ...translator import RequestError, decode_json, encode_json
from ..asgi.types import App, Receive, Scope, Send, send_error
from ..middleware.app import TranslationMiddleware
from ..middleware.routes import ENDPOINTS, endpoint_of_path
from . import rules, script
from .clients import MODEL


def upstream(pause: float = 0.0) -> Starlette:
    """Return the application; it waits *pause* seconds between the chunks of a stream, so that one can watch it."""

    async def completions(request: Request) -> Response:
        try:
            body = decode_json(await request.body())
            rules.check(body)
        except RequestError as error:
            return JSONResponse(error.body(), error.status)
        except ValueError:
            return JSONResponse(RequestError("We could not parse the JSON body of your request.").body(), 400)
        ident, created = secrets.token_hex(8), int(time.time())
        if body.get("stream"):
            return StreamingResponse(_events(body, ident, created, pause), media_type="text/event-stream")
        return JSONResponse(script.completion(body, ident, created))

    paths = ("/v1/chat/completions", "/chat/completions")
    routes = [Route(path, completions, methods=["POST"]) for path in paths]
    routes += [Route(path, _models) for path in ("/v1/models", "/models")]
    return Starlette(routes=routes, exception_handlers={404: _missing, 405: _missing})


def responses_upstream(pause: float = 0.0) -> App:
    """Return a Responses upstream: the same script, translated, without its Chat Completions endpoint."""
    responses = TranslationMiddleware(upstream(pause))

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and endpoint_of_path(scope["path"]) == ENDPOINTS["chat"]:
            missing = RequestError(f"The demo has no POST {scope['path']}.", code="not_found", status=404)
            await send_error(send, missing)
        else:
            await responses(scope, receive, send)

    return app


async def _missing(request: Request, error: Exception) -> Response:
    missing = RequestError(f"The demo has no {request.method} {request.url.path}.", code="not_found", status=404)
    return JSONResponse(missing.body(), missing.status)


async def _models(request: Request) -> Response:
    model: dict[str, Any] = {"id": MODEL, "object": "model", "created": 0, "owned_by": "diglot"}
    return JSONResponse({"object": "list", "data": [model]})


async def _events(body: dict[str, Any], ident: str, created: int, pause: float) -> AsyncIterator[bytes]:
    for chunk in script.chunks(body, ident, created):
        yield b"data: %b\n\n" % encode_json(chunk)
        await anyio.sleep(pause)
    yield b"data: [DONE]\n\n"
