"""The life of one request: clients that leave, upstreams that hang, servers that stop."""

import gc
import json
import logging
import tracemalloc
from time import monotonic
from typing import Any

import anyio
import pytest
from starlette.middleware.base import BaseHTTPMiddleware

from diglot.adapters import Limits, Record
from diglot.adapters.middleware import routes
from diglot.translator import Profile, RequestBody, Retries, UpstreamError

pytestmark = pytest.mark.anyio

QUICK = Limits(keepalive=0.05, first_byte=0.4, idle=0.4, after_finish=0.1, shutdown=0.1)
FOREVER = 3600
DONE = b"data: [DONE]\n\n"
EVENTS = b"text/event-stream"
PRIVATE = "what somebody wrote"


@pytest.fixture
def records() -> list[Record]:
    """What is told of exchanges."""
    return []


async def test_first_byte_timeout(side: Any, chat: Any) -> None:
    """An upstream that says nothing is given up with 504."""
    app = chat(FOREVER)
    got = await side.talk(app, side.ask, limits=QUICK).run()
    assert (got.status, got.error["code"]) == (504, "upstream_timeout")
    assert app.disconnected
    assert app.cancelled


async def test_first_byte_timeout_of_a_stream(side: Any, chat: Any) -> None:
    """A stream was kept alive meanwhile, so it ends as failed."""
    got = await side.talk(chat(FOREVER), side.stream, limits=QUICK).run()
    assert got.status == 200
    assert side.ending(got) == "failed"
    assert len(got.events) == (3 if side.is_chat else 2)
    assert got.body.count(b": keep-alive\n\n") > 2
    assert got.complete


async def test_idle_timeout(side: Any, chat: Any) -> None:
    """A stream that stops flowing ends as failed."""
    got = await side.talk(chat(side.say("Hel"), FOREVER), side.stream, limits=QUICK).run()
    assert side.ending(got) == "failed"
    assert side.text(got) == "Hel"


async def test_keep_alive_before_anything(side: Any, chat: Any) -> None:
    """While a model thinks, the stream begins and is kept alive; the answer then goes on in it."""
    limits = Limits(keepalive=0.05)
    got = await side.talk(chat(0.2, *side.hello), side.stream, limits=limits).run()
    if side.is_chat:
        assert got.types[:3] == ["created", "in_progress", "output_item.added"]
        assert [event["sequence_number"] for event in got.events] == list(range(len(got.events)))
    else:
        assert got.events[0]["choices"][0]["delta"]["role"] == "assistant"
    assert side.ending(got) == "completed"
    assert b": keep-alive\n\n" in got.body


async def test_error_after_keep_alive(side: Any, chat: Any) -> None:
    """Once a stream has begun, an HTTP error of the upstream can only end it."""
    app = chat(0.2, b'{"error":{"message":"busy"}}', status=503, kind="application/json")
    got = await side.talk(app, side.stream, limits=Limits(keepalive=0.05)).run()
    assert got.status == 200
    assert side.ending(got) == "failed"
    assert "busy" in side.failure(got)


async def test_finished_but_not_closed(side: Any, chat: Any) -> None:
    """After the finish reason the end is only waited for a moment."""
    app = chat(side.say("Hello"), side.end, FOREVER)
    got = await side.talk(app, side.stream, limits=Limits(after_finish=0.1, shutdown=0.1)).run()
    assert side.ending(got) == "completed"
    assert app.cancelled


async def test_done_but_not_closed(side: Any, chat: Any) -> None:
    """The client has its whole answer at `[DONE]`, even if the upstream keeps its connection."""
    app = chat(*side.hello, FOREVER)
    got = await side.talk(app, side.stream, limits=Limits(after_finish=0.1, shutdown=0.1)).run()
    assert got.complete
    assert app.disconnected
    assert app.cancelled


async def test_a_server_that_stops_after_the_answer(side: Any, chat: Any) -> None:
    """What an application still does then ends with the server; its client has had its answer."""
    app = chat(side.whole, kind="application/json")

    async def with_background(scope: Any, receive: Any, send: Any) -> None:
        await app(scope, receive, send)
        await anyio.sleep(30)

    one = side.talk(with_background, side.ask)
    with anyio.move_on_after(0.2):
        await one.run()
    assert (one.status, one.complete) == (200, True)
    assert len(one.pieces) == 1


async def test_a_chunk_while_the_client_is_kept_alive(side: Any, chat: Any) -> None:
    """One writer at a time: what the application says waits until the comment is out."""
    app = chat(side.say("Hel"), 0.1, side.say("lo"), side.end, *([DONE] if side.is_chat else []))

    async def slow(message: Any) -> None:
        if message.get("body") == b": keep-alive\n\n":
            await anyio.sleep(0.2)

    one = side.talk(app, side.stream, limits=Limits(keepalive=0.05))
    one.hold = slow
    await one.run()
    assert side.text(one) == "Hello"
    assert side.ending(one) == "completed"


async def test_messages_of_other_kinds(side: Any, chat: Any) -> None:
    """What an application says beyond head and body is left alone."""
    app = chat(side.whole, kind="application/json")

    async def chatty(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.debug", "info": {}})
        await app(scope, receive, send)

    assert (await side.talk(chatty, side.ask).run()).status == 200


async def test_work_after_the_answer(side: Any, chat: Any) -> None:
    """What an application does after its answer (background tasks) is left alone."""
    app = chat(side.whole, kind="application/json")
    done = False

    async def with_background(scope: Any, receive: Any, send: Any) -> None:
        nonlocal done
        await app(scope, receive, send)
        await anyio.sleep(0.4)
        done = True

    got = await side.talk(with_background, side.ask, limits=QUICK).run()
    assert got.status == 200
    assert done


@pytest.mark.parametrize("copies", [1, 3])
@pytest.mark.parametrize("ask", ["ask", "stream"])
async def test_an_application_that_waits_for_the_end(side: Any, ask: str, copies: int) -> None:
    """Once an application has said everything, it hears that nobody listens any more: some (Litestar) wait for it."""
    body = {**side.body[ask], **({} if side.is_chat else {"n": copies})}
    ended, records = list[bool](), list[Record]()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        kind = b"text/event-stream" if ask == "stream" else b"application/json"
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", kind)]})
        data = b"".join(side.hello) if ask == "stream" else side.whole
        await send({"type": "http.response.body", "body": data})
        ended.append((await receive())["type"] == "http.disconnect")

    got = await side.talk(app, body, on_exchange=records.append).run()
    assert got.complete
    assert ended == [True] * (1 if side.is_chat else copies)
    assert [record.outcome for record in records] == ["completed"]


@pytest.mark.parametrize("ask", ["ask", "stream"])
async def test_client_leaves(side: Any, chat: Any, ask: str) -> None:
    """The application hears that the client has gone, and is cancelled soon after."""
    app, records = chat(FOREVER), list[Record]()
    one = side.talk(app, side.body[ask], limits=Limits(shutdown=0.1), on_exchange=records.append)
    began = monotonic()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(one.run)
        await anyio.sleep(0.05)
        one.gone.set()
    assert monotonic() - began < 5
    assert app.disconnected
    assert app.cancelled
    assert (one.status, one.body, one.complete) == (499, b"", True)
    assert (records[0].status, records[0].outcome) == (499, "disconnected")


@pytest.mark.parametrize("ask", ["ask", "stream"])
async def test_client_leaves_below_other_middleware(
    talk: Any, side: Any, chat: Any, ask: str, records: list[Record]
) -> None:
    """Starlette's `BaseHTTPMiddleware` calls it a fault when an application sends nothing; here it has an end (W43)."""

    async def passive(request: Any, following: Any) -> Any:
        return await following(request)

    app = side.middleware(chat(FOREVER), limits=Limits(shutdown=0.1), on_exchange=records.append)
    one = talk(BaseHTTPMiddleware(app, passive), side.body[ask], path=side.path)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(one.run)
        await anyio.sleep(0.05)
        one.gone.set()
    assert one.status == 499
    assert (records[0].status, records[0].outcome) == (499, "disconnected")


async def test_client_leaves_while_it_asks(side: Any, chat: Any) -> None:
    """Half a request is no request."""
    app = chat()
    one = side.talk(app, side.ask)
    one._pieces[0]["more_body"] = True
    one.gone.set()
    await one.run()
    assert (one.status, one.body, one.complete) == (499, b"", True)
    assert app.bodies == []


async def test_server_that_says_so_with_an_error(side: Any, chat: Any) -> None:
    """Servers may raise OSError when the client has gone; the application sees it, nobody else does."""
    app, records = chat(*side.hello), list[Record]()

    async def broken(message: Any) -> None:
        raise OSError

    one = side.talk(app, side.stream, on_exchange=records.append)
    one.hold = broken
    await one.run()
    assert app.finished == 0
    assert records[0].outcome == "disconnected"


@pytest.mark.parametrize("body", ["{}", "ask"])
async def test_error_that_nobody_hears(side: Any, chat: Any, body: str) -> None:
    """A client that has gone before its error came breaks nothing."""

    async def broken(message: Any) -> None:
        raise OSError

    one = side.talk(chat(b"{}", status=500), side.body.get(body, {}))
    one.hold = broken
    await one.run()


async def test_keep_alive_that_nobody_hears(side: Any, chat: Any) -> None:
    """A client that turns out to be gone when it is to be kept alive ends the exchange."""
    app = chat(FOREVER)

    async def broken(message: Any) -> None:
        raise OSError

    one = side.talk(app, side.stream, limits=QUICK)
    one.hold = broken
    await one.run()
    assert app.cancelled


async def test_back_pressure(side: Any, chat: Any) -> None:
    """The application waits until the client has taken what it sent; a slow client is not the upstream's fault."""
    app = chat(*(side.say("x") for _ in range(5)), side.end)
    one = side.talk(app, side.stream, limits=QUICK)
    assert await one.run_held(0.8) == 2
    assert side.ending(one) == "completed"


@pytest.mark.parametrize("grouped", [False, True])
@pytest.mark.parametrize("said", [False, True])
async def test_application_raises(
    side: Any, grouped: bool, said: bool, caplog: pytest.LogCaptureFixture, records: list[Record]
) -> None:
    """The client is told in its dialect and without the words; then the exception goes on to the host, who logs it."""
    error = ValueError(PRIVATE)

    async def fail() -> None:
        raise error

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if said:
            await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", EVENTS)]})
            await send({"type": "http.response.body", "body": side.say("Hel"), "more_body": True})
        if not grouped:
            await fail()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(fail)

    caplog.set_level(logging.INFO)
    body = side.stream if said else side.ask
    raised = ExceptionGroup("g", [error]) if grouped else error
    got = await side.talk(app, body, on_exchange=records.append).run(raises=raised)
    assert got.status == (200 if said else 502)
    assert got.complete
    assert "raised" not in caplog.text
    assert PRIVATE not in caplog.text + got.body.decode()
    assert [record.outcome for record in records] == ["failed" if said else "refused"]


async def test_application_raises_behind_its_answer(side: Any, chat: Any, records: list[Record]) -> None:
    """A background task that fails is the host's affair; its client has had its answer."""
    app = chat(side.whole, kind="application/json")

    async def with_background(scope: Any, receive: Any, send: Any) -> None:
        await app(scope, receive, send)
        await receive()
        raise ValueError

    got = await side.talk(with_background, side.ask, on_exchange=records.append).run(raises=ValueError())
    assert got.status == 200
    assert [record.outcome for record in records] == ["completed"]


@pytest.mark.parametrize("ask", ["ask", "stream"])
async def test_application_raises_because_it_was_dismissed(side: Any, ask: str) -> None:
    """What an application raises when it hears that nobody waits (Starlette's ClientDisconnect) is no news."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        raise ValueError

    got = await side.talk(app, side.body[ask], limits=QUICK).run()
    assert got.status == (504 if ask == "ask" else 200)
    one = side.talk(app, side.body[ask])
    one.gone.set()
    await one.run()
    assert one.status == 499


async def test_application_raises_one_of_ours(side: Any) -> None:
    """An error of our own tree keeps its status, also inside a group."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        raise ExceptionGroup("g", [UpstreamError("gone", status=504)])

    got = await side.talk(app, side.ask).run()
    assert (got.status, got.error["message"]) == (504, "gone")


async def test_application_returns(side: Any) -> None:
    """An application that says nothing gives 502."""

    async def app(scope: Any, receive: Any, send: Any) -> None: ...

    assert (await side.talk(app, side.ask).run()).status == 502


async def test_server_stops(side: Any, chat: Any) -> None:
    """A stream that the server cancels ends as failed, with a whole last event."""
    one = side.talk(chat(side.say("Hel"), 30), side.stream)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(one.run)
        await anyio.sleep(0.1)
        tasks.cancel_scope.cancel()
    assert side.ending(one) == "failed"
    assert one.complete


@pytest.mark.parametrize("depth", [100, 300, 480, 900, 5000])
async def test_deep_nesting(side: Any, chat: Any, depth: int) -> None:
    """A request that is nested beyond all measure is refused, not a crash."""
    schema = b'{"type":"array","items":' * depth + b"{}" + b"}" * depth
    tool = {"type": "function", "name": "f", "parameters": "S"}
    tool = tool if side.is_chat else {"type": "function", "function": {"name": "f", "parameters": "S"}}
    body = json.dumps({**side.ask, "tools": [tool]}).encode().replace(b'"S"', schema)
    got = await side.talk(chat(side.whole, kind="application/json"), body).run()
    assert got.status == 200 if depth == 100 else got.status in (200, 400)


async def test_an_upstream_that_refuses_everything(side: Any, chat: Any) -> None:
    """Trying again has an end, and the client gets the last refusal."""
    refusal = b'{"error":{"message":"Unknown parameter: max_tokens, max_completion_tokens, store"}}'
    app = chat(refusal, status=400, kind="application/json")
    got = await side.talk(app, {**side.ask, "max_output_tokens": 5}).run()
    assert got.status == 400
    assert 1 < len(app.bodies) < 6


async def test_headers_of_a_request_that_is_repeated(responses_side: Any, chat: Any) -> None:
    """An idempotency key names one request: copies and second attempts are others, and go without it."""
    refused = b'{"error":{"message":"Unknown parameter: store","param":"store","code":"unknown_parameter"}}'
    whole = responses_side.whole
    seen: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        headers = dict(scope["headers"])
        seen.append((headers.get(b"idempotency-key"), headers.get(b"x-other")))
        is_refused = len(seen) == 1
        head = {"type": "http.response.start", "status": 400 if is_refused else 200, "headers": []}
        await send(head)
        await send({"type": "http.response.body", "body": refused if is_refused else whole})

    headers = {"idempotency-key": "k", "x-other": "1"}
    assert (await responses_side.talk(app, responses_side.ask, {"headers": headers}).run()).status == 200
    assert seen == [(b"k", b"1"), (None, b"1")]
    got = await responses_side.talk(app, {**responses_side.ask, "n": 2}, {"headers": headers}).run()
    assert got.status == 200
    assert seen[2:] == [(None, b"1"), (None, b"1")]


async def test_slow_request(side: Any, chat: Any) -> None:
    """A client that does not come to the end of its request is a 408, and its connection is closed."""
    one = side.talk(chat(), side.ask, {"http_version": "1.1"}, limits=Limits(request=0.1))
    one._pieces[0]["more_body"] = True
    got = await one.run()
    assert (got.status, got.error["code"], got.headers["connection"]) == (408, "request_timeout", "close")


async def test_lost_body(side: Any, chat: Any) -> None:
    """A server that lost the body of a request (with an upgrade that it did not know) is found out."""
    app = chat()
    headers = {"content-length": "100"}
    got = await side.talk(app, b"", {"http_version": "2", "headers": headers}).run()
    assert (got.status, got.error["code"]) == (400, "invalid_content_length")
    assert "connection" not in got.headers
    assert app.bodies == []


async def test_a_mistake_of_ours(
    side: Any, chat: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Should the translation itself fail, the client gets an error in the usual shape."""

    path = side.path.removeprefix("/v1")

    base: Any = routes.EXCHANGES[path]

    class Broken(base):
        def __init__(self, *args: object, **settings: object) -> None:
            raise KeyError(PRIVATE)

    monkeypatch.setitem(routes.EXCHANGES, path, Broken)
    got = await side.talk(chat(), side.ask).run()
    assert (got.status, got.error["type"]) == (500, "server_error")
    assert "raised KeyError" in caplog.text
    assert PRIVATE not in caplog.text


@pytest.mark.parametrize("size", [1, 2_000_000])
async def test_too_deep_for_us(side: Any, chat: Any, monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    """A request that is nested more deeply than can be followed is the client's mistake."""

    def follow(*args: object) -> None:
        raise RecursionError

    monkeypatch.setattr(RequestBody, "translate", follow)
    got = await side.talk(chat(), {**side.ask, "user": "x" * size}).run()
    assert (got.status, got.error["message"]) == (400, "The request is nested too deeply.")


async def test_a_lesson_that_strict_mode_forbids(side: Any, chat: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Should a second attempt lose something, the client of a strict server is told what."""

    def learned(*args: object) -> Profile:
        nothing = frozenset({"temperature"})
        return Profile(unsupported=nothing, responses_unsupported=nothing)

    monkeypatch.setattr(Retries, "learn", learned)
    refused = chat(b"{}", status=400, kind="application/json")
    got = await side.talk(refused, {**side.ask, "temperature": 0.5}, strict=True).run()
    assert (got.status, got.error["param"]) == (400, "temperature")


async def test_a_client_that_is_gone_before_anybody_knew(side: Any) -> None:
    """What is left to be told to nobody breaks nothing."""

    async def app(scope: Any, receive: Any, send: Any) -> None: ...

    async def broken(message: Any) -> None:
        raise OSError

    records = list[Record]()
    one = side.talk(app, side.ask, on_exchange=records.append)
    one.hold = broken
    await one.run()
    assert records[0].outcome == "disconnected"


def _picture(side: Any, payload: str) -> dict[str, Any]:
    url = f"data:image/png;base64,{payload}"
    if side.is_chat:
        return {"model": "m", "input": [{"role": "user", "content": [{"type": "input_image", "image_url": url}]}]}
    return {"model": "m", "messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": url}}]}]}


async def test_large_pictures_arrive(side: Any, chat: Any) -> None:
    """As they were, once more when the request is changed, and several times when several answers are wanted."""
    picture = "iVBORw0KGgo/" * 10_000
    app = chat(side.whole, kind="application/json")
    bodies = [_picture(side, picture), *([] if side.is_chat else [{**_picture(side, picture), "n": 2}])]
    for body in bodies:
        got = await side.talk(app, body).run()
        assert side.text(got) == "Hello"
    assert len(app.bodies) == (1 if side.is_chat else 3)
    assert all(f"data:image/png;base64,{picture}" in json.dumps(body) for body in app.bodies)


async def test_broken_pictures(side: Any) -> None:
    """What is no JSON inside of a picture is no reason to ask the upstream twice: the client learns what is wrong."""
    asked: list[bytes] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        asked.append((await receive())["body"])
        await send({"type": "http.response.start", "status": 400, "headers": []})
        await send({"type": "http.response.body", "body": b'{"error":{"message":"store? max_tokens?"}}'})

    body = json.dumps(_picture(side, "A" * 100_000 + "*")).replace("*", "\n")
    got = await side.talk(app, body.encode()).run()
    assert (got.status, got.error["code"]) == (400, "invalid_json")
    assert b"A\n" in asked[0]
    assert len(asked) == 1


async def test_large_requests_and_answers(side: Any, chat: Any) -> None:
    """What is large is converted beside the event loop, and comes to the same."""
    text = "a long story " * 100_000
    body = {**side.ask, "input" if side.is_chat else "messages": [{"role": "user", "content": text}]}
    answer = side.whole.replace(b"Hello", text.encode())
    whole = bytearray()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        while (message := await receive())["more_body"]:
            whole.extend(message["body"])
        whole.extend(message["body"])
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": answer})

    got = await side.talk(app, body).run()
    assert side.text(got) == text
    assert got.complete
    sent = json.loads(whole)
    assert (sent["messages"] if side.is_chat else sent["input"])[-1]["content"] == text
    got = await side.talk(app, {**body, "stream": True}).run()
    assert side.text(got) == text
    assert side.ending(got) == "completed"


async def test_large_requests_that_are_none(side: Any, chat: Any) -> None:
    """What is wrong with a large request or answer is said in the same words."""
    got = await side.talk(chat(), b'{"model": "m", "input": "' + b"x" * 2_000_000).run()
    assert (got.status, got.error["code"]) == (400, "invalid_json")
    got = await side.talk(chat(b"{" + b" " * 2_000_000, kind="application/json"), side.ask).run()
    assert (got.status, got.error["message"]) == (502, "The upstream's answer is not JSON.")
    refused = b'{"error":{"message":"Unknown parameter: store","param":"store","code":"unknown_parameter"}}'
    text = "x" * 2_000_000
    body = {**side.ask, "input" if side.is_chat else "messages": [{"role": "user", "content": text}]}
    assert (await side.talk(chat(refused, status=400), body).run()).status == 400


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_what_an_open_stream_holds(side: Any, chat: Any, anyio_backend: str) -> None:
    """A request is let go of when the upstream has accepted it."""
    text = "a long story " * 100_000
    body = {**side.stream, "input" if side.is_chat else "messages": [{"role": "user", "content": text}]}
    app, records = chat(side.say("Hel"), FOREVER), list[Record]()
    one = side.talk(app, body, limits=Limits(shutdown=0.1), on_exchange=records.append)
    del body, text
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(one.run)
        while not one.sent:  # noqa: ASYNC110
            await anyio.sleep(0.05)
        app.bodies.clear()
        await anyio.sleep(0.05)
        gc.collect()
        assert tracemalloc.get_traced_memory()[0] - before < 500_000
        one.gone.set()
    tracemalloc.stop()
    assert (records[0].model, records[0].streaming) == ("m", True)
