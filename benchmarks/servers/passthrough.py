"""A proxy that translates nothing, with one of several HTTP clients: what every proxy in Python pays.

Started by uvicorn; PASSTHROUGH_UPSTREAM says where to, PASSTHROUGH_CLIENT with what.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

_UPSTREAM = os.environ.get("PASSTHROUGH_UPSTREAM", "")
_CLIENT = os.environ.get("PASSTHROUGH_CLIENT", "")
_HOPS = (b"host", b"connection", b"transfer-encoding", b"keep-alive")
_client: Any = None


async def app(scope: Any, receive: Any, send: Any) -> None:
    """Send the request on, and every piece of the answer back as it comes."""
    if scope["type"] != "http":
        await _live(receive, send)
        return
    body = await _whole(receive)
    headers = [(name, value) for name, value in scope["headers"] if name not in _HOPS]
    exchange = _aiohttp if _CLIENT == "aiohttp" else _httpx
    async with aclosing(exchange(scope["method"], _UPSTREAM + scope["path"], headers, body)) as answer:
        async for message in answer:
            await send(message)
    await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _whole(receive: Any) -> bytes:
    pieces, more = [], True
    while more:
        message = await receive()
        pieces.append(message.get("body", b""))
        more = message.get("more_body", False)
    return b"".join(pieces)


async def _httpx(method: str, url: str, headers: list[tuple[bytes, bytes]], body: bytes) -> AsyncGenerator[Any, None]:
    """httpx, also with aiohttp's transport, and httpx2 are used in the same way."""
    answer = await _client.send(_client.build_request(method, url, headers=headers, content=body), stream=True)
    try:
        yield _start(answer.status_code, answer.headers.raw)
        async for piece in answer.aiter_raw():
            yield {"type": "http.response.body", "body": piece, "more_body": True}
    finally:
        await answer.aclose()


async def _aiohttp(method: str, url: str, headers: list[tuple[bytes, bytes]], body: bytes) -> AsyncGenerator[Any, None]:
    named = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in headers]
    async with _client.request(method, url, headers=named, data=body) as answer:
        yield _start(answer.status, answer.raw_headers)
        async for piece in answer.content.iter_any():
            yield {"type": "http.response.body", "body": piece, "more_body": True}


def _start(status: int, headers: Any) -> dict[str, Any]:
    kept = [(name.lower(), value) for name, value in headers if name.lower() not in _HOPS]
    return {"type": "http.response.start", "status": status, "headers": kept}


async def _live(receive: Any, send: Any) -> None:
    global _client
    while True:
        kind = (await receive())["type"]
        if kind == "lifespan.startup":
            _client = _new_client()
        else:
            await (_client.close if _CLIENT == "aiohttp" else _client.aclose)()
        await send({"type": f"{kind}.complete"})
        if kind == "lifespan.shutdown":
            return


def _new_client() -> Any:
    package = importlib.import_module(_CLIENT)
    if _CLIENT == "aiohttp":
        connector = package.TCPConnector(limit=0, keepalive_timeout=30)
        return package.ClientSession(connector=connector, auto_decompress=False)
    limits = {"max_connections": None, "max_keepalive_connections": 100, "keepalive_expiry": 30}
    if _CLIENT == "httpx_aiohttp":
        return package.HttpxAiohttpClient(timeout=None, limits=importlib.import_module("httpx").Limits(**limits))
    return package.AsyncClient(timeout=None, limits=package.Limits(**limits))
