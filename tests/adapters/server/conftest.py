"""Upstreams in memory, by URL, in place of those over HTTP."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from diglot.adapters.server import upstreams as server_upstreams
from diglot.adapters.server.app import application
from diglot.adapters.server.config import load


class FakeUpstream:
    """Answers chat, Responses, embeddings and the list of its models; the model's own name is `real-...`."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.models: Any = ["listed", "gpt-5-own"]
        self.status = 200
        self.asked: list[Any] = []
        self.scopes: list[Any] = []
        self.credentials: Any = ()
        self.name = ""
        self.is_closed = False
        self.message: dict[str, Any] = {"role": "assistant", "content": "Hello"}

    @property
    def paths(self) -> list[str]:
        return [scope["path"] for scope in self.scopes]

    async def aclose(self) -> None:
        self.is_closed = True

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        data, more = b"", True
        while more:
            message = await receive()
            data, more = data + message.get("body", b""), message.get("more_body", False)
        self.scopes.append(scope)
        self.asked.append(json.loads(data) if data.startswith(b"{") else data)
        status, kind, body = self._answer(scope, self.asked[-1])
        headers = [(b"content-type", kind)]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body, "more_body": False})

    def _answer(self, scope: Any, asked: Any) -> tuple[int, bytes, bytes]:
        if self.status != 200:
            return self.status, b"application/json", b'{"error":{"message":"Not now.","code":"busy"}}'
        if scope["path"].endswith("/models"):
            return 200, b"application/json", json.dumps(self._list()).encode()
        if isinstance(asked, dict) and asked.get("stream"):
            return 200, b"text/event-stream", b"".join(self._chunks(asked))
        named = {"model": f"real-{asked['model']}"} if isinstance(asked, dict) and "model" in asked else {}
        if scope["path"].endswith("/chat/completions"):
            choice = {"index": 0, "message": self.message, "finish_reason": "stop"}
            named |= {"id": "c", "created": 1, "choices": [choice]}
        return 200, b"application/json", json.dumps({"object": "x", **named}).encode()

    def _list(self) -> Any:
        if not isinstance(self.models, list):
            return self.models
        return {"object": "list", "data": [{"id": each, "object": "model", "size": 7} for each in self.models]}

    def _chunks(self, asked: Any) -> Iterator[bytes]:
        for more in ({"delta": {"content": "Hello"}}, {"delta": {}, "finish_reason": "stop"}):
            chunk = {"id": "c", "created": 1, "model": f"real-{asked['model']}", "choices": [{"index": 0, **more}]}
            yield b"data: " + json.dumps(chunk).encode() + b"\n\n"
        yield b"data: [DONE]\n\n"


class Fakes:
    """All of them; `serve` makes the server for the text of a file."""

    def __init__(self, folder: Any) -> None:
        self._folder = folder
        self.made: dict[str, FakeUpstream] = {}

    def make(self, url: str, *, limits: Any, credentials: Any, name: str) -> FakeUpstream:
        fake = self.made.setdefault(url, FakeUpstream(url))
        fake.credentials, fake.name = credentials, name
        return fake

    def __getitem__(self, name: str) -> FakeUpstream:
        return self.made.setdefault(f"http://{name}", FakeUpstream(f"http://{name}"))

    def settings(self, text: str, flags: Any = None, environment: Any = None) -> Any:
        file = self._folder / "diglot.toml"
        file.write_text(text)
        return load({"allow_host": ("*",), **(flags or {})}, environment or {}, file)

    def serve(self, text: str, **options: Any) -> Any:
        return application(self.settings(text, **options))


@pytest.fixture
def fakes(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> Fakes:
    made = Fakes(tmp_path)
    make: Callable[..., Any] = made.make
    monkeypatch.setattr(server_upstreams, "Upstream", make)
    return made
