"""What would have to be stored."""

from typing import Any

import pytest

from diglot.adapters.server import app as server_app
from diglot.adapters.server.app import application
from diglot.adapters.server.config import Settings
from diglot.adapters.server.stored_state import state_error

pytestmark = pytest.mark.anyio

HOST = {"host": "localhost"}


class Elsewhere:
    """An upstream that has nothing."""

    def __init__(self, *given: Any, **settings: Any) -> None:
        pass

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 502, "headers": []})
        await send({"type": "http.response.body", "body": b""})


@pytest.fixture(autouse=True)
def _elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_app, "Upstream", Elsewhere)


STORED = [
    ("GET", "/v1/responses/resp_1", "Responses cannot be retrieved"),
    ("DELETE", "/v1/responses/resp_1", "Responses cannot be retrieved"),
    ("POST", "/v1/responses/resp_1/cancel", "Responses cannot be retrieved"),
    ("GET", "/v1/responses/resp_1/input_items", "Responses cannot be retrieved"),
    ("GET", "/responses/resp_1", "Responses cannot be retrieved"),
    ("POST", "/v1/responses/input_tokens", "Tokens cannot be counted"),
    ("POST", "/v1/conversations", "Conversations are not supported"),
    ("GET", "/v1/conversations/conv_1", "Conversations are not supported"),
    ("POST", "/v1/conversations/conv_1/items", "Conversations are not supported"),
    ("DELETE", "/v1/conversations/conv_1", "Conversations are not supported"),
]


@pytest.mark.parametrize(("method", "path", "words"), STORED)
async def test_explained(talk: Any, method: str, path: str, words: str) -> None:
    """A client learns why there is none, in OpenAI's shape, and what to do; the upstream is not asked."""
    app = application(Settings(upstream="http://127.0.0.1:9"))
    got = await talk(app, path=path, method=method, headers=HOST).run()
    assert (got.status, got.error["type"], got.error["code"]) == (404, "invalid_request_error", "not_found")
    assert words in got.error["message"]
    assert "Chat Completions" in got.error["message"]


@pytest.mark.parametrize("path", ["/v1/responses", "/v1/responses/"])
async def test_the_endpoint_itself(talk: Any, path: str) -> None:
    """It only takes POST."""
    app = application(Settings(upstream="http://127.0.0.1:9"))
    got = await talk(app, path=path, method="GET", headers=HOST).run()
    assert (got.status, got.error["code"]) == (405, "method_not_allowed")


@pytest.mark.parametrize("api", ["responses", "auto"])
async def test_an_upstream_that_may_store(talk: Any, api: Any) -> None:
    """It is asked itself."""
    app = application(Settings(upstream="http://127.0.0.1:9", upstream_api=api))
    assert (await talk(app, path="/v1/responses/resp_1", method="GET", headers=HOST).run()).status == 502


async def test_found_out(talk: Any) -> None:
    """Where it was found out that the upstream has chat only, that is explained, too."""
    settings = Settings(demo=True, upstream_api="auto")
    app = application(settings)
    await talk(app, {"model": "m", "input": "x"}, headers=HOST).run()
    got = await talk(app, path="/v1/responses/resp_1", method="GET", headers=HOST).run()
    assert "cannot be retrieved" in got.error["message"]


@pytest.mark.parametrize(
    "scope",
    [
        {"path": "/v1/responses"},
        {"path": "/v1/responses/compact"},
        {"path": "/v1/models", "method": "GET"},
        {"path": "/surveys/1/responses/2", "method": "GET"},
        {"path": "/v1/responsesx/1", "method": "GET"},
        {"path": "/v1/chat/completions/c", "method": "GET"},
        {"path": "/v1/responses/r", "type": "websocket"},
    ],
)
async def test_other_requests(scope: dict[str, Any]) -> None:
    """All else is none of this."""
    assert state_error({"type": "http", "method": "POST", **scope}) is None
