"""Every request leaves one line."""

import json
import logging
from typing import Any

import pytest

from diglot.adapters import TranslationMiddleware, Upstream
from diglot.adapters.middleware import access_log
from diglot.adapters.server.app import application
from diglot.adapters.server.config import Settings

pytestmark = pytest.mark.anyio

HOST = {"host": "localhost"}
ASK = {"model": "m", "input": "hi"}
CHAT_ASK = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> Any:
    """What the access log says, as plain values."""
    caplog.set_level(logging.DEBUG, "diglot.access")
    return lambda: [(r.levelname, r.exchange) for r in caplog.records if r.name == "diglot.access"]  # pyright: ignore[reportAttributeAccessIssue]


@pytest.mark.parametrize(
    ("scope", "body", "handled", "status", "level"),
    [
        ({}, ASK, "translated", 200, "INFO"),
        ({}, {**ASK, "stream": True}, "translated", 200, "INFO"),
        ({}, b"{", "translated", 400, "INFO"),
        ({"headers": {**HOST, "content-type": "text/plain"}}, ASK, "translated", 415, "INFO"),
        ({"path": "/v1/chat/completions"}, CHAT_ASK, "passed", 200, "INFO"),
        ({"path": "/v1/chat/completions"}, {**CHAT_ASK, "stream": True}, "passed", 200, "INFO"),
        ({"path": "/v1/models", "method": "GET"}, None, "passed", 200, "INFO"),
        ({"path": "/v1/nothing", "query_string": b"key=secret"}, b"secret", "passed", 404, "INFO"),
        ({"path": "/healthz", "method": "GET"}, None, "here", 200, "DEBUG"),
        ({"path": "/", "method": "GET"}, None, "here", 200, "INFO"),
        ({"path": "/v1/responses/r", "method": "GET"}, None, "here", 404, "INFO"),
        ({"headers": {"host": "attacker.example"}}, ASK, "here", 403, "INFO"),
        ({"headers": {**HOST, "origin": "null"}}, ASK, "here", 403, "INFO"),
        ({"method": "GET", "headers": {**HOST, "upgrade": "websocket"}}, None, "here", 426, "INFO"),
    ],
)
async def test_one_line(talk: Any, lines: Any, scope: Any, body: Any, handled: str, status: int, level: str) -> None:
    """With how it was handled, status, duration, and the path without its query; nothing else that was said."""
    headers = {**HOST, "authorization": "Bearer secret"}
    got = await talk(application(Settings(demo=True)), body, **{"headers": headers, **scope}).run()
    assert got.status == status
    ((logged, line),) = lines()
    assert (logged, line["handled"], line["status"]) == (level, handled, status)
    assert (line["method"], line["path"]) == (scope.get("method", "POST"), scope.get("path", "/v1/responses"))
    assert line["duration_ms"] >= 0
    assert "secret" not in json.dumps(line)


async def test_bounded(talk: Any, lines: Any) -> None:
    """However long a path is, its line is not."""
    await talk(application(Settings(demo=True)), path="/" + "x" * 9999, headers=HOST).run()
    ((_, line),) = lines()
    assert len(line["path"]) == 200


async def test_a_cut(talk: Any, lines: Any) -> None:
    """An answer without an end is not complete, and the exception goes on."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        access_log.mark(scope, "passed")
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"x", "more_body": True})
        raise OSError

    with pytest.raises(OSError):
        await talk(access_log.AccessLog(app)).run()
    ((_, line),) = lines()
    assert (line["status"], line["complete"]) == (200, False)


async def test_no_answer(talk: Any, lines: Any) -> None:
    """Where nobody has answered, the client has gone."""

    async def app(*call: Any) -> None: ...

    await talk(access_log.AccessLog(app)).run()
    ((_, line),) = lines()
    assert (line["status"], line["complete"]) == (499, False)


async def test_other_connections(talk: Any, lines: Any, caplog: pytest.LogCaptureFixture) -> None:
    """A lifespan is no request; where nobody logs, marks go nowhere."""
    seen: list[Any] = []

    async def app(*call: Any) -> None:
        seen.extend(call)

    one = talk(access_log.AccessLog(app), type="lifespan")
    await one.run()
    assert (seen[0], seen[2], lines()) == (one.scope, one._send, [])
    access_log.mark({}, "passed")
    caplog.set_level(logging.WARNING, "diglot.access")
    await talk(access_log.AccessLog(app)).run()
    assert lines() == []


async def test_the_upstream_gets_no_marks(talk: Any) -> None:
    """What is noted for the log is not sent anywhere."""
    upstream = Upstream("http://127.0.0.1:9")
    headers = upstream._headers({"headers": [(b"a", b"b")], "diglot.notes": object()})
    assert headers == [(b"a", b"b"), (b"accept-encoding", b"identity")]


PARENT = {"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "x-request-id": "mine"}


@pytest.mark.parametrize("headers", [PARENT, {}, {"x-request-id": "a b", "traceparent": "00-0-0-0"}])
async def test_ids(talk: Any, lines: Any, chat: Any, hello: list[bytes], headers: dict[str, str]) -> None:
    """The client's own id, or a new one, goes to both sides and into the line; so does its trace, if it is one."""
    app = chat(*hello, headers={"x-request-id": "theirs"})
    body = {"model": "m", "messages": []}
    for path in ("/v1/responses", "/v1/chat/completions"):
        inner = access_log.AccessLog(TranslationMiddleware(app))
        got = await talk(inner, {**body, **ASK, "stream": True}, headers=headers, path=path).run()
        ((_, line),) = lines()[-1:]
        assert got.headers["x-request-id"] == line["request_id"]
        assert app.scopes[-1]["headers"].count((b"x-request-id", line["request_id"].encode())) == 1
        assert line["trace_id"] == (PARENT["traceparent"][3:35] if headers is PARENT else None)
        assert (line["request_id"] == "mine") is (headers is PARENT)
        assert line["request_id"] not in ("a b", "theirs", "")


async def test_other_messages(talk: Any) -> None:
    """What is neither the start of an answer nor a part of its body goes through as it is."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.debug"})

    got = await talk(access_log.AccessLog(app)).run()
    assert got.sent == [{"type": "http.response.debug"}]
