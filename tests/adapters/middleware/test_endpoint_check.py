"""The questions by which it is found out what an upstream has, and the servers that answer everything alike."""

import logging
from time import monotonic
from typing import Any

import anyio
import pytest

from diglot.adapters import Limits, Upstream
from diglot.adapters.middleware import detection, endpoint_check
from diglot.adapters.server.app import on_loopback

from probed import CHAT, COMPACT, ERROR, HAS, HTML, JSON, NOWHERE, RESPONSES, Server, asker, auto

pytestmark = pytest.mark.anyio

OBJECTS = {"chat": "chat.completion", "responses": "response"}
MISSING = (404, HTML, b"<pre>Cannot POST /v1/x</pre>")


@pytest.fixture
def side(request: pytest.FixtureRequest) -> Any:
    return type(request.getfixturevalue("responses_side"))


@pytest.fixture
def asks(side: Any, talk: Any) -> Any:
    return asker(side, talk)


@pytest.mark.parametrize("there", [(200, JSON, b'{"choices":[]}'), (400, JSON, b"{}"), (500, HTML, b"")])
@pytest.mark.parametrize("first", ["chat", "responses"])
@pytest.mark.parametrize("has", [("chat",), ("responses",), ("chat", "responses")])
async def test_json_is_read_before_the_path(side: Any, asks: Any, has: Any, first: str, there: Any) -> None:
    """Express, Koa and Fastify answer any path with 400 to what is no JSON: an empty object tells more."""
    answers: Any = dict.fromkeys(has, there)
    server = Server(side, **answers)
    server.before, server.elsewhere = (400, HTML, b"<pre>SyntaxError</pre>"), MISSING
    app = auto(server)
    for api in (first, "chat", "responses"):
        got = await asks(app, api)
        assert (got.status, got.json["object"]) == (200, OBJECTS[api])
        served = RESPONSES if api == "responses" and "responses" in has else CHAT
        assert server.served[-1] == (served if api in has else (CHAT if "chat" in has else RESPONSES))
    assert app.upstream_api == ("both" if len(has) == 2 else has[0])
    assert {belief["because"] for belief in app.believed.values()} == {"asked"}


@pytest.mark.parametrize("page", [(200, HTML, b"<html>"), (200, JSON, b'{"error": "Unexpected endpoint"}')])
@pytest.mark.parametrize("has", ["chat", "responses"])
async def test_a_page_for_everything_else(side: Any, asks: Any, has: str, page: Any) -> None:
    """Servers that call a missing page a success are seen through."""
    server = Server(side, chat=page, responses=page)
    server.answers[CHAT if has == "chat" else RESPONSES] = (200, JSON, b"{}")
    server.elsewhere = page
    app = auto(server)
    for api in OBJECTS:
        assert (await asks(app, api)).json["object"] == OBJECTS[api]
    assert app.upstream_api == has


ALIKE = [(400, JSON, b"{}"), (200, JSON, b"{}"), (500, HTML, b"")]


@pytest.mark.parametrize("answer", ALIKE)
async def test_nothing_tells(side: Any, asks: Any, answer: Any, caplog: pytest.LogCaptureFixture) -> None:
    """What answers everything alike has taught nothing: Chat Completions is assumed, and the log says so."""
    server = Server(side, chat=answer, responses=answer)
    server.elsewhere = answer
    app = auto(server)
    for api in ("responses", "chat"):
        assert (await asks(app, api)).json["object"] == OBJECTS[api]
        assert server.served[-1] == CHAT
    assert [record.levelname for record in caplog.records if "assuming Chat" in record.getMessage()] == ["WARNING"]
    assert app.upstream_api == "chat"
    assert app.believed["chat"]["there"] is True
    assert {belief["because"] for belief in app.believed.values()} == {"guessed"}


class Stubborn:
    """Answers questions alike, and requests with 404 where it has nothing."""

    def __init__(self, server: Server, has: str | None) -> None:
        self.server = server
        self.has = has
        self.paths: list[str] = []
        self.questions = 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        message = await receive()
        self.questions += message["body"] == b"{}"
        real = b'"model"' in message["body"]
        if real:
            self.paths.append(scope["path"])
        if real and scope["path"] == self.has:
            await self.server(scope, lambda: _value(message), send)
            return
        status = 404 if real else 400
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": b"{}"})


async def _value(value: Any) -> Any:
    return value


async def test_a_request_corrects_a_guess(side: Any, asks: Any) -> None:
    """A request that finds nothing turns the guess round: the next one is right, and it can be seen why."""
    upstream = Stubborn(Server(side, responses=HAS), RESPONSES)
    app = auto(upstream)
    assert (await asks(app, "responses")).status == 404
    assert (await asks(app, "responses")).json["object"] == "response"
    assert (await asks(app, "chat")).json["object"] == "chat.completion"
    assert upstream.paths == [CHAT, RESPONSES, RESPONSES]
    assert app.upstream_api == "responses"
    assert app.believed["chat"] == {**app.believed["chat"], "there": False, "because": "a request found nothing"}


async def test_both_guesses_were_wrong(side: Any, asks: Any) -> None:
    """Then it is asked again."""
    upstream = Stubborn(Server(side), None)
    app = auto(upstream)
    for _ in range(4):
        assert (await asks(app, "chat")).status == 404
    assert upstream.paths == [CHAT, RESPONSES, CHAT, RESPONSES]
    assert upstream.questions == 4


async def test_a_guess_ages(side: Any, asks: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """After some minutes it is asked again; what the upstream said is believed for longer."""
    server = Server(side, chat=ALIKE[0], responses=ALIKE[0])
    server.elsewhere = ALIKE[0]
    app = auto(server)
    for _ in range(2):
        await asks(app, "responses")
    assert len(server.controls) == 2
    monkeypatch.setattr(detection, "_ASSUMPTION_LASTS", -1.0)
    server.elsewhere = MISSING
    for _ in range(3):
        await asks(app, "responses")
    assert server.served == [CHAT, CHAT, RESPONSES, RESPONSES, RESPONSES]
    assert len(server.controls) == 3


async def test_a_door_for_everything(side: Any, asks: Any) -> None:
    """Who is not let in anywhere gets to know that, and nothing is believed."""
    closed = (401, JSON, ERROR)
    server = Server(side, chat=closed, responses=closed)
    server.elsewhere = closed
    app = auto(server)
    got = await asks(app, "responses")
    assert (got.status, got.error["code"]) == (401, "invalid_api_key")
    assert app.believed == {}


@pytest.mark.parametrize("how", ["silent", "broken"])
async def test_no_answer_at_the_path_that_cannot_exist(side: Any, asks: Any, how: str) -> None:
    """Whatever is wrong there: the endpoint has answered."""
    server = Server(side, responses=HAS)

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["path"] != NOWHERE:
            await server(scope, receive, send)
        elif how == "broken":
            raise OSError
        else:
            await anyio.sleep(3600)

    began = monotonic()
    assert (await asks(auto(app, limits=Limits(probe=1)), "responses")).status == 200
    assert monotonic() - began < 2
    assert server.served == [RESPONSES]


async def test_enough_was_said() -> None:
    """Who goes on and on is told that nobody listens any more."""
    call = endpoint_check.CheckCall(b"x", 10, 10)
    assert (await call.receive())["body"] == b"x"
    await call.send({"type": "http.response.body", "body": b"x" * 70_000, "more_body": True})
    assert await call.receive() == {"type": "http.disconnect"}


async def test_an_api_of_one_endpoint(side: Any, asks: Any) -> None:
    """Where neither of two endpoints was there, it is asked again."""
    upstream = Stubborn(Server(side, responses=HAS), RESPONSES)
    app = auto(upstream)
    await asks(app, "chat")  # finds nothing: Responses is assumed
    assert (await asks(app, "responses", path=COMPACT)).status == 404
    assert upstream.questions == 4


async def test_questions_are_logged(side: Any, asks: Any, caplog: pytest.LogCaptureFixture) -> None:
    """Each answer, and what it is taken for."""
    caplog.set_level(logging.INFO, "diglot")
    server = Server(side, chat=HAS)
    server.before = HAS
    await asks(auto(server), "responses")
    assert [record.getMessage() for record in caplog.records if record.name == "diglot"] == [
        "The upstream is unclear about POST /responses (it answered 400)",
        "The upstream lacks POST /responses (it answered 404)",
        "The upstream has POST /chat/completions (it answered 400)",
    ]


@pytest.mark.parametrize("stumbles", [False, True])
@pytest.mark.parametrize("client", ["aiohttp", "httpx2", "httpx"])
def test_the_connection_of_a_question(
    side: Any, talk: Any, client: str, stumbles: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing goes out on it behind the question: uvicorn closes it after a 500, and not at once."""
    monkeypatch.setattr(
        "diglot.adapters.upstream.choice.find_spec",
        lambda name: name == client,
    )
    ports: list[int] = []
    closed: set[int] = set()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message["body"], message["more_body"]
        is_question = b"diglot" in body
        assert scope["client"][1] not in closed
        ports.append(scope["client"][1])
        closed.update(ports[-1:] if is_question else ())
        if is_question and stumbles and scope["path"] == CHAT:
            raise ValueError
        status, answer = (400, b"{}") if is_question else (200, side("chat").whole)
        if scope["path"] != CHAT:
            status, answer = 404, b"{}"
        await send({"type": "http.response.start", "status": status, "headers": [(b"content-type", JSON.encode())]})
        await send({"type": "http.response.body", "body": answer})

    async def main() -> None:
        async with on_loopback(app) as url:
            upstream = Upstream(url)
            for _ in range(3):
                got = await asker(side, talk)(auto(upstream), "responses")
                assert (got.status, got.json.get("object")) == (200, "response")
            await upstream.aclose()

    logging.disable(logging.CRITICAL)  # the application's own tracebacks
    try:
        anyio.run(main)
    finally:
        logging.disable(logging.NOTSET)
    assert len(ports) == 9
    assert len(closed) == 6
