"""A request of our own to an upstream."""

from typing import Any

import anyio
import msgspec
import pytest

from diglot.adapters.limits import Limits
from diglot.adapters.upstream.app import Upstream
from diglot.adapters.upstream.asking import Reply, get
from diglot.adapters.upstream.failure import Failure

pytestmark = pytest.mark.anyio
SCOPE: dict[str, Any] = {
    "type": "http",
    "method": "POST",
    "path": "/v1/responses",
    "headers": [(b"authorization", b"Bearer k"), (b"content-length", b"7"), (b"accept-encoding", b"br")],
    "query_string": b"a=b",
}
START = {"type": "http.response.start", "status": 200, "headers": []}


def body(data: bytes, more: bool = False) -> Any:
    return {"type": "http.response.body", "body": data, "more_body": more}


async def test_get() -> None:
    """It has the credentials of the client, and nothing of its request."""
    seen: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.extend([scope, await receive()])
        await send(START)
        await send(body(b'{"a":', more=True))
        await send(body(b"1}"))
        seen.append(await receive())

    reply = await get(app, SCOPE, "/v1/models", Limits())
    assert (reply.status, reply.json) == (200, {"a": 1})
    scope, request, after = seen
    assert (scope["method"], scope["path"], scope["raw_path"]) == ("GET", "/v1/models", b"/v1/models")
    assert dict(scope["headers"]) == {
        b"authorization": b"Bearer k",
        b"accept": b"application/json",
        b"accept-encoding": b"identity",
    }
    assert (request["body"], after["type"], scope["query_string"]) == (b"", "http.disconnect", b"")


async def test_too_much() -> None:
    """It has the limits of any answer."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send(START)
        await send(body(b"x" * 100, more=True))
        await send(body(b"x" * 100))

    reply = await get(app, SCOPE, "/v1/models", Limits(max_answer=150))
    assert reply == Reply(200, b"x" * 150)
    assert reply.json is None


async def test_no_answer() -> None:
    """One that does not come in time, is cut, or breaks off is a failure."""

    async def slow(scope: Any, receive: Any, send: Any) -> None:
        await anyio.sleep(5)

    async def cut(scope: Any, receive: Any, send: Any) -> None:
        await send(START)

    async def broken(scope: Any, receive: Any, send: Any) -> None:
        raise ConnectionError

    limits = msgspec.structs.replace(Limits(), probe=0.1)
    assert [await get(app, SCOPE, "/", limits) for app in (slow, cut, broken)] == [
        Reply(504, b"", Failure("upstream_timeout", "")),
        Reply(504, b"", Failure("upstream_timeout", "")),
        Reply(502, b"", Failure("upstream_disconnected", "")),
    ]


async def test_unreachable() -> None:
    """It is told why a 502 is not the upstream's own."""
    upstream = Upstream("http://127.0.0.1:9")
    reply = await get(upstream, SCOPE, "/v1/models", Limits())
    await upstream.aclose()
    assert (reply.status, reply.failure) == (502, Failure("upstream_unreachable", "connection refused"))
