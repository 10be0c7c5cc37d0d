import json
from collections.abc import Callable
from typing import Any

import anyio
import pytest

from diglot.adapters import Limits
from diglot.adapters.asgi.types import BESIDE_API
from diglot.adapters.stateful.upstream_tokens import count

pytestmark = pytest.mark.anyio

REQUEST = {"model": "m", "messages": [{"role": "user", "content": "Hi"}], "temperature": 0, "tool_choice": "auto"}
SCOPE = {
    "type": "http",
    "method": "POST",
    "path": "/v1/responses/input_tokens",
    "query_string": b"a=b",
    "headers": [(b"authorization", b"Bearer k"), (b"content-length", b"5"), (b"idempotency-key", b"i")],
    "extensions": {"http.response.push": {}},
}
Reply = Callable[[Any], Any]


class Endpoints:
    """An upstream with endpoints beside its API; what they return is sent, in two pieces."""

    def __init__(self, **replies: Any) -> None:
        self.replies = {"/" + name.replace("_", "-"): reply for name, reply in replies.items()}
        self.scopes: list[Any] = []
        self.bodies: list[Any] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.scopes.append(scope)
        self.bodies.append(json.loads((await receive())["body"]))
        reply = self.replies.get(scope["path"])
        if isinstance(reply, Exception):
            raise reply
        status, body = (404, b"{}") if reply is None else (200, reply)
        body = body if isinstance(body, bytes) else json.dumps(body).encode()
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": body[:5], "more_body": True})
        await send({"type": "http.response.body", "body": body[5:]})
        assert (await receive())["type"] == "http.disconnect"


async def test_no_tokenizer_is_not_asked() -> None:
    """A profile without one costs nothing."""
    app = Endpoints(tokenize={"count": 5})
    assert await count(app, SCOPE, REQUEST, "", Limits()) is None
    assert app.scopes == []


async def test_vllm_counts() -> None:
    """At the root of the server, with the client's credentials."""
    app = Endpoints(tokenize={"count": 5, "max_model_len": 10, "tokens": [1, 2, 3, 4, 5]})
    assert await count(app, SCOPE, {**REQUEST, "tools": []}, "vllm", Limits()) == 5
    assert app.bodies == [{"model": "m", "messages": REQUEST["messages"], "tools": []}]
    (scope,) = app.scopes
    assert (scope["method"], scope["raw_path"], scope["query_string"]) == ("POST", b"/tokenize", b"")
    assert scope["extensions"] == {BESIDE_API: {"path": "/tokenize"}}
    headers = dict(scope["headers"])
    assert headers[b"authorization"] == b"Bearer k"
    assert int(headers[b"content-length"]) == len(json.dumps(app.bodies[0], separators=(",", ":")))
    assert headers.keys() >= {b"content-type", b"accept", b"accept-encoding"}
    assert b"idempotency-key" not in headers


async def test_llama_cpp_counts() -> None:
    """The prompt first, then its tokens."""
    app = Endpoints(apply_template={"prompt": "<s>Hi"}, tokenize={"tokens": [1, 2]})
    assert await count(app, SCOPE, REQUEST, "llama.cpp", Limits()) == 2
    assert app.bodies == [
        {"model": "m", "messages": REQUEST["messages"], "tool_choice": "auto"},
        {"content": "<s>Hi", "add_special": True, "parse_special": True},
    ]


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ("/v1/responses", "/tokenize"),
        ("/v1beta/responses/compact", "/tokenize"),
        ("/v1/chat/completions", "/tokenize"),
        ("/ai/responses/input_tokens/", "/ai/tokenize"),
        ("/app/v1/responses/input_tokens", "/app/tokenize"),
        ("/ü/v1/responses", "/ü/tokenize"),
    ],
)
async def test_the_place_is_beside_the_api(path: str, place: str) -> None:
    """Wherever that is served."""
    app = Endpoints()
    app.replies[place] = {"count": 1}
    assert await count(app, {**SCOPE, "path": path}, REQUEST, "vllm", Limits()) == 1
    assert app.scopes[0]["raw_path"].isascii()


@pytest.mark.parametrize(
    "reply",
    [
        *(None, {}, [], b"<html>", b"\xff", {"count": "5"}, {"count": True}, {"count": -1}, {"count": 5.0}),
        *(OSError("refused"), ValueError("x"), ExceptionGroup("x", [ValueError("y")])),
    ],
)
async def test_any_other_answer_counts_nothing(reply: Any) -> None:
    """The next way is tried."""
    assert await count(Endpoints(tokenize=reply), SCOPE, REQUEST, "vllm", Limits()) is None


@pytest.mark.parametrize(
    "replies",
    [
        {},
        {"apply_template": {"prompt": ["x"]}, "tokenize": {"tokens": [1]}},
        {"apply_template": {"prompt": "x"}},
        {"apply_template": {"prompt": "x"}, "tokenize": {"tokens": "x"}},
    ],
)
async def test_both_endpoints_of_llama_cpp_are_needed(replies: dict[str, Any]) -> None:
    """One of them alone counts nothing."""
    assert await count(Endpoints(**replies), SCOPE, REQUEST, "llama.cpp", Limits()) is None


@pytest.mark.parametrize(("most", "found"), [(1_000, 5), (900, None)])
async def test_a_long_answer_is_not_read(most: int, found: int | None) -> None:
    """The list of tokens may be as long as an answer, and no longer."""
    app = Endpoints(tokenize=b'{"count":5,"x":"' + b"x" * 900 + b'"}')
    assert await count(app, SCOPE, REQUEST, "vllm", Limits(max_answer=most)) == found


async def test_a_slow_answer_is_not_waited_for() -> None:
    """The client waits for something else."""

    async def slow(scope: Any, receive: Any, send: Any) -> None:
        await anyio.sleep(60)

    with anyio.fail_after(5):
        assert await count(slow, SCOPE, REQUEST, "vllm", Limits(probe=0.05)) is None


@pytest.mark.parametrize("messages", [[], [{"type": "http.response.start", "status": 200}]])
async def test_half_an_answer_counts_nothing(messages: list[Any]) -> None:
    """An application may end whenever it likes."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        for message in messages:
            await send(message)

    assert await count(app, SCOPE, REQUEST, "vllm", Limits()) is None
