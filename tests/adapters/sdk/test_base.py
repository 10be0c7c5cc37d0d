"""What both transports share."""

import httpx
import httpx2
import pytest

from diglot import AsyncTransport, Transport

from scripted_server import ScriptedServer


@pytest.mark.parametrize(("made", "inner"), [(Transport, httpx2.AsyncClient), (AsyncTransport, httpx.Client)])
def test_the_wrong_kind_of_client(made: type[Transport], inner: type[httpx.Client]) -> None:
    """It is found out at once."""
    with pytest.raises(TypeError, match=rf"{made.__name__} needs a \w*Client, not a {inner.__name__}"):
        made(inner.__new__(inner))


def test_what_is_neither_a_client_nor_a_transport() -> None:
    """It is found out at once, and not with the first request."""
    with pytest.raises(TypeError, match="Transport needs a Client, not a str"):
        Transport("http://127.0.0.1:8000/v1")


def test_a_client_of_the_other_package(upstream: ScriptedServer) -> None:
    """Its classes are others: a clear error with the first request."""
    with (
        httpx2.Client(transport=Transport(httpx.Client())) as client,
        pytest.raises(TypeError, match="a request of httpx2 cannot be sent by a client of httpx"),
    ):
        client.get(upstream.url)
    assert upstream.asked == []


def test_a_transport_of_ones_own(upstream: ScriptedServer) -> None:
    """It need not be derived from anything."""

    class Counting:
        count = 0

        def __init__(self) -> None:
            self.beneath = httpx2.HTTPTransport()

        def handle_request(self, request: httpx2.Request) -> httpx2.Response:
            self.count += 1
            return self.beneath.handle_request(request)

        def close(self) -> None:
            self.beneath.close()

    counting = Counting()
    with httpx2.Client(transport=Transport(counting)) as client:
        assert client.post(f"{upstream.url}/v1/responses", json={"model": "m", "input": "Hi"}).status_code == 200
    assert counting.count == 1


def test_what_is_refused(upstream: ScriptedServer) -> None:
    """Stored state and WebSockets get an error in OpenAI's words; nothing is sent."""
    with httpx2.Client(transport=Transport()) as client:
        got = client.get(f"{upstream.url}/v1/responses/resp_1")
        assert (got.status_code, got.headers["content-type"]) == (404, "application/json")
        assert "diglot serve --store" in got.json()["error"]["message"]
        upgrade = {"upgrade": "websocket", "connection": "upgrade"}
        assert client.get(f"{upstream.url}/v1/responses", headers=upgrade).status_code == 426
        kept = client.post(
            f"{upstream.url}/v1/responses", json={"model": "m", "input": "", "previous_response_id": "r"}
        )
        assert (kept.status_code, kept.json()["error"]["param"]) == (400, "previous_response_id")
    assert upstream.asked == []


def test_what_goes_through_untouched(upstream: ScriptedServer) -> None:
    """The upstream's own API, and whatever else it has, with queries and bodies of any kind."""
    with httpx2.Client(transport=Transport()) as client:
        client.post(f"{upstream.url}/v1/chat/completions", content=b'{"unknown": 1}', headers={"x-own": "1"})
        client.post(f"{upstream.url}/v1/files", files={"file": b"content"})
        client.get(f"{upstream.url}/v1/files", params={"after": "file_1", "limit": 2})
    chat, upload, page = upstream.asked
    assert (chat.content, chat.headers["x-own"]) == (b'{"unknown": 1}', "1")
    assert b"content" in upload.content
    assert page.line == "GET /v1/files?after=file_1&limit=2 HTTP/1.1"
