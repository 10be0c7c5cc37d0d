"""A client and a chat application for ASGI tests: both see every message, as httpx's ASGITransport does not."""

import json
from collections.abc import Callable, Mapping
from typing import Any

import anyio
import pytest

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


class Chat:
    """A scripted chat application: bytes are sent, numbers are waited for, exceptions raised, `None` is a cut."""

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
        self.bodies.append(json.loads((await receive())["body"]))
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

    async def run(self) -> "Talk":
        """Run to the end, which must come soon."""
        with anyio.fail_after(10):
            await self.app(self.scope, self._receive, self._send)
        return self

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


@pytest.fixture
def talk() -> type[Talk]:
    """The client."""
    return Talk


@pytest.fixture
def chat() -> type[Chat]:
    """The chat application."""
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
