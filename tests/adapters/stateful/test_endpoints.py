"""Requests to endpoints of stored state, and all that can be wrong with them."""

from __future__ import annotations

import gzip
import json
import logging
from typing import Any

import anyio
import pytest
from stored_world import NOW, App, ask, conversation_id, keep_completion, keep_conversation, keep_response, key, user

from diglot.adapters import Limits
from diglot.adapters.stateful.routes import ROUTES
from diglot.adapters.store import NewRecord, Store, StoreUnavailable

pytestmark = pytest.mark.anyio

HELLO = {"type": "message", "role": "user", "content": "Hello"}
IDS = {
    "response_id": f"resp_{key(1)}",
    "conversation_id": conversation_id(2),
    "item_id": "msg_1",
    "completion_id": "chatcmpl-1",
}
BODY = {"metadata": {}, "items": [HELLO]}
EVERY = [(method, route.path.format(**IDS)) for route in ROUTES for method in route.endpoints]
BODIES = [path for method, path in EVERY if method == "POST" and not path.endswith("/cancel")]


class Failing:
    """A store whose every method fails."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def __getattr__(self, name: str) -> Any:
        async def fail(*args: Any, **more: Any) -> None:
            raise self.error

        return fail


@pytest.mark.parametrize(("method", "path"), EVERY)
async def test_store_down(method: str, path: str, caplog: pytest.LogCaptureFixture) -> None:
    """The client may come back in a moment; what the database said is for nobody."""
    app = App(Failing(StoreUnavailable("secret")))
    got = await ask(app, method, path, BODY if method == "POST" else None)
    assert (got.status, got.error["code"], got.error["type"]) == (503, "store_unavailable", "server_error")
    assert got.headers["retry-after"] == "1"
    assert caplog.text
    assert "secret" not in caplog.text + json.dumps(got.body)


@pytest.mark.parametrize(("method", "path"), EVERY)
async def test_bugs(method: str, path: str, caplog: pytest.LogCaptureFixture) -> None:
    """The client gets an answer all the same."""
    got = await ask(App(Failing(ValueError("secret"))), method, path, BODY if method == "POST" else None)
    assert (got.status, got.error["code"]) == (500, "internal_error")
    assert "ValueError" in caplog.text
    assert "secret" not in caplog.text + json.dumps(got.body)


class Damaging:
    """A store that gives bytes which mean nothing."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._store, name)

        async def damaged(*args: Any, **more: Any) -> Any:
            found = await method(*args, **more)
            if isinstance(found, list):
                return [each._replace(body=b"9zsecret") for each in found]
            if isinstance(found, bytes):
                return b"9zsecret"
            if hasattr(found, "_replace"):
                return found._replace(**{"metadata" if name == "conversation" else "body": b"9zsecret"})
            return found

        return damaged


DAMAGED = [
    ("GET", "/responses/{response_id}", IDS["response_id"]),
    ("GET", "/responses/{response_id}/input_items", IDS["response_id"]),
    ("GET", "/conversations/{conversation_id}", IDS["conversation_id"]),
    ("POST", "/conversations/{conversation_id}", IDS["conversation_id"]),
    ("GET", "/conversations/{conversation_id}/items", "msg_1"),
    ("GET", "/conversations/{conversation_id}/items/{item_id}", "msg_1"),
    ("DELETE", "/conversations/{conversation_id}/items/{item_id}", IDS["conversation_id"]),
    ("GET", "/chat/completions", "chatcmpl-1"),
    ("GET", "/chat/completions/{completion_id}", "chatcmpl-1"),
    ("POST", "/chat/completions/{completion_id}", "chatcmpl-1"),
    ("GET", "/chat/completions/{completion_id}/messages", "chatcmpl-1"),
]


@pytest.mark.parametrize(("method", "path", "ident"), DAMAGED)
async def test_damaged(store: Store, method: str, path: str, ident: str, caplog: pytest.LogCaptureFixture) -> None:
    """The log has the id, and nothing of the content; trying again does not help."""
    await keep_response(store, 1)
    await keep_conversation(store, 2, user("Hi", "msg_1"))
    await keep_completion(store, "chatcmpl-1")
    app: Any = App(Damaging(store))
    got = await ask(app, method, path.format(**IDS), BODY if method == "POST" else None)
    assert (got.status, got.error["code"], got.headers["x-should-retry"]) == (500, "damaged_record", "false")
    assert [f"'{ident}'" in record.getMessage() for record in caplog.records if record.levelno == logging.ERROR] == [
        True
    ]
    assert "secret" not in caplog.text


async def test_a_damaged_record_can_be_deleted(app: App, store: Store) -> None:
    """Nobody has to read it for that."""
    await store.put("me", NewRecord(key(1), NOW, b"9z", 2, b"9z", "0" * 32))
    assert (await ask(app, "GET", f"/responses/{IDS['response_id']}")).status == 500
    assert (await ask(app, "DELETE", f"/responses/{IDS['response_id']}")).status == 200


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("PUT", f"/responses/{IDS['response_id']}", "DELETE, GET"),
        ("GET", f"/responses/{IDS['response_id']}/cancel", "POST"),
        ("DELETE", "/chat/completions", "GET, POST"),
    ],
)
async def test_other_methods(app: App, method: str, path: str, allow: str) -> None:
    """The answer says which ones there are."""
    got = await ask(app, method, path)
    assert (got.status, got.error["code"], got.headers["allow"]) == (405, "method_not_allowed", allow)


@pytest.mark.parametrize("path", BODIES)
@pytest.mark.parametrize(
    ("data", "headers", "status", "code"),
    [
        (b"{", {}, 400, "invalid_json"),
        (b"[]", {}, 400, "invalid_json"),
        (b"null", {}, 400, "invalid_json"),
        (b"\xff", {}, 400, "invalid_json"),
        (b"[" * 900, {}, 400, "invalid_json"),
        (b"a=b", {"content-type": "application/x-www-form-urlencoded"}, 415, "unsupported_content_type"),
        (b"{}", {"content-type": "text/plain"}, 415, "unsupported_content_type"),
        (b"{}", {"content-encoding": "br"}, 415, "unsupported_encoding"),
        (b"{}", {"content-encoding": "gzip"}, 400, "invalid_encoding"),
        (b"x" * 2_000, {}, 413, "request_too_large"),
        (gzip.compress(b"x" * 20_000, mtime=0), {"content-encoding": "gzip"}, 413, "request_too_large"),
    ],
)
async def test_bad_bodies(app: App, store: Store, path: str, data: bytes, headers: Any, status: int, code: str) -> None:
    """The same errors as everywhere; nothing is stored."""
    app.limits = Limits(max_body=1_000)
    got = await ask(app, "POST", path, data, headers=headers)
    assert (got.status, got.error["code"]) == (status, code)
    assert await store.counts() == []


@pytest.mark.parametrize("path", BODIES)
@pytest.mark.parametrize("headers", [{}, {"content-encoding": "gzip"}])
async def test_no_body(app: App, path: str, headers: Any) -> None:
    """It is like an empty object, so the error says what is missing."""
    got = await ask(app, "POST", path, b"", headers=headers)
    if path == "/conversations":
        assert got.status == 200
    else:
        assert (got.status, got.error["code"]) == (400, "missing_required_parameter")


async def test_compressed(app: App) -> None:
    """As clients may."""
    data = gzip.compress(json.dumps({"metadata": {"a": "b"}}).encode())
    got = await ask(app, "POST", "/conversations", data, headers={"content-encoding": "gzip"})
    assert got.body["metadata"] == {"a": "b"}


async def test_large_items(app: App) -> None:
    """Pictures are kept as they came, also those that are not decoded on the way to an upstream."""
    image = {"type": "input_image", "image_url": "data:image/png;base64," + "iVBORw0KGgo" * 150_000}
    items = [{"role": "user", "content": [image]}]
    made = await ask(app, "POST", "/conversations", {"items": items})
    include = {"include": "message.input_image.image_url"}
    page = await ask(app, "GET", f"/conversations/{made.body['id']}/items", params=include)
    assert page.body["data"][0]["content"] == [image]


async def test_too_slow(app: App, talk: Any) -> None:
    """A client that does not finish its request is told so, and its connection is closed."""
    app.limits = Limits(request=0.05)
    request = talk(app, path="/v1/conversations", http_version="1.1")
    request._pieces[0]["more_body"] = True
    got = await request.run()
    assert (got.status, got.error["code"], got.headers["connection"]) == (408, "request_timeout", "close")


async def test_gone(app: App, talk: Any, store: Store) -> None:
    """A client that leaves before its request is complete gets an empty answer: some hosts insist on one."""
    request = talk(app, path="/v1/conversations")
    request._pieces[0]["more_body"] = True
    request.gone.set()
    got = await request.run()
    assert (got.status, got.body) == (499, b"")
    assert await store.counts() == []


async def test_gone_before_the_answer(app: App, talk: Any) -> None:
    """Servers may raise then; what was asked is done."""
    request = talk(app, path="/v1/conversations")

    async def closed(message: Any) -> None:
        raise OSError

    request.hold = closed
    await request.run()
    (counts,) = await app.store.counts()
    assert counts.conversations == 1


async def test_cancelled(talk: Any) -> None:
    """A server that stops is not kept waiting."""

    class Waiting:
        async def read(self, *args: Any) -> Any:
            await anyio.sleep_forever()

    request = talk(App(Waiting()), path=f"/v1/responses/{IDS['response_id']}", method="GET")
    with anyio.move_on_after(0.05) as scope:
        await request.run()
    assert scope.cancelled_caught
    assert request.sent == []


async def test_the_last_of_several(app: App, store: Store) -> None:
    """A parameter that comes twice counts as it came last; unknown ones do not matter."""
    for number in range(1, 4):
        await keep_response(store, number, number - 1 or None)
    got = await ask(app, "GET", f"/responses/resp_{key(3)}/input_items?limit=1&foo=%zz&limit=2&starting_after=x&&=")
    assert len(got.body["data"]) == 2


@pytest.mark.parametrize("ident", ["a\0b", "a\ud800"])
async def test_what_no_database_keeps_as_text(app: App, ident: str, talk: Any) -> None:
    """Some servers decode paths in such a way."""
    request = talk(app, method="GET")
    request.scope["path"] = f"/v1/chat/completions/{ident}"
    got = await request.run()
    assert (got.status, got.json["error"]["param"]) == (400, "id")
