"""A server that is asked what it has, for the tests of `upstream_api="auto"`."""

from __future__ import annotations

import json
from typing import Any

import anyio

from diglot.adapters import TranslationMiddleware

CHAT, RESPONSES = "/v1/chat/completions", "/v1/responses"
COMPACT, NOWHERE = "/v1/responses/compact", "/v1/diglot-control-question"
JSON, HTML = "application/json", "text/html; charset=utf-8"
NOT_JSON = b'{"error":{"message":"We could not parse the JSON body of your request."}}'
ERROR = b'{"error":{"message":"Incorrect API key provided.","type":"t","param":null,"code":"invalid_api_key"}}'


class Server:
    """Answers questions as told (status, content type, body), and requests with an answer of the endpoint's API."""

    def __init__(self, side: Any, **answers: tuple[int, str, bytes]) -> None:
        missing = (404, JSON, b'{"detail":"Not Found"}')
        self.answers = {CHAT: answers.get("chat", missing), RESPONSES: answers.get("responses", missing)}
        self.elsewhere: tuple[int, str, bytes] = missing
        """What other paths answer."""
        self.before: tuple[int, str, bytes] | None = None
        """What is answered to anything that is no JSON, whatever the path; Express and Koa do so."""
        self.wholes = {CHAT: side("chat").whole, RESPONSES: side("responses").whole}
        self.asked: list[str] = []
        self.controls: list[str] = []
        """Questions at other paths than the two."""
        self.served: list[str] = []
        self.scopes: list[Any] = []
        self.pause = 0.0
        self.special: dict[Any, tuple[int, str, bytes]] = {}
        """Other answers, by path and query, or by key and path."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        data = (await receive())["body"]
        path = scope["path"].removeprefix("/p")
        status, kind, body = self._answer(scope, path)
        if _is_question(data):
            (self.asked if path in self.answers else self.controls).append(path)
            self.scopes.append(scope)
            await anyio.sleep(self.pause)
            if self.before and data != b"{}":
                status, kind, body = self.before
        else:
            self.served.append(path)
            if status not in (404, 405, 501):
                status, kind, body = 200, JSON, self.wholes[path]
        headers = [(b"content-type", kind.encode()), (b"retry-after", b"7")]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body, "more_body": True})
        await send({"type": "http.response.body", "body": b""})

    def _answer(self, scope: Any, path: str) -> tuple[int, str, bytes]:
        key = dict(scope["headers"]).get(b"authorization", b"").decode()
        place = (scope["path"], scope["query_string"])
        return self.special.get(place) or self.special.get((key, path)) or self.answers.get(path, self.elsewhere)


def _is_question(data: bytes) -> bool:
    try:
        return json.loads(data) == {}
    except ValueError:
        return True


HAS = (400, JSON, NOT_JSON)


def asker(side: Any, talk: Any) -> Any:
    """Asks the middleware for a Response or for a chat completion."""

    async def ask(app: Any, api: str, **scope: Any) -> Any:
        other = side("chat" if api == "responses" else "responses")  # named by its upstream
        return await talk(app, other.ask, **{"path": other.path, **scope}).run()

    return ask


def auto(app: Any, **settings: Any) -> TranslationMiddleware:
    return TranslationMiddleware(app, upstream_api="auto", **settings)
