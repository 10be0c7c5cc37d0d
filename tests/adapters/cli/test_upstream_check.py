"""What is there behind a URL."""

import json
from collections.abc import Callable
from typing import Any

import anyio
import pytest

from diglot.adapters import Limits
from diglot.adapters.cli.upstream_check import APIS, CASES, CheckError, Outcome, UpstreamCheck
from diglot.adapters.demo import app as demo_app
from diglot.adapters.server.app import on_loopback
from diglot.translator import preset


def checked(app: Any, what: Callable[[UpstreamCheck], Any], key: str | None = None) -> Any:
    """What a check says of a real server."""

    async def main() -> Any:
        async with on_loopback(app) as url:
            check = UpstreamCheck(url, preset("default"), key, Limits(first_byte=5))
            try:
                return await what(check)
            except CheckError as error:
                return error
            finally:
                await check.aclose()

    return anyio.run(main)


class Upstream:
    """Answers by path: a status, and a JSON value or the bytes of a stream; None is a cut."""

    def __init__(self, **answers: tuple[int, Any]) -> None:
        self.answers = {"models": (200, {"data": [{"id": "m"}]}), **answers}
        self.bodies: list[Any] = []
        self.keys: list[Any] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        data = (await receive())["body"]
        self.bodies.append(json.loads(data or b"null"))
        self.keys.append(dict(scope["headers"]).get(b"authorization"))
        name = scope["path"].removeprefix("/v1/").replace("/", "_")
        streams = bool(self.bodies[-1] and self.bodies[-1].get("stream"))
        status, answer = self.answers.get(f"{name}_stream" if streams else name, (404, {"detail": "Not Found"}))
        kind = b"text/event-stream" if isinstance(answer, bytes) else b"application/json"
        await send({"type": "http.response.start", "status": status, "headers": [(b"content-type", kind)]})
        body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        await send({"type": "http.response.body", "body": body})


def completion(**message: Any) -> tuple[int, Any]:
    return 200, {"choices": [{"index": 0, "message": {"role": "assistant", **message}, "finish_reason": "stop"}]}


async def both(check: UpstreamCheck) -> dict[str, dict[str, Outcome]]:
    return {api: await check.api(api, await check.model(None)) for api in APIS}


@pytest.mark.parametrize("has", APIS)
def test_the_demo(has: str) -> None:
    """What is there answers, streams and calls tools; what is not is missing, and tried once."""
    found = checked(demo_app.upstream() if has == "chat" else demo_app.responses_upstream(), both)
    for api, tried in found.items():
        if api == has:
            assert [(trial, outcome.good) for trial, outcome in tried.items()] == [(trial, True) for trial in CASES]
            assert "pieces, the first after" in tried["streams"].words
        else:
            assert [(trial, outcome.missing) for trial, outcome in tried.items()] == [("answers", True)]


def test_what_is_asked() -> None:
    """Small requests, in the name of the key."""
    upstream = Upstream(chat_completions=completion(content="Hello."))
    checked(upstream, lambda check: check.api("chat", "m"), "k3y")
    whole, stream, tools = upstream.bodies
    assert (whole["model"], whole["max_tokens"] <= 512, stream["stream"]) == ("m", True, True)
    assert tools["tools"][0]["function"]["name"] == "get_weather"
    assert set(upstream.keys) == {b"Bearer k3y"}


@pytest.mark.parametrize(
    ("models", "model"),
    [
        ([{"id": "text-embedding-3"}, {"id": "whisper-1"}, {"id": "qwen"}], "qwen"),
        ([{"id": "qwen"}, {"id": "other"}], "qwen"),
    ],
)
def test_model(models: Any, model: str) -> None:
    """The first that is for text, unless one is named."""
    upstream = Upstream(models=(200, {"data": models}))
    assert checked(upstream, lambda check: check.model(None)) == model
    assert checked(upstream, lambda check: check.model("mine")) == "mine"


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ((401, {"error": {"message": "Incorrect API key"}}), "The key was refused (401): Incorrect API key\nSet one"),
        ((403, {"error": "no"}), "The key was refused (403)"),
        ((502, {"error": {"message": "Too late.", "code": "upstream_timeout"}}), "Too late. Is the URL right"),
        ((404, {}), "choose one with --model"),
        ((200, {"data": []}), "choose one with --model"),
        ((200, {"data": [{"id": "bge-embed"}, 1]}), "choose one with --model"),
        ((200, {"data": 1}), "choose one with --model"),
        ((200, [1]), "choose one with --model"),
        ((200, b"x"), "choose one with --model"),
    ],
)
def test_no_model(answer: tuple[int, Any], words: str) -> None:
    """What to do is said."""
    error = checked(Upstream(models=answer), lambda check: check.model(None))
    assert isinstance(error, CheckError)
    assert words in str(error)


def test_nobody_there() -> None:
    """That the server may not run is said first."""

    async def main() -> None:
        check = UpstreamCheck("http://127.0.0.1:9", preset("default"), None, Limits())
        with pytest.raises(CheckError, match="is the server running"):
            await check.model("m")
        await check.aclose()

    anyio.run(main)


CHUNK = b'data: {"choices":[{"index":0,"delta":{"content":"Hi"}}]}\n\n'
EVENT = b'data: {"type":"response.output_text.delta","output_index":0,"content_index":0,"item_id":"m","delta":"Hi"}\n\n'
RESPONSE = {"id": "r", "object": "response", "status": "completed", "output": []}
MESSAGE = {"type": "message", "id": "m", "role": "assistant", "content": [{"type": "output_text", "text": "Hi"}]}


@pytest.mark.parametrize(
    ("api", "answers", "words"),
    [
        ("chat", {"chat_completions": completion(content="Hi"), "chat_completions_stream": (200, CHUNK)}, "cut off"),
        ("chat", {"chat_completions": completion(content="Hi")}, "There is no POST"),
        (
            "responses",
            {"responses": (200, {**RESPONSE, "output": [MESSAGE]}), "responses_stream": (200, EVENT)},
            "cut off",
        ),
    ],
)
def test_streams_that_fail(api: Any, answers: Any, words: str) -> None:
    """A stream that is cut, or refused, is none; why is said."""
    tried = checked(Upstream(**answers), lambda check: check.api(api, "m"))
    assert tried["answers"].good
    assert not tried["streams"].good
    assert words in tried["streams"].words
    assert not tried["calls tools"].good
    assert "was told to call the tool" in tried["calls tools"].words


@pytest.mark.parametrize("api", APIS)
def test_refused(api: Any) -> None:
    """The upstream's own words are shown; nothing more is tried."""
    refusal = (400, {"error": {"message": "The model `m` does not exist"}})
    tried = checked(Upstream(chat_completions=refusal, responses=refusal), lambda check: check.api(api, "m"))
    assert tried == {"answers": Outcome(False, "The model `m` does not exist")}


def test_a_model_that_is_missing() -> None:
    """A 404 about the model is none about the endpoint."""
    refusal = (404, {"error": {"message": "The model `m` does not exist", "code": "model_not_found"}})
    tried = checked(Upstream(chat_completions=refusal), lambda check: check.api("chat", "m"))
    assert tried["answers"] == Outcome(False, "The model `m` does not exist")


def test_the_client_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever listens for the end of the client hears nothing."""

    async def listening(scope: Any, receive: Any, send: Any) -> None:
        assert not (await receive())["more_body"]
        with anyio.move_on_after(0.01) as patience:
            await receive()
        assert patience.cancelled_caught
        await send({"type": "http.response.start", "status": 418, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    async def main() -> None:
        check = UpstreamCheck("http://127.0.0.1:9", preset("default"), None, Limits())
        monkeypatch.setattr(check, "_upstream", listening)
        with pytest.raises(CheckError, match="418"):
            await check.model(None)

    anyio.run(main)


def test_an_upstream_that_raises(monkeypatch: pytest.MonkeyPatch) -> None:
    """What cuts its answer has failed."""

    async def broken(*call: Any) -> None:
        raise OSError

    async def main() -> None:
        check = UpstreamCheck("http://127.0.0.1:9", preset("default"), None, Limits())
        monkeypatch.setattr(check, "_upstream", broken)
        with pytest.raises(CheckError, match="502"):
            await check.model(None)

    anyio.run(main)
