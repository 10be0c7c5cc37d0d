"""Both wires are kept as they were."""

import json
from typing import Any

import pytest

from diglot.adapters import TranslationMiddleware
from diglot.adapters.observe.detail import detail, summary
from diglot.adapters.observe.ring import Exchange, Ring
from diglot.adapters.observe.tap import Tap

pytestmark = pytest.mark.anyio
KEY = "sk-0123456789abcdef"


async def tapped(talk: Any, raises: Any = None) -> list[Exchange]:
    """Run a request through a tap; return what was kept."""
    ring = Ring()
    talk.app = Tap(talk.app, ring)
    await talk.run(raises)
    return list(ring)


@pytest.mark.parametrize("way", ["ask", "stream"])
async def test_both_wires(side: Any, chat: Any, way: str) -> None:
    """What the client sent and got, and what the upstream got and sent, byte for byte."""
    app = chat(side.whole, kind="application/json") if way == "ask" else chat(*side.hello)
    talk = side.talk(app, side.body[way])
    (exchange,) = await tapped(talk)
    (attempt,) = exchange.attempts
    assert json.loads(exchange.client.request.kept) == side.body[way]
    assert exchange.client.answer.kept == talk.body
    assert json.loads(attempt.request.kept) == app.bodies[0]
    assert attempt.answer.kept == (side.whole if way == "ask" else b"".join(side.hello))
    assert (exchange.client.path, attempt.path, attempt.status) == (side.path, side.theirs, 200)
    shown = summary(exchange)
    assert (shown["outcome"], shown["handled"], shown["model"]) == ("completed", "translated", "m")


async def test_losses(side: Any, chat: Any) -> None:
    """They are there once the exchange is over, with their places."""
    (exchange,) = await tapped(side.talk(chat(side.whole, kind="application/json"), side.lossy))
    assert exchange.losses[0][0].startswith(side.lost)


async def test_exact_places(talk: Any, chat: Any, completion: bytes) -> None:
    """The place of a loss is the very tool."""
    tools = [{"type": "function", "name": "f", "parameters": {}, "strict": False}, {"type": "web_search"}]
    app = TranslationMiddleware(chat(completion, kind="application/json"))
    (exchange,) = await tapped(talk(app, {"model": "m", "input": "hi", "tools": tools}))
    assert "tools[1]" in [path for path, _, _ in exchange.losses]


async def test_every_attempt(talk: Any, chat: Any, completion: bytes) -> None:
    """A request that is sent again after a refusal has two attempts."""
    refusal = json.dumps(
        {"error": {"message": "Unsupported parameter: 'temperature'", "param": "temperature"}}
    ).encode()
    answers = [chat(refusal, kind="application/json", status=400), chat(completion, kind="application/json")]

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await answers.pop(0)(scope, receive, send)

    asked = talk(TranslationMiddleware(app), {"model": "m", "input": "hi", "temperature": 0.5})
    (exchange,) = await tapped(asked)
    assert [attempt.status for attempt in exchange.attempts] == [400, 200]
    assert b"temperature" in exchange.attempts[0].request.kept
    assert b"temperature" not in exchange.attempts[1].request.kept


async def test_fan_out(responses_side: Any, chat: Any) -> None:
    """Each copy of a request is an attempt."""
    side = responses_side
    (exchange,) = await tapped(side.talk(chat(side.whole, kind="application/json"), {**side.ask, "n": 3}))
    assert len(exchange.attempts) == 3


async def test_what_goes_through(side: Any, chat: Any, talk: Any) -> None:
    """It is kept as well."""
    app = side.middleware(chat(side.whole, kind="application/json"))
    (exchange,) = await tapped(talk(app, {"model": "m"}, path=side.theirs))
    assert (exchange.handled, summary(exchange)["model"], exchange.losses) == ("passed", "m", [])
    assert exchange.attempts[0].answer.kept == side.whole


@pytest.mark.parametrize("scope", [{"method": "GET"}, {"type": "lifespan"}])
async def test_what_is_not_kept(talk: Any, scope: Any) -> None:
    """Only what clients post is."""
    reached = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        reached.append(scope["type"])

    assert await tapped(talk(app, **scope)) == []
    assert len(reached) == 1


async def test_an_application_that_raises(side: Any, chat: Any) -> None:
    """What it raised is kept, without a key in it; the exception goes on."""
    error = ValueError(f"bad key {KEY}")

    async def app(scope: Any, receive: Any, send: Any) -> None:
        raise error

    talk = side.talk(app, side.ask, {"headers": {"authorization": f"Bearer {KEY}"}})
    (exchange,) = await tapped(talk, error)
    assert exchange.attempts[0].error == f"ValueError: bad key {'*' * len(KEY)}"
    assert exchange.client.status == 502


async def test_too_many_attempts(responses_side: Any, chat: Any) -> None:
    """Those that are only counted are served all the same."""
    side = responses_side
    talk = side.talk(chat(side.whole, kind="application/json"), {**side.ask, "n": 18})
    (exchange,) = await tapped(talk)
    assert (talk.status, len(exchange.attempts), exchange.more_attempts) == (200, 16, 2)


async def test_keys_are_not_kept(side: Any, chat: Any) -> None:
    """Neither from headers, nor from a URL, nor where somebody repeats them."""
    echo = json.dumps({"error": {"message": f"Incorrect API key: {KEY}"}}).encode()
    headers = {"authorization": f"Bearer {KEY}", "cookie": f"s={KEY}", "x-api-key": KEY, "user-agent": "u"}
    app = chat(echo, kind="application/json", status=401, headers={"set-cookie": KEY})
    scope = {"headers": headers, "query_string": f"key={KEY}&api-version=1".encode()}
    ring = Ring()
    talk = side.talk(app, {**side.ask, "metadata": {"again": KEY}}, scope)
    talk.app = Tap(talk.app, ring)
    await talk.run()
    (exchange,) = ring
    shown = json.dumps(detail(exchange))
    assert KEY not in shown
    assert KEY.encode() not in b"".join(body for one in exchange.sides for body in (one.request.kept, one.answer.kept))
    assert "api-version=1" in shown
    assert "user-agent" in shown


async def test_other_messages(talk: Any) -> None:
    """What is neither head nor body goes through."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "http.response.start", "status": 200})
        await send({"type": "http.response.body"})
        await send({"type": "http.response.trailers", "headers": []})

    asked = talk(app)
    (exchange,) = await tapped(asked)
    assert [message["type"].rpartition(".")[2] for message in asked.sent] == ["start", "body", "trailers"]
    assert (exchange.client.status, exchange.client.answer.size) == (200, 0)


async def test_a_huge_body(talk: Any) -> None:
    """Of 60 MB, 64 KiB are kept, and the application gets all of it."""
    size = 0

    async def app(scope: Any, receive: Any, send: Any) -> None:
        nonlocal size
        while (message := await receive())["type"] == "http.request":
            size += len(message["body"])
            if not message["more_body"]:
                break
        await receive()

    asked = talk(app, b"x" * 60_000_000)
    asked.gone.set()
    (exchange,) = await tapped(asked)
    body = exchange.client.request
    assert (size, body.size) == (60_000_000, 60_000_000)
    assert body.held < 64 * 1024 + 64
    assert summary(exchange)["outcome"] == "disconnected"
