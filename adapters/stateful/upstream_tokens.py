"""Counting by the upstream: endpoints that some servers have beside their `/v1`, called with the client's headers.

vLLM: https://docs.vllm.ai/en/stable/serving/online_serving (`POST /tokenize` of a chat). llama.cpp:
https://github.com/ggml-org/llama.cpp/tree/master/tools/server (`POST /apply-template`, then `POST /tokenize`).
"""

from __future__ import annotations

import logging
import re
from typing import Any
from urllib.parse import quote

import anyio

from ...translator import decode_json, encode_json
from ..asgi.types import ABOUT_THE_BODY, BESIDE_API, App, Message, Scope, without
from ..limits import Limits

_log = logging.getLogger("diglot")
_API = re.compile(r"(?:/v\d[a-z\d.]*)?/(?:responses|conversations|chat/completions)(?:/.*)?\Z")
_REPLACED = ABOUT_THE_BODY | {b"accept", b"accept-encoding", b"expect", b"idempotency-key"}
_MOST = 16 * 2**20
"""Bytes of an answer: the numbers of two million tokens."""
_VLLM = ("model", "messages", "tools", "chat_template_kwargs")
_LLAMA = (*_VLLM, "tool_choice", "response_format", "reasoning_effort")
"""What the endpoints read of a chat request."""


async def count(app: App, scope: Scope, request: dict[str, Any], tokenizer: str, limits: Limits) -> int | None:
    """Return how many tokens the upstream says that a chat request has; None if it does not say so in time."""
    if not tokenizer:
        return None
    upstream = _Endpoints(app, scope, min(_MOST, limits.max_answer))
    found: Any = None
    with anyio.move_on_after(limits.probe):
        found = await (_vllm if tokenizer == "vllm" else _llama_cpp)(upstream, request)
    return found if type(found) is int and found >= 0 else None


async def _vllm(upstream: _Endpoints, request: dict[str, Any]) -> Any:
    return (await upstream.post("/tokenize", _members(request, _VLLM))).get("count")


async def _llama_cpp(upstream: _Endpoints, request: dict[str, Any]) -> Any:
    prompt = (await upstream.post("/apply-template", _members(request, _LLAMA))).get("prompt")
    if not isinstance(prompt, str):
        return None
    text = {"content": prompt, "add_special": True, "parse_special": True}
    tokens = (await upstream.post("/tokenize", text)).get("tokens")
    return len(tokens) if isinstance(tokens, list) else None


def _members(request: dict[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    return {name: request[name] for name in names if name in request}


class _Endpoints:
    """The endpoints of an application that are beside its API."""

    def __init__(self, app: App, scope: Scope, most: int) -> None:
        self._app = app
        self._scope = scope
        self._most = most

    async def post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """Return the JSON object that a request is answered with; an empty one for any other answer."""
        data = await anyio.to_thread.run_sync(encode_json, body)
        answer = _Answer(data, self._most)
        with answer.scope:
            try:
                await self._app(self._scope_of(path, len(data)), answer.receive, answer.send)
            except Exception as error:  # of any kind: it is not what the client asked for
                _log.debug("The application raised when it was to count tokens", exc_info=error)
        return await anyio.to_thread.run_sync(answer.decode)

    def _scope_of(self, path: str, size: int) -> Scope:
        place = _API.sub("", self._scope["path"]) + path
        headers = [
            *without(self._scope["headers"], _REPLACED),
            (b"content-type", b"application/json"),
            (b"content-length", b"%d" % size),
            (b"accept", b"application/json"),
            (b"accept-encoding", b"identity"),
        ]
        return {
            **self._scope,
            "method": "POST",
            "path": place,
            "raw_path": quote(place).encode(),
            "query_string": b"",
            "headers": headers,
            "extensions": {BESIDE_API: {"path": path}},
        }


class _Answer:
    """A request with one body, and the answer to it, up to a size."""

    def __init__(self, body: bytes, most: int) -> None:
        self.scope: anyio.CancelScope = anyio.CancelScope()
        self._request: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]
        self._most = most
        self._status = 0
        self._pieces: list[bytes] = []
        self._size = 0
        self._has_ended = anyio.Event()

    async def receive(self) -> Message:
        if self._request:
            return self._request.pop()
        await self._has_ended.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._status = message["status"]
            return
        body = message.get("body", b"")
        self._size += len(body)
        if self._size > self._most:
            self.scope.cancel()
            return
        self._pieces.append(body)
        if not message.get("more_body", False):
            self._has_ended.set()

    def decode(self) -> dict[str, Any]:
        if self._status != 200 or not self._has_ended.is_set():
            return {}
        try:
            value = decode_json(b"".join(self._pieces))
        except ValueError:
            return {}
        return value if isinstance(value, dict) else {}
