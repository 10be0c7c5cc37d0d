"""Websockets are refused."""

from typing import Any

import pytest

from diglot.adapters import Upstream
from diglot.adapters.server.app import application
from diglot.adapters.server.config import Settings

pytestmark = pytest.mark.anyio

HOST = {"host": "localhost"}


@pytest.mark.parametrize(
    "app",
    [
        Upstream("http://127.0.0.1:9"),
        application(Settings(demo=True)),
        application(Settings(upstream="http://127.0.0.1:9", upstream_api="responses")),
        application(Settings(upstream="http://127.0.0.1:9", upstream_api="auto")),
    ],
)
async def test_websockets(talk: Any, app: Any) -> None:
    """A websocket is refused with 426 where the server can say so, and closed where it cannot."""
    denied = await talk(app, type="websocket", extensions={"websocket.http.response": {}}, headers=HOST).run()
    closed = await talk(app, type="websocket", headers=HOST).run()
    plain = await talk(app, method="GET", headers={**HOST, "upgrade": "WebSocket", "connection": "upgrade"}).run()
    assert denied.status == plain.status == 426
    assert plain.error["code"] == "websockets_unsupported"
    assert denied.sent[0]["type"] == "websocket.http.response.start"
    assert denied.sent[1]["type"] == "websocket.http.response.body"
    assert [message["type"] for message in closed.sent] == ["websocket.close"]
