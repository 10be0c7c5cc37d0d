"""Which stored state is served here: that of the API which the application lacks."""

import json
from typing import Any

import pytest

from diglot.adapters import TranslationMiddleware

from probed import CHAT, HAS, HTML, RESPONSES, Server, auto

pytestmark = pytest.mark.anyio

ASK = {"model": "m", "input": "One"}
CHAT_ASK = {"model": "m", "messages": [{"role": "user", "content": "Hi"}], "store": True}


@pytest.fixture
def side(responses_side: Any) -> Any:
    return type(responses_side)


@pytest.mark.parametrize("has", ["chat", "responses", "both"])
async def test_what_the_application_lacks_is_stored_here(side: Any, ask: Any, store_url: str, has: str) -> None:
    """What it has is its own, with everything that is stored of it."""
    apis = ("chat", "responses") if has == "both" else (has,)
    server = Server(side, **dict.fromkeys(apis, HAS))
    app = auto(server, store=store_url)
    async with app.running():
        answer = await ask(app, ASK, path=RESPONSES)
        stored = await ask(app, path=f"{RESPONSES}/{answer.json['id']}")
        conversations = await ask(app, {}, path="/v1/conversations")
        count = await ask(app, ASK, path=f"{RESPONSES}/input_tokens")
        completion = await ask(app, CHAT_ASK, path=CHAT)
        listed = await ask(app, path=CHAT)
    ours = has == "chat"
    assert (answer.json.get("store") is True) == ours
    assert (stored.status == 200 and stored.json == answer.json) == ours
    assert (conversations.status == 200 and conversations.json["object"] == "conversation") == ours
    assert (count.status == 200 and count.json["object"] == "response.input_tokens") == ours
    kept = listed.status == 200 and [each["id"] for each in listed.json["data"]] == [completion.json["id"]]
    assert kept == (has == "responses")


async def test_an_application_that_has_neither(side: Any, ask: Any) -> None:
    """Nothing is claimed for which nobody answers."""
    server = Server(side)
    server.elsewhere = (404, HTML, b"<p>not found")
    app = auto(server, store="memory")
    async with app.running():
        got = await ask(app, path=f"{RESPONSES}/resp_1")
        assert (got.status, got.body) == (404, b"<p>not found")
        assert (await ask(app, ASK, path=RESPONSES)).status == 502


@pytest.mark.parametrize("api", ["chat", "responses"])
async def test_without_a_store_nothing_is_claimed(side: Any, ask: Any, api: Any) -> None:
    """Keys alone serve no endpoint."""
    passed: list[str] = []

    async def application(scope: Any, receive: Any, send: Any) -> None:
        passed.append(scope["path"])
        await send({"type": "http.response.start", "status": 418, "headers": []})
        await send({"type": "http.response.body", "body": json.dumps({}).encode()})

    for seal in (), ("0" * 64,):
        app = TranslationMiddleware(application, upstream_api=api, seal=seal)
        async with app.running():
            for path in "/v1/responses/resp_1", "/v1/conversations/conv_1", "/v1/chat/completions":
                assert (await ask(app, path=path)).status == 418
            assert (await ask(app, {}, path="/v1/responses/input_tokens")).status == 418
    assert len(passed) == 8


async def test_a_model_that_is_only_at_the_other_endpoint(side: Any, ask: Any) -> None:
    """The application has Responses, so what is stored of them is its own, also for a model that only chat has."""
    server = Server(side, chat=HAS, responses=HAS)
    refusal = {"error": {"message": "The model 'm' does not support the '/openai/v1/responses' API"}}

    async def application(scope: Any, receive: Any, send: Any) -> None:
        message = await receive()

        async def again() -> Any:
            return message

        if scope["path"] != RESPONSES or b"input" not in message["body"]:
            await server(scope, again, send)
            return
        await send({"type": "http.response.start", "status": 404, "headers": [(b"content-type", b"application/json")]})
        await send({"type": "http.response.body", "body": json.dumps(refusal).encode()})

    app = auto(application, store="memory")
    async with app.running():
        for _ in range(2):
            got = await ask(app, ASK, path=RESPONSES)
            assert (got.status, got.json["store"]) == (200, False)
    assert server.served == [CHAT, CHAT]


async def test_an_application_that_cannot_be_asked_any_more(side: Any, ask: Any) -> None:
    """A request goes on where it was going, and nothing is stored of it."""
    server = Server(side, chat=HAS, responses=HAS)
    refusal = {"error": {"message": "This is not supported in v1/responses and only in v1/chat/completions"}}
    refused: list[str] = []

    async def application(scope: Any, receive: Any, send: Any) -> None:
        message = await receive()

        async def again() -> Any:
            return message

        if scope["path"] == RESPONSES and b"input" in message["body"]:
            refused.append(scope["path"])
            head = {"type": "http.response.start", "status": 404, "headers": [(b"content-type", b"application/json")]}
            await send(head)
            await send({"type": "http.response.body", "body": json.dumps(refusal).encode()})
        elif refused and b"messages" not in message["body"]:
            await send({"type": "http.response.start", "status": 401, "headers": []})
            await send({"type": "http.response.body", "body": b"{}"})
        else:
            await server(scope, again, send)

    app = auto(application, store="memory")
    async with app.running():
        got = await ask(app, ASK, path=RESPONSES)
    assert refused
    assert (got.status, got.json.get("store")) == (200, False), got.body
