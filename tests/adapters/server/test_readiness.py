"""Whether a server should get requests."""

from functools import partial
from typing import Any

import anyio
import pytest

from diglot.adapters.asgi.types import BESIDE_API
from diglot.adapters.server import readiness
from diglot.adapters.server.readiness import EVERY, Readiness, any_of, is_reachable
from diglot.adapters.upstream.app import Upstream

pytestmark = pytest.mark.anyio


class App:
    """Answers with a status, 0 for an exception and None for silence."""

    def __init__(self, status: int | None) -> None:
        self.status = status
        self.scopes: list[Any] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.scopes.append(scope)
        assert (await receive())["body"] == b""
        if self.status is None:
            await receive()
        if self.status == 0:
            raise OSError
        await send({"type": "http.response.start", "status": self.status, "headers": []})
        await anyio.sleep_forever()  # its body is not waited for


@pytest.mark.parametrize(
    ("status", "there"),
    [
        (200, True),
        (401, True),
        (404, True),
        (500, True),
        (429, True),
        (503, False),
        (502, False),
        (504, False),
        (0, False),
    ],
)
async def test_statuses(status: int, there: bool) -> None:
    """An upstream that answers is there, also if it wants a key; a gateway in front of none is not."""
    assert await is_reachable(App(status), "/v1/models") is there


async def test_silence(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is waited for only a while."""
    monkeypatch.setattr(readiness, "PATIENCE", 0.01)
    assert not await is_reachable(App(None), "/v1/models")


async def test_what_is_asked() -> None:
    """A GET without a body or a key, below the base URL or beside it."""
    app = App(200)
    await is_reachable(app, "/v1/models")
    await is_reachable(app, "/health")
    below, beside = app.scopes
    assert (below["method"], below["path"], below["headers"], below["extensions"]) == ("GET", "/v1/models", [], {})
    assert beside["extensions"][BESIDE_API] == {"path": "/health"}


async def test_nobody_listens() -> None:
    """A real upstream that is not there."""
    upstream = Upstream("http://127.0.0.1:1")
    assert not await is_reachable(upstream, "/v1/models")
    await upstream.aclose()


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


async def test_asked_now_and_then(caplog: pytest.LogCaptureFixture) -> None:
    """At most every few seconds however many want to know, and a change is logged once."""
    caplog.set_level("INFO")
    clock, app = Clock(), App(200)
    ready = Readiness({"gpu": partial(is_reachable, app, "/v1/models")}, clock)
    async with anyio.create_task_group() as tasks:
        for _ in range(5):
            tasks.start_soon(ready.reaches_all)
    assert await ready.reaches_all()
    assert len(app.scopes) == 1
    app.status = 503
    clock.now = EVERY - 0.1
    assert await ready.reaches_all()
    clock.now = EVERY
    assert not await ready.reaches_all()
    assert not await ready.reaches_all()
    app.status, clock.now = 200, 2 * EVERY
    assert await ready.reaches_all()
    assert len(app.scopes) == 3
    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [
        ("WARNING", "Readiness: gpu cannot be reached"),
        ("INFO", "Readiness: gpu is back"),
    ]


async def test_several() -> None:
    """Of each upstream one replica is enough, and every upstream needs one."""
    there, away = partial(is_reachable, App(200), "/"), partial(is_reachable, App(503), "/")
    assert await Readiness({"a": any_of([away, there])}).reaches_all()
    assert not await Readiness({"a": any_of([away, away]), "b": there}).reaches_all()
    assert not await Readiness({"a": there, "b": away}).reaches_all()
    assert await Readiness({}).reaches_all()
