"""A scripted upstream in a process of its own, which keeps what it is asked: `python chat_upstream.py API PORT`.

It is the demo upstream, but the ids of its answers depend on the request only: the same loop gets the same answers.
`GET /requests` returns the chat requests that came with one credential. The model `slow` takes its time.
"""

import hashlib
import sys
import time
from collections import defaultdict
from typing import Any

import anyio
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from diglot.adapters import TranslationMiddleware
from diglot.adapters.asgi.types import App
from diglot.adapters.demo import rules, script
from diglot.translator import RequestError, decode_json, encode_json

SLOW = 0.6
"""Seconds."""


def application(api: str) -> App:
    requests: defaultdict[str, list[Any]] = defaultdict(list)

    async def completions(request: Request) -> Response:
        body = decode_json(await request.body())
        requests[request.headers.get("authorization", "")].append(body)
        try:
            rules.check(body)
        except RequestError as error:
            return JSONResponse(error.body(), error.status)
        if body["model"] == "slow":
            await anyio.sleep(SLOW)
        now = int(time.time())
        ident = hashlib.sha256(encode_json([body["messages"], body.get("tools")])).hexdigest()[:16]
        if body.get("stream"):
            chunks = [*map(encode_json, script.chunks(body, ident, now)), b"[DONE]"]
            return StreamingResponse(
                iter([b"data: %b\n\n" % chunk for chunk in chunks]), media_type="text/event-stream"
            )
        return JSONResponse(script.completion(body, ident, now))

    async def recorded(request: Request) -> Response:
        return JSONResponse(requests[request.headers.get("authorization", "")])

    chat = Starlette(routes=[Route("/v1/chat/completions", completions, methods=["POST"])])
    served = chat if api == "chat" else TranslationMiddleware(chat)
    app = Starlette(routes=[Route("/requests", recorded)])
    app.mount("", served)
    return app


if __name__ == "__main__":
    uvicorn.run(application(sys.argv[1]), port=int(sys.argv[2]), log_level="error", timeout_graceful_shutdown=1)
