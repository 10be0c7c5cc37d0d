"""A client and an application for ASGI tests: both see every message, as httpx's ASGITransport does not."""

import json
from collections.abc import Awaitable, Callable, Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import anyio
import pytest

from diglot.adapters import TranslationMiddleware

Message = Any


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    """Every asynchronous test runs on both."""
    return request.param


def chunk(delta: dict[str, Any] | None = None, finish: str | None = None, **more: Any) -> bytes:
    """One frame of a chat stream."""
    choices = [{"index": 0, "delta": delta or {}, "finish_reason": finish}]
    value = {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": choices, **more}
    return b"data: " + json.dumps(value).encode() + b"\n\n"


DONE = b"data: [DONE]\n\n"
COMPLETION = {
    "id": "c1",
    "object": "chat.completion",
    "created": 1,
    "model": "m",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "Hello"}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3},
}


RESPONSE = {
    "id": "resp_1",
    "object": "response",
    "created_at": 1,
    "model": "m",
    "status": "completed",
    "output": [
        {"id": "m1", "type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Hello"}]}
    ],
    "usage": {"input_tokens": 1, "output_tokens": 2, "total_tokens": 3},
}


def event(kind: str, **fields: Any) -> bytes:
    """One frame of a Responses stream."""
    return f"event: response.{kind}\ndata: {json.dumps({'type': f'response.{kind}', **fields})}\n\n".encode()


async def whole_of(receive: Any) -> bytes:
    """The body of a request."""
    message = await receive()
    body = message["body"]
    while message["more_body"]:
        message = await receive()
        body += message["body"]
    return body


class Chat:
    """A scripted application: bytes are sent, numbers are waited for, exceptions raised, `None` is a cut."""

    def __init__(
        self, *steps: Any, status: int = 200, kind: str = "text/event-stream", headers: Mapping[str, str] | None = None
    ) -> None:
        self.steps = steps
        self.status = status
        self.headers = [(k.encode(), v.encode()) for k, v in {"content-type": kind, **(headers or {})}.items()]
        self.scopes: list[Any] = []
        self.bodies: list[Any] = []
        self.cancelled = False
        self.disconnected = False
        self.finished = 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.scopes.append(scope)
        self.bodies.append(json.loads(await whole_of(receive)))
        steps = list(self.steps)
        try:
            while steps and isinstance(steps[0], int | float):
                await self._wait(steps.pop(0), receive)
            await send({"type": "http.response.start", "status": self.status, "headers": self.headers})
            for step in steps:
                if step is None:
                    return
                if isinstance(step, Exception):
                    raise step
                if isinstance(step, bytes):
                    await send({"type": "http.response.body", "body": step, "more_body": True})
                else:
                    await self._wait(step, receive)
            await send({"type": "http.response.body", "body": b"", "more_body": False})
            self.finished += 1
        except anyio.get_cancelled_exc_class():
            self.cancelled = True
            raise

    async def _wait(self, seconds: float, receive: Any) -> None:
        """Below a minute: just wait. Above: wait for the client to leave, and ignore it."""
        if seconds > 60:
            self.disconnected = (await receive())["type"] == "http.disconnect"
        await anyio.sleep(seconds)


class Talk:
    """One request to an ASGI application, and everything that came back."""

    def __init__(
        self,
        app: Any,
        body: Any = None,
        *,
        path: str = "/v1/responses",
        method: str = "POST",
        headers: Mapping[str, str] | None = None,
        **scope: Any,
    ) -> None:
        data = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        pieces = [data[i : i + 65536] for i in range(0, len(data), 65536)] or [b""]
        self._pieces: list[Message] = [{"type": "http.request", "body": p, "more_body": True} for p in pieces]
        self._pieces[-1]["more_body"] = False
        self.scope: dict[str, Any] = {
            "type": "http",
            "method": method,
            "path": path,
            "raw_path": path.encode(),
            "root_path": "",
            "query_string": b"",
            "headers": [(k.lower().encode(), v.encode()) for k, v in (headers or {}).items()],
            **scope,
        }
        self.app = app
        self.sent: list[Message] = []
        self.gone = anyio.Event()
        self.hold: Callable[[Message], Any] | None = None

    async def run(self, raises: Any = None) -> "Talk":
        """Run to the end, which must come soon; the application may have raised an exception like *raises*."""
        expected = pytest.raises(type(raises)) if isinstance(raises, Exception) else nullcontext()
        with anyio.fail_after(10), expected:
            await self.app(self.scope, self._receive, self._send)
        return self

    async def run_held(self, seconds: float) -> int:
        """Run with a client that takes no body for so long; return how many messages it was sent until then."""
        release = anyio.Event()

        async def slow(message: Any) -> None:
            if message["type"] == "http.response.body":
                await release.wait()

        self.hold, count = slow, 0
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self.run)
            await anyio.sleep(seconds)
            count = len(self.sent)
            release.set()
        return count

    async def _receive(self) -> Message:
        if self._pieces:
            return self._pieces.pop(0)
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Message) -> None:
        self.sent.append(message)
        if self.hold is not None:
            await self.hold(message)

    @property
    def status(self) -> int:
        return self.sent[0]["status"]

    @property
    def headers(self) -> dict[str, str]:
        return {k.decode(): v.decode() for k, v in self.sent[0]["headers"]}

    @property
    def pieces(self) -> list[bytes]:
        return [m["body"] for m in self.sent if m["type"] == "http.response.body"]

    @property
    def body(self) -> bytes:
        return b"".join(self.pieces)

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def error(self) -> dict[str, Any]:
        return self.json["error"]

    @property
    def complete(self) -> bool:
        """The answer has an end, and nothing after it."""
        return [m.get("more_body", False) for m in self.sent[1:]][-1:] == [False]

    @property
    def events(self) -> list[dict[str, Any]]:
        lines = self.body.decode().splitlines()
        return [json.loads(line[6:]) for line in lines if line.startswith("data: {")]

    @property
    def types(self) -> list[str]:
        return [event["type"].removeprefix("response.") for event in self.events]


class Side:
    """One direction: how its client asks, what its upstream says, and how to read what comes of it."""

    def __init__(self, api: str) -> None:
        self.api: Any = api
        self.is_chat = api == "chat"  # the upstream, not the client
        self.path = "/v1/responses" if self.is_chat else "/v1/chat/completions"
        self.theirs = "/v1/chat/completions" if self.is_chat else "/v1/responses"
        self.ask = {
            "model": "m",
            **({"input": "hi"} if self.is_chat else {"messages": [{"role": "user", "content": "hi"}]}),
        }
        self.stream = {**self.ask, "stream": True}
        self.body = {"ask": self.ask, "stream": self.stream}
        self.lossy = {**self.ask, **({"client_metadata": {"a": "b"}} if self.is_chat else {"seed": 1})}
        """It loses something."""
        self.lost = "client_metadata" if self.is_chat else "seed"
        self.whole = json.dumps(COMPLETION if self.is_chat else RESPONSE).encode()
        self.end = chunk(finish="stop") if self.is_chat else event("completed", response={**RESPONSE, "output": []})
        """How an upstream ends that has said something."""
        self.hello = [*self.begin, self.say("Hello"), self.end, *([DONE] if self.is_chat else [])]

    @property
    def begin(self) -> list[bytes]:
        """What an upstream says before its first word."""
        if self.is_chat:
            return [chunk({"role": "assistant", "content": ""})]
        return [event("created", response={**RESPONSE, "status": "in_progress", "output": []})]

    def say(self, text: str) -> bytes:
        """A piece of text."""
        if self.is_chat:
            return chunk({"content": text})
        return event("output_text.delta", item_id="m1", output_index=0, content_index=0, delta=text)

    def middleware(self, app: Any, **settings: Any) -> TranslationMiddleware:
        """The middleware in front of an upstream of this side."""
        return TranslationMiddleware(app, **{"upstream_api": self.api, **settings})

    def talk(self, app: Any, body: Any, scope: Mapping[str, Any] | None = None, **settings: Any) -> Talk:
        """A request to the middleware in front of *app*."""
        return Talk(self.middleware(app, **settings), body, **{"path": self.path, **(scope or {})})

    def text(self, talk: Talk) -> str:
        """What the client was told, whole or streamed."""
        if b"data: " not in talk.body:
            body = talk.json
            return body["output"][0]["content"][0]["text"] if self.is_chat else body["choices"][0]["message"]["content"]
        if self.is_chat:
            return "".join(event["delta"] for event in talk.events if event["type"] == "response.output_text.delta")
        choices = [choice for event in talk.events for choice in event.get("choices", ())]
        return "".join(choice["delta"].get("content") or "" for choice in choices)

    def ending(self, talk: Talk) -> str:
        """How the stream ended: completed, incomplete or failed; `cut` if it did not."""
        if self.is_chat:
            last = talk.types[-1]
            return last if last in ("completed", "incomplete", "failed") else "cut"
        if not talk.body.endswith(DONE):
            return "cut"
        if "error" in talk.events[-1]:
            return "failed"
        reasons = [choice["finish_reason"] for event in talk.events for choice in event["choices"]]
        return {"stop": "completed", "tool_calls": "completed"}.get(reasons[-1], "incomplete")

    def failure(self, talk: Talk) -> str:
        """What a failed stream says about it."""
        last = talk.events[-1]
        return (last["response"] if self.is_chat else last)["error"]["message"]


@pytest.fixture(params=["chat", "responses"])
def side(request: pytest.FixtureRequest) -> Side:
    """Both directions, one after the other; the name is that of the upstream's API."""
    return Side(request.param)


@pytest.fixture
def responses_side() -> Side:
    """The direction with a Responses upstream."""
    return Side("responses")


@pytest.fixture
def talk() -> type[Talk]:
    """The client."""
    return Talk


@pytest.fixture
def chat() -> type[Chat]:
    """The application."""
    return Chat


@pytest.fixture
def frame() -> Callable[..., bytes]:
    """Makes one frame of a chat stream."""
    return chunk


@pytest.fixture
def hello() -> list[bytes]:
    """A whole chat stream that says Hello."""
    return [chunk({"role": "assistant", "content": ""}), chunk({"content": "Hello"}), chunk(finish="stop"), DONE]


@pytest.fixture
def completion() -> bytes:
    """A whole chat completion that says Hello."""
    return json.dumps(COMPLETION).encode()


@pytest.fixture(params=["memory", "sqlite"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A store in memory, and one in a file."""
    return "memory" if request.param == "memory" else f"sqlite:///{tmp_path}/turns.db"


@pytest.fixture
def ask() -> Callable[..., Awaitable[Talk]]:
    """One request of a tenant, to its end."""

    async def made(app: Any, body: Any = None, tenant: str = "me", **scope: Any) -> Talk:
        method = "GET" if body is None else "POST"
        return await Talk(
            app, body, **{"method": method, "headers": {"authorization": f"Bearer {tenant}"}, **scope}
        ).run()

    return made
