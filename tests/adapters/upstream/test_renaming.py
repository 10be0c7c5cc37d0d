"""Requests that pass through under another name of their model, and their answers."""

import gzip
import json
from typing import Any

import pytest

from diglot.adapters.asgi.request_body import read_ahead
from diglot.adapters.asgi.types import DECODED_BODY, MODEL_ROUTE, beginning_with
from diglot.adapters.limits import Limits
from diglot.adapters.middleware.model_route import ModelRoute
from diglot.adapters.upstream.renaming import Renaming
from diglot.translator import Profile, RequestBody, RequestError

pytestmark = pytest.mark.anyio
ASK = {"model": "asked", "messages": [], "metadata": {"model": "asked"}}
JSON = (b"content-type", b"application/json; charset=utf-8")
STREAM = (b"content-type", b"text/event-stream")


class Upstream:
    """Answers with these pieces, and notes what it got."""

    def __init__(self, *pieces: bytes, status: int = 200, headers: Any = (JSON,)) -> None:
        self.pieces, self.status, self.headers = pieces, status, list(headers)
        self.scope: Any = None
        self.body = b""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.scope = scope
        more = True
        while more:
            message = await receive()
            self.body += message.get("body", b"")
            more = message.get("more_body", False)
        await send({"type": "http.response.start", "status": self.status, "headers": self.headers})
        for piece in self.pieces:
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    @property
    def headers_got(self) -> dict[bytes, bytes]:
        return dict(self.scope["headers"])


def in_front(app: Any, limits: Limits, decodes: bool = True) -> Any:
    """*app* as a router leaves it: the request is decoded."""

    async def routed(scope: Any, receive: Any, send: Any) -> None:
        message = await read_ahead(scope, receive, limits)
        if not decodes:
            message = {**message}
            message.pop("diglot.decoded", None)
        await Renaming(app, limits)(scope, beginning_with([message], receive), send)

    return routed


async def ask(
    talk: Any, upstream: Upstream, body: Any = ASK, limits: Limits | None = None, model: str = "real", **more: Any
) -> Any:
    route = ModelRoute("asked", model, "u", Profile())
    app = in_front(upstream, limits or Limits(), **more)
    headers = {"content-type": "application/json", "accept-encoding": "br", "content-length": "1"}
    if isinstance(body, bytes):
        headers["content-encoding"] = "gzip"
    length = len(body if isinstance(body, bytes) else json.dumps(body).encode())
    headers["content-length"] = str(length)
    return await talk(app, body, path="/v1/chat/completions", headers=headers, **{MODEL_ROUTE: route}).run()


async def test_finished(talk: Any) -> None:
    """The upstream gets its own name, and the client its own; nothing nested is touched."""
    upstream = Upstream(b'{"model":"real-1","x":', b'{"model":"real-1"}}', headers=[JSON, (b"etag", b"e")])
    got = await ask(talk, upstream)
    assert json.loads(upstream.body) == {**ASK, "model": "real"}
    assert upstream.headers_got[b"content-length"] == str(len(upstream.body)).encode()
    assert upstream.headers_got[b"accept-encoding"] == b"identity"
    assert got.json == {"model": "asked", "x": {"model": "real-1"}}
    assert got.headers == {"content-type": JSON[1].decode(), "content-length": str(len(got.body))}


async def test_compressed_request(talk: Any) -> None:
    """It is sent as it is read; an answer that is compressed all the same is left alone."""
    packed = gzip.compress(b'{"model":"real"}')
    upstream = Upstream(packed, headers=[JSON, (b"content-encoding", b"gzip")])
    got = await ask(talk, upstream, gzip.compress(json.dumps(ASK).encode()))
    assert json.loads(upstream.body)["model"] == "real"
    assert b"content-encoding" not in upstream.headers_got
    assert got.body == packed


async def test_the_same_name(talk: Any) -> None:
    """Its body goes through as it came; its answer has the name that was asked for, not that of a snapshot."""
    upstream = Upstream(b'{"model":"asked-2026"}')
    got = await ask(talk, upstream, model="asked")
    assert upstream.body == json.dumps(ASK).encode()
    assert got.json == {"model": "asked"}


async def test_stream(talk: Any) -> None:
    """Each line, as soon as it is there."""
    upstream = Upstream(
        b'data: {"mod', b'el":"real"}\n\n', b"data: [DONE]\n\n", headers=[STREAM, (b"content-length", b"9")]
    )
    got = await ask(talk, upstream)
    assert got.pieces == [b'data: {"model":"asked"}\n\n', b"data: [DONE]\n\n", b""]
    assert got.headers == {"content-type": "text/event-stream"}


@pytest.mark.parametrize(
    ("upstream", "body"),
    [
        (Upstream(b'{"error":1,"model":"real"}', status=400), b'{"error":1,"model":"real"}'),
        (Upstream(b"model", headers=[(b"content-type", b"audio/mpeg")]), b"model"),
        (Upstream(b'{"model":"real"', headers=[JSON]), b'{"model":"real"'),
        (Upstream(b'["model"]'), b'["model"]'),
        (Upstream(b'{"model":7}'), b'{"model":7}'),
        (Upstream(b"[" * 100_000), b"[" * 100_000),
    ],
)
async def test_what_is_left_alone(talk: Any, upstream: Upstream, body: bytes) -> None:
    """Errors, other media, and what cannot be read."""
    got = await ask(talk, upstream)
    assert (got.body, got.status, got.complete) == (body, upstream.status, True)


async def test_large(talk: Any) -> None:
    """A large answer is read in a thread; one beyond the limit goes through as it is."""
    large = b'{"model":"real","x":"%b"}' % (b"y" * 2**21)
    got = await ask(talk, Upstream(large[:10], large[10:]), {**ASK, "x": "y" * 2**21})
    assert got.json["model"] == "asked"
    got = await ask(talk, Upstream(large[:10], large[10:]), limits=Limits(max_answer=1000))
    assert (got.body, len(got.pieces)) == (large, 3)


async def test_payloads(talk: Any) -> None:
    """What was not decoded is there again; what cannot be JSON is refused."""
    picture = "data:image/png;base64," + "iVBOR" * 20_000
    body = {"model": "asked", "messages": [{"role": "user", "content": [{"image_url": {"url": picture}}]}]}
    upstream = Upstream(b"{}")
    await ask(talk, upstream, body)
    assert json.loads(upstream.body) == {**body, "model": "real"}


async def test_translated_requests(talk: Any) -> None:
    """They have the right name already, and so do requests without a route."""
    upstream = Upstream(b'{"model":"real"}')
    got = await ask(talk, upstream, decodes=False)
    assert (json.loads(upstream.body), got.json) == (ASK, {"model": "real"})
    upstream = Upstream(b'{"model":"real"}')
    got = await talk(Renaming(upstream, Limits()), ASK).run()
    assert (json.loads(upstream.body), got.json) == (ASK, {"model": "real"})


async def test_a_request_that_turns_out_to_be_wrong(talk: Any) -> None:
    """The client is told, and the upstream is not asked."""

    class Wrong(RequestBody):
        def replaced(self, **values: Any) -> Any:
            raise RequestError("The request body is not JSON, or is nested too deeply.", code="invalid_json")

    async def routed(scope: Any, receive: Any, send: Any) -> None:
        message = {**await receive(), DECODED_BODY: Wrong(ASK)}
        await Renaming(upstream, Limits())(scope, beginning_with([message], receive), send)

    upstream = Upstream()
    got = await talk(routed, ASK, **{MODEL_ROUTE: ModelRoute("asked", "real", "u", Profile())}).run()
    assert (got.status, got.json["error"]["code"]) == (400, "invalid_json")
    assert upstream.scope is None
