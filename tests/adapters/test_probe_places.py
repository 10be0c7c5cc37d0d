"""For whom it holds what was found out: for the place that was asked."""

from typing import Any

import anyio
import pytest

from probed import CHAT, ERROR, HAS, JSON, RESPONSES, Server, asker, auto

pytestmark = pytest.mark.anyio


@pytest.fixture
def side(request: pytest.FixtureRequest) -> Any:
    return type(request.getfixturevalue("responses_side"))


@pytest.fixture
def asks(side: Any, talk: Any) -> Any:
    return asker(side, talk)


PLACES = [{"query_string": b"api-version=old"}, {"path": "/p" + CHAT}]


@pytest.mark.parametrize("place", PLACES)
async def test_places(side: Any, asks: Any, talk: Any, place: dict[str, Any]) -> None:
    """What is missing in one place, by path and query, is there for those who ask elsewhere."""
    server = Server(side, chat=HAS, responses=HAS)
    where = (place.get("path", CHAT), place.get("query_string", b""))
    server.special[where] = (404, JSON, b'{"detail":"no such model"}')
    app = auto(server)
    for _ in range(2):
        assert (await asks(app, "chat", **place)).json["object"] == "chat.completion"
        assert server.served[-1] == RESPONSES
        assert (await asks(app, "chat")).json["object"] == "chat.completion"
        assert server.served[-1] == CHAT
    assert app.upstream_api == "both"


async def test_not_too_many_places(side: Any, asks: Any) -> None:
    """Whoever asks everywhere fills no memory; the others are asked for again."""
    server = Server(side, chat=HAS)
    app = auto(server)
    for number in range(1024):
        await asks(app, "chat", query_string=b"%d" % number)
    assert len(server.asked) == 1024
    for number in (0, 2000):
        await asks(app, "chat", query_string=b"%d" % number)
    assert len(server.asked) == 1025
    await asks(app, "chat", query_string=b"0")  # it was used since
    assert len(server.asked) == 1025
    await asks(app, "chat", query_string=b"1")
    assert len(server.asked) == 1026


DECIDES = [{"authorization": "Bearer other"}, {"x-portkey-provider": "other"}, {"api-key": "other"}]


@pytest.mark.parametrize("headers", DECIDES)
async def test_headers_that_decide(side: Any, asks: Any, headers: dict[str, str]) -> None:
    """A gateway that chooses by them what is behind it: what one client finds is not believed for another."""
    server = Server(side, chat=HAS, responses=HAS)

    async def gateway(scope: Any, receive: Any, send: Any) -> None:
        if b"other" in dict(scope["headers"]).get(next(iter(headers)).encode(), b"") and scope["path"] == CHAT:
            await send({"type": "http.response.start", "status": 404, "headers": []})
            await send({"type": "http.response.body", "body": b""})
        else:
            await server(scope, receive, send)

    app = auto(gateway)
    for _ in range(2):
        assert (await asks(app, "chat", headers=headers)).status == 200
        assert server.served[-1] == RESPONSES
        assert (await asks(app, "chat")).status == 200
        assert server.served[-1] == CHAT
    assert server.asked == [RESPONSES, CHAT]


async def test_headers_that_tell(side: Any, asks: Any) -> None:
    """What is new in every request is no reason to ask again."""
    server = Server(side, chat=HAS)
    app = auto(server)
    for number in range(3):
        headers = {"idempotency-key": f"{number}", "traceparent": f"{number}", "session_id": f"{number}"}
        assert (await asks(app, "chat", headers=headers)).status == 200
    assert len(server.asked) == 1


async def test_a_place_that_hangs(side: Any, asks: Any) -> None:
    """Nobody waits for what somebody else asks elsewhere."""
    server = Server(side, chat=HAS)
    server.pause = 3600
    app = auto(server)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(asks, app, "chat")
        await anyio.wait_all_tasks_blocked()
        server.pause = 0
        assert (await asks(app, "chat", query_string=b"v=1")).status == 200
        tasks.cancel_scope.cancel()


@pytest.mark.parametrize("known", [False, True])
@pytest.mark.parametrize("door", [401, 403, 429, 503])
async def test_a_client_that_is_not_let_in(side: Any, asks: Any, door: int, known: bool) -> None:
    """An endpoint that is hidden from one client is not missing for the others, and what is known stays known."""
    server = Server(side, chat=HAS, responses=HAS)
    server.special[("bad", CHAT)] = (404, JSON, b"{}")
    server.special[("bad", RESPONSES)] = (door, JSON, ERROR)
    app = auto(server)
    if known:
        await asks(app, "responses")
    got = await asks(app, "chat", headers={"authorization": "bad"})
    assert (got.status, got.error["code"]) == (door, "invalid_api_key")
    assert app.upstream_api == ("responses" if known else "unknown")
    assert (await asks(app, "chat", headers={"authorization": "good"})).status == 200
    assert server.served[-1] == CHAT
