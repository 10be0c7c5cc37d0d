"""The middleware as a whole: what is taken, what goes through, what is remembered and told."""

import json
import logging
from typing import Any

import msgspec
import pytest

from diglot.adapters import Limits, Record, ResponsesMiddleware
from diglot.translator import preset

pytestmark = pytest.mark.anyio

ASK = {"model": "m", "input": "hi"}
STREAM = {**ASK, "stream": True}


async def test_answer(talk: Any, chat: Any, completion: bytes) -> None:
    """A finished completion becomes a finished Response."""
    got = await talk(ResponsesMiddleware(chat(completion, kind="application/json")), ASK).run()
    assert got.status == 200
    assert got.json["output"][0]["content"][0]["text"] == "Hello"
    assert got.headers["content-length"] == str(len(got.body))


async def test_stream(talk: Any, chat: Any, hello: list[bytes]) -> None:
    """A chat stream becomes a Responses stream with its headers."""
    got = await talk(ResponsesMiddleware(chat(*hello)), STREAM).run()
    assert got.types[0] == "created"
    assert got.types[-1] == "completed"
    assert got.complete
    assert got.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert got.headers["cache-control"] == "no-cache"
    assert got.headers["x-accel-buffering"] == "no"


async def test_one_send_per_piece(talk: Any, chat: Any, hello: list[bytes]) -> None:
    """Every piece of the upstream gives at most one send, of whole events only."""
    got = await talk(ResponsesMiddleware(chat(*hello)), STREAM).run()
    assert len(got.pieces) <= len(hello)
    assert all(piece.endswith(b"\n\n") for piece in got.pieces if piece)


@pytest.mark.parametrize(
    "scope",
    [
        {"method": "GET"},
        {"path": "/v1/responses/resp_1"},
        {"path": "/v1/chat/completions"},
        {"type": "websocket"},
        {"type": "lifespan"},
    ],
)
async def test_everything_else_goes_through(talk: Any, scope: dict[str, Any]) -> None:
    """Other paths, methods and kinds of connections reach the application as they are."""
    seen: list[Any] = []

    async def app(*args: Any) -> None:
        seen.extend(args)

    one = talk(ResponsesMiddleware(app), **scope)
    await one.run()
    assert seen[0] is one.scope
    assert seen[2] == one._send


async def test_what_the_application_sees(talk: Any, chat: Any, completion: bytes) -> None:
    """The path is the chat path below the same prefix; headers about the old body are gone, the others stay."""
    app = chat(completion, kind="application/json")
    headers = {
        "authorization": "Bearer k",
        "content-type": "x",
        "accept": "*/*",
        "traceparent": "t",
        "connection": "x-y",
        "x-y": "1",
    }
    extensions = {"http.response.pathsend": {}, "tls": {}}
    await talk(ResponsesMiddleware(app), ASK, path="/api/v1/responses", headers=headers, extensions=extensions).run()
    scope = app.scopes[0]
    assert scope["path"] == "/api/v1/chat/completions"
    assert scope["raw_path"] == b"/api/v1/chat/completions"
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
    assert app.bodies == [{"model": "m", "messages": [{"role": "user", "content": "hi"}]}]


@pytest.mark.parametrize("raw", [None, b"", b"/v1/respons%65s"])
async def test_raw_path_may_be_anything(talk: Any, chat: Any, completion: bytes, raw: bytes | None) -> None:
    """The raw path is made new where it is missing or spelled in another way."""
    app = chat(completion, kind="application/json")
    await talk(ResponsesMiddleware(app), ASK, raw_path=raw).run()
    assert app.scopes[0]["raw_path"] == b"/v1/chat/completions"


async def test_a_stream_is_asked_for_as_one(talk: Any, chat: Any, hello: list[bytes]) -> None:
    """The upstream is asked for an event stream, and for nothing compressed."""
    app = chat(*hello)
    await talk(ResponsesMiddleware(app), STREAM, headers={"accept-encoding": "gzip"}).run()
    assert dict(app.scopes[0]["headers"])[b"accept"] == b"text/event-stream"
    assert dict(app.scopes[0]["headers"])[b"accept-encoding"] == b"identity"


async def test_headers_that_stay(talk: Any, chat: Any, completion: bytes) -> None:
    """Request ids and rate limits of the upstream reach the client; what described the old body does not."""
    headers = {
        "x-request-id": "r",
        "x-ratelimit-limit": "9",
        "content-encoding": "identity",
        "transfer-encoding": "chunked",
    }
    got = await talk(ResponsesMiddleware(chat(completion, kind="application/json", headers=headers)), ASK).run()
    assert got.headers["x-request-id"] == "r"
    assert got.headers["x-ratelimit-limit"] == "9"
    assert got.headers["content-type"] == "application/json"
    assert "transfer-encoding" not in got.headers
    assert "content-encoding" not in got.headers


async def test_losses_header(talk: Any, chat: Any, completion: bytes) -> None:
    """What could not be carried over is named in a header, also when the upstream then refuses."""
    ask = {**ASK, "truncation": "auto"}
    good = await talk(ResponsesMiddleware(chat(completion, kind="application/json")), ask).run()
    bad = await talk(ResponsesMiddleware(chat(b"{}", status=500)), ask).run()
    assert good.headers["diglot-losses"].startswith('"truncation";kind=dropped')
    assert bad.headers["diglot-losses"] == good.headers["diglot-losses"]


async def test_strict(talk: Any, chat: Any) -> None:
    """In strict mode a loss is refused, and the upstream never hears of it."""
    app = chat()
    got = await talk(ResponsesMiddleware(app, strict=True), {**ASK, "truncation": "auto"}).run()
    assert got.status == 400
    assert got.error["param"] == "truncation"
    assert app.bodies == []


async def test_compaction(talk: Any, chat: Any, completion: bytes) -> None:
    """A conversation is compacted by the same application."""
    app, records = chat(completion, kind="application/json"), list[Record]()
    got = await talk(ResponsesMiddleware(app, on_exchange=records.append), ASK, path="/v1/responses/compact").run()
    assert got.json["object"] == "response.compaction"
    assert got.json["output"][-1]["type"] == "compaction"
    assert app.scopes[0]["path"] == "/v1/chat/completions"
    assert records[0].outcome == "completed"


async def test_profile_by_name_or_object() -> None:
    """A preset can be given by its name; an unknown name is refused at once."""

    async def app(*args: Any) -> None: ...

    assert ResponsesMiddleware(app, "vllm").profile == ResponsesMiddleware(app, preset("vllm")).profile
    with pytest.raises(ValueError):
        ResponsesMiddleware(app, "nobody")


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

    middleware = ResponsesMiddleware(app)
    first = await talk(middleware, STREAM).run()
    second = await talk(middleware, STREAM).run()
    assert first.types[-1] == second.types[-1] == "completed"
    assert ["stream_options" in body for body in bodies] == [True, False, False]
    warnings = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert len(warnings) == 1
    assert "stream_usage" in warnings[0]


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
        middleware = ResponsesMiddleware(app)
        before = middleware.profile
        got = await talk(middleware, {**STREAM, "max_output_tokens": 5}).run()
        assert got.status == 400
        assert app.count == 2
        assert middleware.profile == before


async def test_lessons_add_up(talk: Any, completion: bytes) -> None:
    """Two lessons of one request are both remembered, and what others learned meanwhile stays."""
    app = Picky(["stream_options", "max_tokens"], 200, completion)
    middleware = ResponsesMiddleware(app)
    one = talk(middleware, {**STREAM, "max_output_tokens": 5})

    async def meanwhile(message: Any) -> None:
        middleware.profile = msgspec.structs.replace(middleware.profile, custom_tools=True)

    one.hold = meanwhile
    assert (await one.run()).types[-1] == "completed"
    assert (middleware.profile.stream_usage, middleware.profile.renamed) == (False, {})
    assert middleware.profile.custom_tools
    assert app.count == 3


async def test_record(talk: Any, chat: Any, hello: list[bytes], caplog: pytest.LogCaptureFixture) -> None:
    """Every exchange leaves one record without a word that anybody wrote."""
    caplog.set_level(logging.INFO, "diglot.access")
    records: list[Record] = []
    ask = {**STREAM, "input": "my secret", "truncation": "auto"}
    middleware = ResponsesMiddleware(chat(*hello), on_exchange=records.append)
    await talk(middleware, ask, headers={"authorization": "Bearer key"}, query_string=b"q=hidden").run()
    (record,) = records
    assert (record.method, record.path, record.status, record.model) == ("POST", "/v1/responses", 200, "m")
    assert (record.streaming, record.outcome, record.error) == (True, "completed", None)
    assert [(loss.path, loss.value) for loss in record.losses] == [("truncation", None)]
    logged = [entry.__dict__["exchange"] for entry in caplog.records if entry.name == "diglot.access"]
    assert logged == [record.fields()]
    assert not any(word in str(caplog.records[0].__dict__) for word in ("secret", "Bearer", "hidden"))


async def test_a_broken_callback_breaks_nothing(
    talk: Any, chat: Any, completion: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    """What on_exchange raises is logged and nothing else."""

    def fail(record: Record) -> None:
        raise RuntimeError

    got = await talk(ResponsesMiddleware(chat(completion, kind="application/json"), on_exchange=fail), ASK).run()
    assert got.status == 200
    assert "on_exchange raised" in caplog.text


async def test_limits_are_used(talk: Any, chat: Any) -> None:
    """A body over the limit is answered with 413."""
    got = await talk(ResponsesMiddleware(chat(), limits=Limits(max_body=10)), ASK).run()
    assert got.status == 413
