"""The synchronous transport: threads, and what is beneath it."""

import time
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import httpx
import httpx2
import pytest

from diglot import Transport, http_client
from diglot.adapters.sdk import transport

from scripted_server import COMPLETION, HELLO, RESPONSE, Asked, ScriptedServer, Steps, answer, stream

HI = {"model": "m", "input": "Hi"}


def _refusing_once_per_request(asked: Asked) -> Steps:
    if "max_completion_tokens" in asked.body:
        message = "Unsupported parameter: 'max_completion_tokens'. Use 'max_tokens' instead."
        param = "max_completion_tokens"
        return answer({"error": {"message": message, "type": "invalid_request_error", "param": param}}, 400)
    return stream(*HELLO) if asked.body.get("stream") else answer(COMPLETION)


def test_one_client_in_sixteen_threads(upstream: ScriptedServer) -> None:
    """Every answer is whole and goes to whom it belongs; what one thread learns, all know."""
    upstream.script = _refusing_once_per_request
    with http_client(profile="openai") as client, ThreadPoolExecutor(16) as threads:

        def ask(number: int) -> str:
            body = {**HI, "max_output_tokens": 9, "metadata": {"n": str(number)}, "stream": number % 2 == 1}
            return client.post(f"{upstream.url}/v1/responses", json=body).text

        told = list(threads.map(ask, range(160)))
        refused = len(upstream.asked) - 160
        assert all("Hello" in text and f'"n":"{number}"' in text for number, text in enumerate(told))
        assert 1 <= refused <= 16
        ask(0)
        assert len(upstream.asked) == 160 + refused + 1


@pytest.mark.parametrize("package", [httpx2, httpx])
def test_a_transport_beneath(package: Any, upstream: ScriptedServer) -> None:
    """It is used as it is, and closed with the one above."""
    with package.Client(transport=Transport(package.HTTPTransport(retries=1))) as client:
        assert client.post(f"{upstream.url}/v1/responses", json=HI).json()["status"] == "completed"
        assert client.get(f"{upstream.url}/v1/models").json() == COMPLETION
    assert upstream.asked[1].line == "GET /v1/models HTTP/1.1"


def test_a_mock_beneath() -> None:
    """A test of the caller's needs no network."""

    def handler(request: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(200, json=COMPLETION, headers={"x-path": request.url.path})

    with http_client(httpx2.Client(transport=httpx2.MockTransport(handler))) as client:
        got = client.post("http://mock.test/v1/responses", json=HI)
        assert (got.json()["status"], got.headers["x-path"]) == ("completed", "/v1/chat/completions")
        streamed = client.post("http://mock.test/v1/responses", json={**HI, "stream": True})
        assert "response.completed" in streamed.text


def test_nothing_beneath(upstream: ScriptedServer) -> None:
    """The package is that of the client above; nothing is open before the first request."""
    for package in (httpx2, httpx):
        with Transport() as made:
            assert made.inner is None
            with package.Client(transport=made) as client:
                assert client.post(f"{upstream.url}/v1/responses", json=HI).status_code == 200
                assert isinstance(made.inner, package.Client)
    Transport().close()


@pytest.mark.parametrize("package", [httpx2, httpx])
def test_how_long_answers_took(package: Any, upstream: ScriptedServer) -> None:
    """A client knows it of each answer that it has read: whole ones, streams, and errors of ours."""
    with package.Client(transport=Transport(), base_url=f"{upstream.url}/v1") as client:
        for path, body in (
            ("/responses", HI),
            ("/responses", {**HI, "stream": True}),
            ("/responses", {}),
            ("/conversations", {}),
        ):
            answered = client.post(path, json=body)
            assert answered.elapsed.total_seconds() > 0
            assert answered.headers.get("content-length", str(len(answered.content))) == str(len(answered.content))


def test_hooks(upstream: ScriptedServer) -> None:
    """They see what goes over the wire, and may read it."""
    seen: list[Any] = []

    def note(answered: httpx2.Response) -> None:
        seen.append((answered.request.url.path, answered.read()))

    hooks: Any = {"request": [lambda request: seen.append(request.url.path)], "response": [note]}
    with http_client(httpx2.Client(event_hooks=hooks)) as client:
        assert client.post(f"{upstream.url}/v1/responses", json=HI).json()["status"] == "completed"
        assert client.get(f"{upstream.url}/v1/models").json() == COMPLETION
    assert [each if isinstance(each, str) else each[0] for each in seen] == [
        *["/v1/chat/completions"] * 2,
        *["/v1/models"] * 2,
    ]
    assert b'"choices"' in seen[1][1]


def test_redirects_lead_to_the_translated_endpoint(upstream: ScriptedServer) -> None:
    """The translated request is sent again; one that is not translated is redirected by the client above."""

    def moved(asked: Asked) -> Steps:
        path = asked.line.split()[1]
        if path.startswith("/old"):
            return answer({}, 307, location=path.replace("/old", ""))
        return answer(COMPLETION)

    upstream.script = moved
    with http_client() as client:
        assert client.post(f"{upstream.url}/old/v1/responses", json=HI).json()["status"] == "completed"
        assert client.get(f"{upstream.url}/old/v1/models").history[0].status_code == 307
    assert [asked.line.split()[1] for asked in upstream.asked] == [
        *("/old/v1/chat/completions", "/v1/chat/completions", "/old/v1/models", "/v1/models")
    ]
    assert upstream.asked[0].body == upstream.asked[1].body


def test_choices_are_asked_for_at_once(upstream: ScriptedServer) -> None:
    """They take no longer than one."""
    upstream.script = lambda asked: [0.4, *answer(RESPONSE)]
    began = time.monotonic()
    with http_client(upstream_api="responses") as client:
        body = {"model": "m", "messages": [{"role": "user", "content": "Hi"}], "n": 5}
        assert len(client.post(f"{upstream.url}/v1/chat/completions", json=body).json()["choices"]) == 5
    assert time.monotonic() - began < 1.5


def test_a_connection_that_others_use_is_not_shut_down() -> None:
    """HTTP/2 has many requests on one; and where there is no socket, there is nothing to shut down."""
    shared = {"http_version": b"HTTP/2", "network_stream": SimpleNamespace(get_extra_info=lambda name: 1 / 0)}
    for extensions in ({}, shared):
        with transport._hanging_up(extensions, 0):
            time.sleep(0.01)


def test_a_coroutine_that_waits_is_a_mistake() -> None:
    """Of ours: a synchronous call must never need an event loop."""

    class Waits:
        def __await__(self) -> Any:
            yield

    async def wait() -> None:
        await Waits()

    with pytest.raises(AssertionError, match="event loop"):
        transport._run(wait())
