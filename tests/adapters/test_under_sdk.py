"""The official SDK with a transport and without a server, in both directions, against real upstreams."""

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import anyio
import openai
import pytest
from pydantic import BaseModel

from diglot import async_http_client, http_client
from diglot.adapters.demo import app as demo
from diglot.adapters.server.app import on_loopback

from scripted_server import COMPLETION, HELLO, RESPONSE, Asked, ScriptedServer, Steps, answer, stream

HI: list[Any] = [{"role": "user", "content": "Hi"}]


@pytest.fixture(scope="module", params=["chat", "responses"])
def upstream(request: pytest.FixtureRequest) -> Iterator[tuple[str, Any]]:
    """The demo upstream with one of the APIs, on a loopback port; the URL, and which API it has."""
    app = demo.upstream() if request.param == "chat" else demo.responses_upstream()
    started, done = threading.Event(), threading.Event()
    urls: list[str] = []

    async def serve() -> None:
        async with on_loopback(app) as url:
            urls.append(url)
            started.set()
            await anyio.to_thread.run_sync(done.wait)

    thread = threading.Thread(target=anyio.run, args=(serve,))
    thread.start()
    assert started.wait(10)
    yield f"{urls[0]}/v1", request.param
    done.set()
    thread.join()


@pytest.fixture
def scripted() -> Iterator[ScriptedServer]:
    server = ScriptedServer(lambda asked: answer(COMPLETION))
    yield server
    server.stop()


@pytest.fixture
def sdk(scripted: ScriptedServer) -> Iterator[Callable[..., openai.OpenAI]]:
    """Makes synchronous SDKs over the scripted server."""
    made: list[openai.OpenAI] = []

    def make(inner: Any = None, max_retries: int = 0, timeout: float = 5, **settings: Any) -> openai.OpenAI:
        client = http_client(inner, **settings)
        base = f"{scripted.url}/v1"
        made.append(
            openai.OpenAI(base_url=base, api_key="k", http_client=client, max_retries=max_retries, timeout=timeout)
        )
        return made[-1]

    yield make
    for each in made:
        each.close()


def test_both_apis(upstream: tuple[str, Any]) -> None:
    """The one that the upstream has, and the one that it lacks: finished and streamed, by hand and by helper."""
    url, api = upstream
    with openai.OpenAI(base_url=url, api_key="k", http_client=http_client(upstream_api=api)) as client:
        said = client.chat.completions.create(model="m", messages=HI).choices[0].message.content
        assert said
        chunks = client.chat.completions.create(model="m", messages=HI, stream=True)
        assert "".join(each.choices[0].delta.content or "" for each in chunks if each.choices) == said
        with client.chat.completions.stream(model="m", messages=HI) as helper:
            assert helper.get_final_completion().choices[0].message.content == said
        if api == "chat":
            assert client.responses.create(model="m", input="Hi").output_text == said
            events = client.responses.create(model="m", input="Hi", stream=True)
            assert "".join(each.delta for each in events if each.type == "response.output_text.delta") == said
            with client.responses.stream(model="m", input="Hi") as helper_of_responses:
                assert helper_of_responses.get_final_response().output_text == said
        else:
            several = client.chat.completions.create(model="m", messages=HI, n=2).choices
            assert [choice.message.content for choice in several] == [said] * 2
        assert [model.id for model in client.models.list()] == ["demo"]


def test_both_apis_asynchronously(upstream: tuple[str, Any]) -> None:
    url, api = upstream

    async def main() -> None:
        made = async_http_client(upstream_api=api)
        async with openai.AsyncOpenAI(base_url=url, api_key="k", http_client=made) as client:
            said = (await client.chat.completions.create(model="m", messages=HI)).choices[0].message.content
            chunks = await client.chat.completions.create(model="m", messages=HI, stream=True)
            assert "".join([each.choices[0].delta.content or "" async for each in chunks if each.choices]) == said
            if api == "chat":
                assert (await client.responses.create(model="m", input="Hi")).output_text == said
                async with client.responses.stream(model="m", input="Hi") as helper:
                    assert (await helper.get_final_response()).output_text == said

    anyio.run(main)


class Weather(BaseModel):
    city: str


def test_parsed(scripted: ScriptedServer, sdk: Callable[..., openai.OpenAI]) -> None:
    """The schema is in the translated request, the parsed value in the answer."""
    message = {"role": "assistant", "content": '{"city":"Paris"}'}
    parsed = {**COMPLETION, "choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}
    scripted.script = lambda asked: answer(parsed)
    got = sdk().responses.parse(model="m", input="Hi", text_format=Weather)
    assert got.output_parsed == Weather(city="Paris")
    assert scripted.asked[0].body["response_format"]["json_schema"]["name"] == "Weather"


def test_raw_and_streaming_answers(scripted: ScriptedServer, sdk: Callable[..., openai.OpenAI]) -> None:
    """Headers are there, and bodies can be read in lines."""
    scripted.script = lambda asked: (
        stream(*HELLO, x_request_id="r1") if asked.body.get("stream") else answer(COMPLETION, x_request_id="r1")
    )
    client = sdk()
    raw = client.responses.with_raw_response.create(model="m", input="Hi", truncation="auto")
    assert raw.request_id == "r1"
    assert "truncation" in raw.headers["diglot-losses"]
    assert raw.parse().output_text == "Hello"
    with client.responses.with_streaming_response.create(model="m", input="Hi", stream=True) as streamed:
        assert "event: response.completed" in list(streamed.iter_lines())


def test_pages_of_other_endpoints(scripted: ScriptedServer, sdk: Callable[..., openai.OpenAI]) -> None:
    """They go through untouched."""
    files = [{"id": f"file_{n}", "object": "file", "bytes": 1, "created_at": 1, "filename": "f"} for n in range(3)]
    pages = iter([{"data": files[:2], "has_more": True}, {"data": files[2:], "has_more": False}])
    scripted.script = lambda asked: answer({"object": "list", **next(pages)})
    assert [file.id for file in sdk().files.list()] == ["file_0", "file_1", "file_2"]
    assert scripted.asked[1].line == "GET /v1/files?after=file_1 HTTP/1.1"


def test_the_sdk_tries_again(scripted: ScriptedServer, sdk: Callable[..., openai.OpenAI]) -> None:
    """When and how often is up to it: after errors with a status, and after lost connections."""
    replies: Iterator[Steps] = iter(
        [answer({"error": {"message": "Busy."}}, 503, retry_after_ms="10"), [None], answer(COMPLETION)]
    )
    scripted.script = lambda asked: next(replies)
    assert sdk(max_retries=2).responses.create(model="m", input="Hi").output_text == "Hello"
    assert len(scripted.asked) == 3

    scripted.script = lambda asked: answer({"error": {"message": "Never."}}, 503, x_should_retry="false")
    with pytest.raises(openai.InternalServerError, match=r"Never\."):
        sdk(max_retries=2).responses.create(model="m", input="Hi")
    assert len(scripted.asked) == 4


def test_errors_are_those_of_the_sdk(scripted: ScriptedServer, sdk: Callable[..., openai.OpenAI]) -> None:
    """As without a transport."""
    client = sdk(timeout=0.3)
    scripted.script = lambda asked: [30.0]
    began = time.monotonic()
    with pytest.raises(openai.APITimeoutError):
        client.responses.create(model="m", input="Hi")
    assert time.monotonic() - began < 2
    scripted.script = lambda asked: [None]
    with pytest.raises(openai.APIConnectionError):
        client.responses.create(model="m", input="Hi")
    with pytest.raises(openai.NotFoundError, match="needs stored state"):
        client.responses.retrieve("resp_1")
    with pytest.raises(openai.BadRequestError, match="answers are not stored here") as refused:
        client.responses.create(model="m", input="Hi", previous_response_id="resp_1")
    assert refused.value.param == "previous_response_id"


def test_ten_streams_use_one_connection(scripted: ScriptedServer, sdk: Callable[..., openai.OpenAI]) -> None:
    """Also where the SDK itself stops reading at [DONE]."""
    scripted.script = lambda asked: stream(*HELLO)
    client = sdk()
    for _ in range(10):
        assert [event.type for event in client.responses.create(model="m", input="Hi", stream=True)][-1] == (
            "response.completed"
        )
    assert scripted.connections == 1


def _azure(asked: Asked) -> Steps:
    return answer(RESPONSE if "responses" in asked.line else COMPLETION)


@pytest.mark.parametrize("api", ["chat", "responses"])
def test_azure(scripted: ScriptedServer, api: Any) -> None:
    """The v1 base URL with the plain client, and the client of the dated API, whose chat path has the deployment."""
    scripted.script = _azure
    v1 = openai.OpenAI(
        base_url=f"{scripted.url}/openai/v1", api_key="k", http_client=http_client(upstream_api=api, profile="azure")
    )
    dated = openai.AzureOpenAI(
        azure_endpoint=scripted.url,
        api_key="k",
        api_version="2025-03-01-preview",
        http_client=http_client(upstream_api=api, profile="azure"),
    )
    for client in (v1, dated):
        with client:
            if api == "chat":
                assert client.responses.create(model="dep", input="Hi").output_text == "Hello"
            else:
                got = client.chat.completions.create(model="dep", messages=HI)
                assert got.choices[0].message.content == "Hello"
    paths = [asked.line.split()[1] for asked in scripted.asked]
    if api == "chat":
        dated_path = "/openai/deployments/dep/chat/completions?api-version=2025-03-01-preview"
        assert paths == ["/openai/v1/chat/completions", dated_path]
    else:
        assert paths == ["/openai/v1/responses"] * 2
    assert scripted.asked[1].headers["api-key"] == "k"
    assert {asked.body["model"] for asked in scripted.asked} == {"dep"}
