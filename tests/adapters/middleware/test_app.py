"""The middleware as a whole: what is taken, what goes through, what is remembered and told."""

import json
import logging
from typing import Any

import anyio
import msgspec
import pytest

from diglot.adapters import Limits, Record, TranslationMiddleware
from diglot.translator import preset

pytestmark = pytest.mark.anyio

ASK = {"model": "m", "input": "hi"}
STREAM = {**ASK, "stream": True}


async def test_answer(side: Any, chat: Any) -> None:
    """A finished answer becomes one of the other API."""
    got = await side.talk(chat(side.whole, kind="application/json"), side.ask).run()
    assert got.status == 200
    assert side.text(got) == "Hello"
    assert got.headers["content-length"] == str(len(got.body))


async def test_stream(side: Any, chat: Any) -> None:
    """A stream becomes one of the other API, with its headers."""
    got = await side.talk(chat(*side.hello), side.stream).run()
    assert (side.text(got), side.ending(got)) == ("Hello", "completed")
    assert got.complete
    assert got.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert got.headers["cache-control"] == "no-cache"
    assert got.headers["x-accel-buffering"] == "no"


async def test_one_send_per_piece(side: Any, chat: Any) -> None:
    """Every piece of the upstream gives at most one send, of whole events only."""
    got = await side.talk(chat(*side.hello), side.stream).run()
    assert len(got.pieces) <= len(side.hello)
    assert all(piece.endswith(b"\n\n") for piece in got.pieces if piece)


EVERYTHING_ELSE: list[dict[str, Any]] = [
    {"method": "GET"},
    {"path": "/v1/responses/resp_1"},
    {"path": "/v1/responses/resp_1/cancel"},
    {"path": "/v1/chat/completions/c1"},
    {"type": "websocket"},
    {"type": "lifespan"},
]


@pytest.mark.parametrize("api", ["chat", "responses", "auto"])
@pytest.mark.parametrize("scope", EVERYTHING_ELSE)
async def test_everything_else_goes_through(talk: Any, scope: dict[str, Any], api: Any) -> None:
    """Other paths, methods and kinds of connections reach the application as they are."""
    seen: list[Any] = []

    async def app(*args: Any) -> None:
        seen.extend(args)

    one = talk(TranslationMiddleware(app, upstream_api=api), **scope)
    await one.run()
    assert seen[0] is one.scope
    assert seen[2] == one._send


async def test_what_the_upstream_has_goes_through(side: Any, chat: Any) -> None:
    """A request that the upstream understands is left alone."""
    app = chat(side.whole, kind="application/json")
    got = await side.talk(app, {"any": "thing"}, {"path": side.theirs}).run()
    assert (app.bodies, got.body) == ([{"any": "thing"}], side.whole)


async def test_compaction_where_the_upstream_has_responses(responses_side: Any, chat: Any) -> None:
    """It is the upstream's."""
    app = chat(b"{}", kind="application/json")
    await responses_side.talk(app, {"any": "thing"}, {"path": "/v1/responses/compact"}).run()
    assert app.scopes[0]["path"] == "/v1/responses/compact"


async def test_what_the_application_sees(side: Any, chat: Any) -> None:
    """The path is the other one below the same prefix; headers about the old body are gone, the others stay."""
    app = chat(side.whole, kind="application/json")
    headers = {
        "authorization": "Bearer k",
        "content-type": "application/vnd.x+json",
        "accept": "*/*",
        "traceparent": "t",
        "connection": "x-y",
        "x-y": "1",
    }
    extensions = {"http.response.pathsend": {}, "tls": {}}
    await side.talk(app, side.ask, {"path": f"/api{side.path}", "headers": headers, "extensions": extensions}).run()
    scope = app.scopes[0]
    assert scope["path"] == f"/api{side.theirs}"
    assert scope["raw_path"] == f"/api{side.theirs}".encode()
    assert scope["extensions"] == {"tls": {}}
    seen = dict(scope["headers"])
    assert seen.pop(b"content-length").isdigit()
    assert seen == {
        b"authorization": b"Bearer k",
        b"traceparent": b"t",
        b"content-type": b"application/json",
        b"accept": b"application/json",
        b"accept-encoding": b"identity",
    }
    (body,) = app.bodies
    if side.is_chat:
        assert body == {"model": "m", "messages": [{"role": "user", "content": "hi"}]}
    else:
        assert (body["model"], body["store"], len(body["input"])) == ("m", False, 1)


@pytest.mark.parametrize("auto", [False, True])
async def test_routes_of_the_application(side: Any, auto: bool) -> None:
    """What only ends like ours is the application's, untouched and unprobed; `paths` makes it ours."""
    seen: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.append(scope)

    scope = {"path": f"/surveys/7{side.path.removeprefix('/v1')}"}
    settings: dict[str, Any] = {"upstream_api": "auto"} if auto else {}
    one = side.talk(app, side.ask, scope, **settings)
    await one.run()
    assert len(seen) == 1
    assert seen[0] is one.scope
    ours = side.talk(app, side.ask, scope, paths=["/surveys/*"], **settings)
    await ours.run()
    assert len(seen) > 1
    assert seen[1] is not ours.scope


@pytest.mark.parametrize("kind", [memoryview, bytearray])
@pytest.mark.parametrize("ask", ["ask", "stream"])
async def test_bodies_that_are_no_bytes(side: Any, kind: Any, ask: str) -> None:
    """Starlette sends memoryviews as they are (W46)."""
    pieces = [side.whole[:9], side.whole[9:]] if ask == "ask" else side.hello
    content = b"application/json" if ask == "ask" else b"text/event-stream"

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", content)]})
        for piece in pieces:
            await send({"type": "http.response.body", "body": kind(piece), "more_body": True})
        await send({"type": "http.response.body", "body": kind(b"")})

    got = await side.talk(app, side.body[ask]).run()
    assert (got.status, side.text(got)) == (200, "Hello")


async def test_the_profile_may_be_the_second_argument(side: Any, chat: Any) -> None:
    """As lists of middleware have it: `add_middleware(TranslationMiddleware, "openai")`."""
    app = chat(side.whole, kind="application/json")
    assert TranslationMiddleware(app, "openai").profile == preset("openai")


@pytest.mark.parametrize("raw", [None, b"", b"/v1/respons%65s"])
async def test_raw_path_may_be_anything(side: Any, chat: Any, raw: bytes | None) -> None:
    """The raw path is made new where it is missing or spelled in another way."""
    app = chat(side.whole, kind="application/json")
    await side.talk(app, side.ask, {"raw_path": raw}).run()
    assert app.scopes[0]["raw_path"] == side.theirs.encode()


async def test_a_stream_is_asked_for_as_one(side: Any, chat: Any) -> None:
    """The upstream is asked for an event stream, and for nothing compressed."""
    app = chat(*side.hello)
    await side.talk(app, side.stream, {"headers": {"accept-encoding": "gzip"}}).run()
    assert dict(app.scopes[0]["headers"])[b"accept"] == b"text/event-stream"
    assert dict(app.scopes[0]["headers"])[b"accept-encoding"] == b"identity"


async def test_headers_that_stay(side: Any, chat: Any) -> None:
    """Request ids and rate limits of the upstream reach the client; what described the old body does not."""
    headers = {
        "x-request-id": "r",
        "x-ratelimit-limit": "9",
        "content-encoding": "identity",
        "transfer-encoding": "chunked",
    }
    got = await side.talk(chat(side.whole, kind="application/json", headers=headers), side.ask).run()
    assert got.headers["x-request-id"] == "r"
    assert got.headers["x-ratelimit-limit"] == "9"
    assert got.headers["content-type"] == "application/json"
    assert "transfer-encoding" not in got.headers
    assert "content-encoding" not in got.headers


async def test_losses_header(side: Any, chat: Any) -> None:
    """What could not be carried over is named in a header, also when the upstream then refuses."""
    good = await side.talk(chat(side.whole, kind="application/json"), side.lossy).run()
    bad = await side.talk(chat(b"{}", status=500), side.lossy).run()
    assert good.headers["diglot-losses"].startswith(f'"{side.lost}";kind=dropped')
    assert bad.headers["diglot-losses"] == good.headers["diglot-losses"]


async def test_strict(side: Any, chat: Any) -> None:
    """In strict mode a loss is refused, and the upstream never hears of it."""
    app = chat()
    got = await side.talk(app, side.lossy, strict=True).run()
    assert got.status == 400
    assert got.error["param"] == side.lost
    assert app.bodies == []


async def test_compaction(talk: Any, chat: Any, completion: bytes) -> None:
    """A conversation is compacted by the same application."""
    app, records = chat(completion, kind="application/json"), list[Record]()
    got = await talk(TranslationMiddleware(app, on_exchange=records.append), ASK, path="/v1/responses/compact").run()
    assert got.json["object"] == "response.compaction"
    assert got.json["output"][-1]["type"] == "compaction"
    assert app.scopes[0]["path"] == "/v1/chat/completions"
    assert records[0].outcome == "completed"


async def test_profile_by_name_or_object() -> None:
    """A preset can be given by its name; an unknown name is refused at once."""

    async def app(*args: Any) -> None: ...

    assert TranslationMiddleware(app, profile="vllm").profile == preset("vllm")
    with pytest.raises(ValueError):
        TranslationMiddleware(app, profile="nobody")
    with pytest.raises(ValueError, match="chat, responses, auto"):
        TranslationMiddleware(app, upstream_api="both")  # type: ignore[arg-type]


async def test_what_is_learned_is_remembered(talk: Any, completion: bytes, caplog: pytest.LogCaptureFixture) -> None:
    """A refusal of what was added is tried again without it, told once, and avoided from then on."""
    bodies: list[dict[str, Any]] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        bodies.append(json.loads((await receive())["body"]))
        refused = "stream_options" in bodies[-1]
        answer = b'{"error":{"message":"Unknown parameter: stream_options"}}' if refused else completion
        kind = [(b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": 400 if refused else 200, "headers": kind})
        await send({"type": "http.response.body", "body": answer})

    middleware = TranslationMiddleware(app)
    first = await talk(middleware, STREAM).run()
    second = await talk(middleware, STREAM).run()
    assert first.types[-1] == second.types[-1] == "completed"
    assert ["stream_options" in body for body in bodies] == [True, False, False]
    warnings = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert len(warnings) == 1
    assert "stream_usage=False" in warnings[0]
    assert middleware.learned == [{"setting": "stream_usage", "value": False, "models": 1}]


async def test_what_two_requests_learn_at_once_is_told_once(
    talk: Any, completion: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    """The second lesson is nothing new."""
    app = Picky(["stream_options"], 200, completion)
    both_came, came = anyio.Event(), 0

    async def together(scope: Any, receive: Any, send: Any) -> None:
        nonlocal came
        came += 1
        if came == 2:
            both_came.set()
        await both_came.wait()
        await app(scope, receive, send)

    middleware = TranslationMiddleware(together)
    async with anyio.create_task_group() as tasks:
        for _ in range(2):
            tasks.start_soon(talk(middleware, STREAM).run)
    assert app.count == 4
    assert len([record for record in caplog.records if record.levelno == logging.WARNING]) == 1


class Picky:
    """Refuses requests that have one of the given fields, in the order given; then *status*."""

    def __init__(self, refused: list[str], status: int, completion: bytes) -> None:
        self.refused = refused
        self.status = status
        self.completion = completion
        self.count = 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        body = json.loads((await receive())["body"])
        self.count += 1
        name = next((name for name in self.refused if name in body), None)
        error = {"error": {"message": f"Unsupported parameter: {name}"}}
        answer = json.dumps(error).encode() if name or self.status != 200 else self.completion
        kind = [(b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": 400 if name else self.status, "headers": kind})
        await send({"type": "http.response.body", "body": answer})


async def test_lessons_that_did_not_help_are_not_remembered(talk: Any, completion: bytes) -> None:
    """Only what the upstream then accepted is a lesson; a setting never goes to and fro."""
    for app in (Picky(["stream_options"], 400, completion), Picky(["max_tokens", "max_completion_tokens"], 200, b"{}")):
        middleware = TranslationMiddleware(app)
        got = await talk(middleware, {**STREAM, "max_output_tokens": 5}).run()
        assert got.status == 400
        assert app.count == 2
        assert middleware.profile_for("/v1/responses", "m") == middleware.profile
        assert middleware.learned == []


async def test_lessons_add_up(talk: Any, completion: bytes) -> None:
    """Two lessons of one request are both remembered, and what others learned meanwhile stays."""
    app = Picky(["stream_options", "max_tokens"], 200, completion)
    middleware = TranslationMiddleware(app)
    one = talk(middleware, {**STREAM, "max_output_tokens": 5})

    async def meanwhile(message: Any) -> None:
        middleware.profile = msgspec.structs.replace(middleware.profile, custom_tools=True)

    one.hold = meanwhile
    assert (await one.run()).types[-1] == "completed"
    learned = middleware.profile_for("/v1/responses", "m")
    assert (learned.stream_usage, learned.renamed, learned.custom_tools) == (False, {}, True)
    assert middleware.profile_for("/v1/responses", "other") == middleware.profile
    assert app.count == 3


async def test_limits_are_used(talk: Any, chat: Any) -> None:
    """A body over the limit is answered with 413."""
    got = await talk(TranslationMiddleware(chat(), limits=Limits(max_body=10)), ASK).run()
    assert got.status == 413
