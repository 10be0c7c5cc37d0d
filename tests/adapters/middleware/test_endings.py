"""The end of what passes through a server that stops."""

import json
from typing import Any

import anyio
import pytest

from diglot.adapters.middleware import access_log, endings

pytestmark = pytest.mark.anyio
EVENTS = (b"content-type", b"text/event-stream; charset=utf-8")


async def cancelled(talk: Any, *headers: tuple[bytes, bytes], path: str = "/v1/chat/completions", **how: Any) -> Any:
    """What a client has of a stream whose task is cancelled in the middle of an event."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        access_log.mark(scope, how.get("handled", "passed"))
        if how.get("begins", True):
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await send({"type": "http.response.body", "body": b'data: {"a', "more_body": not how.get("complete")})
        await anyio.sleep_forever()

    ask = talk(access_log.AccessLog(app), path=path, http_version="1.1")
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(ask.run)
        await anyio.wait_all_tasks_blocked()
        tasks.cancel_scope.cancel()
    return ask


async def test_chat(talk: Any) -> None:
    """The last event is an error, behind what was cut; then the answer ends."""
    got = await cancelled(talk, EVENTS)
    last = got.body.split(b"\n\n")[-2]
    assert json.loads(last.removeprefix(b"data: "))["error"]["code"] == "server_stopped"
    assert got.sent[-1]["more_body"] is False


async def test_responses(talk: Any) -> None:
    """Its clients know an event for it."""
    got = await cancelled(talk, EVENTS, path="/v1/responses")
    name, data = got.body.split(b"\n\n")[-2].split(b"\n")
    assert (name, json.loads(data.removeprefix(b"data: "))["type"]) == (b"event: error", "error")


@pytest.mark.parametrize(
    ("headers", "how"),
    [
        ([EVENTS], {"handled": "translated"}),
        ([EVENTS], {"complete": True}),
        ([EVENTS, (b"content-encoding", b"gzip")], {}),
        ([EVENTS, (b"Content-Length", b"99")], {}),
        ([(b"content-type", b"application/json")], {}),
    ],
)
async def test_others(talk: Any, headers: Any, how: Any) -> None:
    """Nothing is added where it would not be read as an error."""
    got = await cancelled(talk, *headers, **how)
    assert [message.get("body") for message in got.sent[1:]] == [b'data: {"a']


@pytest.mark.parametrize("handled", ["passed", "translated", "here"])
async def test_no_answer_yet(talk: Any, handled: str) -> None:
    """What waits for an upstream, or has not been read, gets an error of the API: uvicorn would only say 500."""
    got = await cancelled(talk, handled=handled, begins=False)
    assert (got.status, json.loads(got.body)["error"]["type"]) == (503, "server_error")
    assert {b"connection", b"x-request-id"} <= {name for name, _ in got.sent[0]["headers"]}
    assert got.sent[-1]["more_body"] is False


async def test_a_client_that_does_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not waited for."""
    monkeypatch.setattr(endings, "_PATIENCE", 0.01)

    async def send(message: Any) -> None:
        await anyio.sleep_forever()

    with anyio.fail_after(2):
        await endings.end({"path": "/"}, [EVENTS], send)
        await endings.refuse({"path": "/"}, send)
