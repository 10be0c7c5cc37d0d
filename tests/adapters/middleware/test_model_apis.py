"""Models that only one of the two APIs has, behind an upstream that has both."""

import gzip
import json
import logging
from typing import Any

import pytest

from diglot.adapters import Record
from diglot.adapters.middleware.access_log import AccessLog
from diglot.adapters.middleware.model_apis import MOST_MODELS, ModelApis, Trial, points_elsewhere

from probed import CHAT, HAS, JSON, RESPONSES, Server, auto

ONLY_RESPONSES = "This model is only supported in v1/responses and not in v1/chat/completions."
ONLY_CHAT = "The model 'x' does not support the '/openai/v1/responses' API"

SAID = {
    "/chat/completions": [
        ONLY_RESPONSES,
        "This is not a chat model and thus not supported in the v1/chat/completions endpoint. "
        "Did you mean to use v1/completions?",
        'model "gpt-5.4" is not accessible via the /chat/completions endpoint',
        "Function tools with reasoning_effort are not supported in /v1/chat/completions. Use /v1/responses instead.",
        "This model requires the Responses API.",
    ],
    "/responses": [
        ONLY_CHAT,
        "The requested model 'x' cannot be used with the Responses API.",
        "This model is only available through chat completions",
        "Model x isn't supported by the responses endpoint; use /v1/chat/completions",
    ],
}
OTHER = [
    "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
    "Unsupported parameter: 'messages'. In the Responses API, this parameter has moved to 'input'.",
    "The model 'x' does not exist or you do not have access to it.",
    "There is no such path: /v1/chat/completions",
    "Not Found",
    "",
]


@pytest.mark.parametrize(("endpoint", "said"), [(endpoint, said) for endpoint, all_ in SAID.items() for said in all_])
def test_which_refusals_point_elsewhere(endpoint: str, said: str) -> None:
    """In the words of all who say so."""
    body = json.dumps({"error": {"message": said, "param": "model"}}).encode()
    assert points_elsewhere(endpoint, 404, body)


@pytest.mark.parametrize("endpoint", SAID)
@pytest.mark.parametrize("said", OTHER)
def test_which_refusals_do_not(endpoint: str, said: str) -> None:
    """A parameter, a model that is nowhere, a path that is not there."""
    assert not points_elsewhere(endpoint, 400, json.dumps({"error": {"message": said}}).encode())


def test_the_memory_is_bounded() -> None:
    """Those that were not asked for longest are forgotten; what names no model is not kept."""
    known = ModelApis()
    for number in range(MOST_MODELS):
        known.remember(b"p", {"model": f"m{number}"}, "/responses")
    assert known.get(b"p", {"model": "m0"}) == "/responses"
    known.remember(b"p", {"model": "new"}, "/responses")
    assert known.get(b"p", {"model": "m1"}) is None
    assert known.get(b"p", {"model": "m0"}) == "/responses"
    assert known.get(b"q", {"model": "m0"}) is None
    for body in (None, [], {}, {"model": 5}, {"model": "x" * 201}):
        known.remember(b"p", body, "/responses")
    assert len(known) == MOST_MODELS


class Gateway(Server):
    """Has both APIs, but one of its models has only one."""

    def __init__(self, side: Any, refused: str, said: str, status: int = 404) -> None:
        super().__init__(side, chat=HAS, responses=HAS)
        self.refused = refused
        self.said = said
        self.status = status
        self.also: dict[str, int] = {}
        self.headers: list[tuple[bytes, bytes]] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        message = await receive()
        try:
            asked = json.loads(message["body"])
        except ValueError:
            asked = {}

        async def again() -> Any:
            return message

        status = self.also.get(scope["path"], self.status if scope["path"] == self.refused else 0)
        if not status or asked.get("model") != "special":
            await super().__call__(scope, again, send)
            return
        self.served.append(scope["path"])
        body = json.dumps({"error": {"message": self.said, "type": "invalid_request_error", "param": "model"}}).encode()
        headers = [(b"content-type", JSON.encode()), *self.headers]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        if (b"content-encoding", b"gzip") in self.headers:
            body = gzip.compress(body)
        await send({"type": "http.response.body", "body": body[:9], "more_body": True})
        await send({"type": "http.response.body", "body": body[9:]})


def ask_of(path: str, model: str = "special", **more: Any) -> dict[str, Any]:
    words = {"input": "hi"} if path == RESPONSES else {"messages": [{"role": "user", "content": "hi"}]}
    return {"model": model, **words, **more}


def text_of(got: Any) -> str:
    body = got.json
    return body["choices"][0]["message"]["content"] if "choices" in body else body["output"][0]["content"][0]["text"]


CASES = [(CHAT, RESPONSES, ONLY_RESPONSES), (RESPONSES, CHAT, ONLY_CHAT)]


@pytest.fixture
def side_of(side: Any) -> Any:
    return type(side)


@pytest.mark.anyio
@pytest.mark.parametrize(("path", "other", "said"), CASES)
@pytest.mark.parametrize("status", [400, 404])
async def test_a_model_is_found_at_the_other_api(
    talk: Any, side_of: Any, path: str, other: str, said: str, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    """The client gets its answer; from then on the model is asked for there, and the others are where they were."""
    gateway = Gateway(side_of, path, said, status)
    app = auto(gateway)
    got = await talk(app, ask_of(path), path=path).run()
    assert (got.status, text_of(got), gateway.served) == (200, "Hello", [path, other])
    assert (await talk(app, ask_of(path), path=path).run()).status == 200
    assert (await talk(app, ask_of(path, "usual"), path=path).run()).status == 200
    assert gateway.served == [path, other, other, path]
    told = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert len(told) == 1
    assert "special" not in told[0]


@pytest.mark.anyio
@pytest.mark.parametrize("encoding", [[], [(b"content-encoding", b"gzip")]])
async def test_a_compressed_refusal_is_read(talk: Any, side_of: Any, encoding: Any) -> None:
    """What goes through untouched may be compressed."""
    gateway = Gateway(side_of, CHAT, ONLY_RESPONSES)
    gateway.headers = encoding
    assert (await talk(auto(gateway), ask_of(CHAT), path=CHAT).run()).status == 200


@pytest.mark.anyio
@pytest.mark.parametrize("encoding", [b"br-unknown", b"gzip, gzip"])
async def test_a_refusal_that_cannot_be_read_is_the_answer(talk: Any, side_of: Any, encoding: bytes) -> None:
    """As it was."""
    gateway = Gateway(side_of, CHAT, ONLY_RESPONSES)
    gateway.headers = [(b"content-encoding", encoding)]
    got = await talk(auto(gateway), ask_of(CHAT), path=CHAT).run()
    assert (got.status, gateway.served) == (404, [CHAT])


@pytest.mark.anyio
async def test_what_was_translated_goes_to_its_own_endpoint(talk: Any, side_of: Any) -> None:
    """Free-form tools are translated where the upstream is not trusted, but a model may have no other API."""
    gateway, records = Gateway(side_of, CHAT, ONLY_RESPONSES, 400), list[Record]()
    app = auto(gateway, on_exchange=records.append)
    body = ask_of(RESPONSES, tools=[{"type": "custom", "name": "f"}])
    for served in ([CHAT, RESPONSES], [CHAT, RESPONSES, RESPONSES]):
        got = await talk(app, body, path=RESPONSES, headers={"content-type": JSON}).run()
        assert (got.status, got.json["object"], gateway.served) == (200, "response", served)
    assert records == []  # what goes through leaves none


@pytest.mark.anyio
@pytest.mark.parametrize(("path", "other", "said"), CASES)
async def test_where_nothing_is_the_first_refusal_is_told(
    talk: Any, side_of: Any, path: str, other: str, said: str
) -> None:
    """It says more than that there is no such path, and nothing is remembered."""
    gateway = Gateway(side_of, path, said, 400)
    gateway.also[other] = 404
    got = await talk(auto(gateway), ask_of(path), path=path).run()
    assert (got.status, got.error["message"], gateway.served) == (400, said, [path, other])
    assert got.complete


@pytest.mark.anyio
async def test_a_refusal_that_is_told_after_all_leaves_its_record(talk: Any, side_of: Any) -> None:
    """One for each exchange."""
    gateway, records = Gateway(side_of, CHAT, ONLY_RESPONSES, 400), list[Record]()
    gateway.also[RESPONSES] = 404
    body = ask_of(RESPONSES, tools=[{"type": "custom", "name": "f"}])
    got = await talk(auto(gateway, on_exchange=records.append), body, path=RESPONSES).run()
    assert (got.status, [record.outcome for record in records]) == (400, ["refused"])


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("path", "more", "handled"),
    [(CHAT, {}, "passed"), (RESPONSES, {"tools": [{"type": "custom", "name": "f"}]}, "translated")],
)
async def test_a_request_that_was_tried_twice_is_one(
    talk: Any, side_of: Any, caplog: pytest.LogCaptureFixture, path: str, more: Any, handled: str
) -> None:
    """It was handled in the way whose refusal the client gets: one line of the log says so, and it counts once."""
    gateway = Gateway(side_of, CHAT, ONLY_RESPONSES, 400)
    gateway.also[RESPONSES] = 404
    with caplog.at_level(logging.INFO, "diglot.access"):
        got = await talk(AccessLog(auto(gateway)), ask_of(path, **more), path=path).run()
    lines = [vars(record)["exchange"] for record in caplog.records if record.name == "diglot.access"]
    assert (got.status, gateway.served) == (400, [CHAT, RESPONSES])
    assert [line["handled"] for line in lines] == [handled]


@pytest.mark.anyio
async def test_other_errors_of_the_other_api_are_told(talk: Any, side_of: Any) -> None:
    """They are news, but teach nothing."""
    gateway = Gateway(side_of, CHAT, ONLY_RESPONSES)
    gateway.also[RESPONSES] = 429
    app = auto(gateway)
    assert (await talk(app, ask_of(CHAT), path=CHAT).run()).status == 429
    assert (await talk(app, ask_of(CHAT), path=CHAT).run()).status == 429
    assert gateway.served == [CHAT, RESPONSES, CHAT, RESPONSES]


@pytest.mark.anyio
async def test_other_refusals_are_let_through(talk: Any, side_of: Any) -> None:
    """As they came."""
    gateway = Gateway(side_of, CHAT, "No such model.")
    got = await talk(auto(gateway), ask_of(CHAT), path=CHAT).run()
    assert (got.status, got.error["message"], gateway.served) == (404, "No such model.", [CHAT])


@pytest.mark.anyio
async def test_a_long_refusal_is_not_kept() -> None:
    """Who says it says it soon."""
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.request", "body": b"{}", "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    trial = Trial(receive, send, "/responses")
    await trial.receive()
    await trial.send({"type": "http.response.start", "status": 404})
    for _ in range(3):
        await trial.send({"type": "http.response.body", "body": b"x" * 40_000, "more_body": True})
    await trial.send({"type": "http.response.body", "body": b""})
    assert [message["type"] for message in sent] == ["http.response.start", *["http.response.body"] * 4]
    assert not trial.refused
    trial.leave_record()


@pytest.mark.anyio
async def test_a_request_that_was_accepted_is_not_kept() -> None:
    """It may be large, and its answer may take an hour."""

    async def receive() -> Any:
        return {"type": "http.request", "body": b"{}", "more_body": False}

    async def send(message: Any) -> None: ...

    trial = Trial(receive, send, "/responses")
    first = await trial.receive()
    await trial.send({"type": "http.response.start", "status": 200})
    await trial.receive()
    assert trial.accepted
    assert await trial.replay() is not first
