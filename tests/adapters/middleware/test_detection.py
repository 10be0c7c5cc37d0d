"""Finding out which API an upstream has."""

import json
import logging
from time import monotonic
from typing import Any

import anyio
import pytest

from diglot.adapters import Limits, Record
from diglot.translator import UpstreamError

from probed import CHAT, ERROR, HAS, HTML, JSON, RESPONSES, Server, asker, auto

pytestmark = pytest.mark.anyio


@pytest.fixture
def side(request: pytest.FixtureRequest) -> Any:
    return type(request.getfixturevalue("responses_side"))


@pytest.fixture
def asks(side: Any, talk: Any) -> Any:
    return asker(side, talk)


@pytest.mark.parametrize("has", ["chat", "responses"])
@pytest.mark.parametrize("first", ["chat", "responses"])
async def test_one_api(side: Any, asks: Any, has: str, first: str, caplog: pytest.LogCaptureFixture) -> None:
    """What is there passes through, what is not is translated; it is asked once, and the log says what was found."""
    caplog.set_level(logging.INFO, "diglot")
    server = Server(side, **{has: HAS})
    app = auto(server)
    assert app.upstream_api == "unknown"
    for api in (first, "chat", "responses", "chat"):
        got = await asks(app, api)
        assert got.json["object"] == {"chat": "chat.completion", "responses": "response"}[api]
    assert app.upstream_api == has
    assert set(server.asked) == {CHAT, RESPONSES}
    assert len(server.asked) <= 3
    assert len(server.served) == 4
    said = [record.getMessage() for record in caplog.records if record.name == "diglot"]
    assert f"The upstream has POST {'/chat/completions' if has == 'chat' else '/responses'} (it answered 400)" in said


async def test_only_what_matters_is_asked(side: Any, asks: Any) -> None:
    """An upstream with both APIs is asked for the one that a client wants."""
    server = Server(side, chat=HAS, responses=HAS)
    app = auto(server)
    for _ in range(2):
        assert (await asks(app, "responses")).json["object"] == "response"
    assert (server.asked, app.upstream_api) == ([RESPONSES], "responses")
    assert (await asks(app, "chat")).json["object"] == "chat.completion"
    assert (server.asked, app.upstream_api) == ([RESPONSES, CHAT], "both")


async def test_compaction(side: Any, asks: Any) -> None:
    """It belongs to the Responses API: there where that is there, else the model writes the summary."""
    app = auto(Server(side, chat=HAS))
    assert (await asks(app, "responses", path="/v1/responses/compact")).json["object"] == "response.compaction"


async def test_the_question(side: Any, asks: Any) -> None:
    """It has the client's headers, prefix and query, and a body of which nothing can come."""
    server = Server(side, responses=HAS)
    headers = {"authorization": "Bearer k", "content-type": "x/y+json", "content-encoding": "zstd"}
    await asks(auto(server), "chat", path="/p/v1/chat/completions", headers=headers, query_string=b"v=1")
    for scope, path in zip(server.scopes, (CHAT, RESPONSES), strict=True):
        assert (scope["path"], scope["query_string"], scope["method"]) == (f"/p{path}", b"v=1", "POST")
        seen = dict(scope["headers"])
        assert seen[b"authorization"] == b"Bearer k"
        assert seen[b"content-type"] == b"application/json"
        assert b"content-encoding" not in seen


@pytest.mark.parametrize("status", [400, 411, 413, 415, 422, 500, 409, 200])
async def test_statuses_of_what_is_there(side: Any, asks: Any, status: int) -> None:
    """Whoever looks at the body is there."""
    server = Server(side, responses=(status, JSON, b"{}"))
    assert (await asks(auto(server), "responses")).status == 200
    assert server.asked == [RESPONSES]


MISSING = [(404, JSON, b""), (405, JSON, b""), (501, JSON, b""), (200, HTML, b"<html>"), (404, HTML, b"<html>")]


@pytest.mark.parametrize("answer", [*MISSING, (200, JSON, b'{ "error": "Unexpected endpoint or method."}')])
async def test_statuses_of_what_is_missing(side: Any, asks: Any, answer: tuple[int, str, bytes]) -> None:
    """A page of a website is no API, nor is an error that is called a success."""
    server = Server(side, responses=answer, chat=HAS)
    assert (await asks(auto(server), "responses")).json["object"] == "response"
    assert server.served == [CHAT]


@pytest.mark.parametrize("status", [401, 403, 429, 502, 503, 504, 307, 999])
async def test_statuses_that_say_nothing(side: Any, asks: Any, status: int) -> None:
    """The client gets the error, which says when it came; nothing is remembered."""
    server = Server(side, responses=(status, JSON, ERROR), chat=HAS)
    records = list[Record]()
    app = auto(server, on_exchange=records.append)
    got = await asks(app, "responses")
    assert got.status == (status if 400 <= status < 600 else 502)
    assert got.error["code"] == "invalid_api_key"
    assert got.error["message"].startswith("Incorrect API key provided. (This happened while checking")
    assert (got.headers["retry-after"], got.headers["content-type"]) == ("7", "application/json")
    assert (records[0].status, records[0].outcome, records[0].error) == (got.status, "refused", "invalid_api_key")
    assert app.upstream_api == "unknown"
    server.answers[RESPONSES] = HAS
    assert (await asks(app, "responses")).status == 200


async def test_neither(side: Any, asks: Any) -> None:
    """An upstream without both is probably another one; clients that try again may find it back."""
    server = Server(side)
    app = auto(server)
    got = await asks(app, "chat")
    assert got.status == 502
    assert got.error["message"].startswith(
        "The upstream has neither POST /v1/chat/completions nor POST /v1/responses. Is the URL right"
    )
    server.answers[CHAT] = HAS
    assert (await asks(app, "chat")).status == 200


@pytest.mark.parametrize("error", [UpstreamError("no"), OSError(), None])
async def test_no_answer(side: Any, asks: Any, error: Exception | None) -> None:
    """Where nothing answers, nothing is known."""

    async def app(*args: Any) -> None:
        if error:
            raise error

    middleware = auto(app)
    assert (await asks(middleware, "chat")).status == 502
    assert middleware.upstream_api == "unknown"


async def test_an_application_that_raises(side: Any, asks: Any) -> None:
    """It stumbled over the body, so it is there."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        message = await receive()
        json.loads(message["body"])

        async def again() -> Any:
            return message

        await server(scope, again, send)

    server = Server(side, chat=HAS)
    middleware = auto(app)
    assert (await asks(middleware, "chat")).status == 200
    assert middleware.upstream_api == "chat"


async def test_at_once(side: Any, asks: Any) -> None:
    """Many first clients ask one question."""
    server = Server(side, chat=HAS)
    server.pause = 0.1
    app, got = auto(server), list[Any]()

    async def one() -> None:
        got.append(await asks(app, "responses"))

    async with anyio.create_task_group() as tasks:
        for _ in range(9):
            tasks.start_soon(one)
    assert [talk.status for talk in got] == [200] * 9
    assert server.asked == [RESPONSES, CHAT]


async def test_a_question_that_hangs(side: Any, asks: Any) -> None:
    """All who wait are answered in time, and the next one asks again."""
    server = Server(side, responses=HAS)
    server.pause = 3600
    app, got = auto(server, limits=Limits(probe=0.3)), list[Any]()

    async def one() -> None:
        got.append(await asks(app, "responses"))

    began = monotonic()
    async with anyio.create_task_group() as tasks:
        for _ in range(3):
            tasks.start_soon(one)
    assert monotonic() - began < 2
    assert [(talk.status, talk.error["code"]) for talk in got] == [(504, "upstream_timeout")] * 3
    server.pause = 0
    assert (await asks(app, "responses")).status == 200


async def test_a_client_that_leaves(side: Any, talk: Any) -> None:
    """What was asked in its name is of use to others."""
    server = Server(side, responses=HAS)
    server.pause = 0.2
    app = auto(server)
    one = talk(app, side("responses").ask, path=RESPONSES)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(one.run)
        await anyio.sleep(0.05)
        one.gone.set()
    assert app.upstream_api == "responses"


async def test_a_task_that_is_cancelled(side: Any, asks: Any) -> None:
    """Who waits asks then."""
    server = Server(side, responses=HAS)
    server.pause = 0.2
    app = auto(server)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(asks, app, "responses")
        await anyio.sleep(0.05)
        tasks.cancel_scope.cancel()
    server.pause = 0
    assert (await asks(app, "responses")).status == 200
    assert server.asked == [RESPONSES, RESPONSES]


@pytest.mark.parametrize("waits", [False, True])
@pytest.mark.parametrize("status", [400, 503])
async def test_an_answer_without_end(side: Any, asks: Any, status: int, waits: bool) -> None:
    """The status says it all; of the words, some are enough."""
    disconnected = False

    async def app(scope: Any, receive: Any, send: Any) -> None:
        nonlocal disconnected
        body = (await receive())["body"]
        await send({"type": "http.response.start", "status": status, "headers": []})
        while b"diglot asks" in body:
            await send({"type": "http.response.body", "body": b"x" * 10_000, "more_body": True})
            await anyio.sleep(0.01)
            if waits and status == 503:
                disconnected = (await receive())["type"] == "http.disconnect"
        await send({"type": "http.response.body", "body": b"{}"})

    began = monotonic()
    got = await asks(auto(app, limits=Limits(shutdown=0.2)), "chat")
    assert got.status == status
    assert len(got.body) < 5000
    assert monotonic() - began < 2


@pytest.mark.parametrize(("has", "then"), [("chat", "responses"), ("responses", "chat")])
@pytest.mark.parametrize("api", ["chat", "responses"])
async def test_another_upstream(side: Any, asks: Any, has: str, then: str, api: str) -> None:
    """One request shows that the upstream is another one now; the next one is right again."""
    server = Server(side, **{has: HAS})
    app = auto(server)
    assert (await asks(app, api)).status == 200
    server.answers = dict(zip(server.answers, reversed(server.answers.values()), strict=True))
    assert (await asks(app, api)).status == 404
    assert (await asks(app, api)).status == 200
    assert app.upstream_api == then


async def test_a_model_that_is_missing(side: Any, asks: Any) -> None:
    """Not every 404 is about the endpoint."""
    server = Server(side, chat=HAS)
    app = auto(server)
    await asks(app, "chat")
    server.answers[CHAT] = (404, JSON, b'{"error":{"message":"The model does not exist"}}')
    assert (await asks(app, "chat")).status == 404
    assert app.upstream_api == "chat"
