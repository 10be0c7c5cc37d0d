"""Who gets in where a server has keys, over HTTP and in front of an upstream that notes what it is sent."""

import logging
import re
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.routing import Route, Router

from diglot.adapters.demo import app as demo_app
from diglot.adapters.middleware.routes import EXCHANGES
from diglot.adapters.server import app as server_app
from diglot.adapters.server import keys
from diglot.adapters.server.app import application, on_loopback
from diglot.adapters.server.config import Settings
from diglot.adapters.stateful.routes import ROUTES

pytestmark = [pytest.mark.anyio, pytest.mark.parametrize("anyio_backend", ["asyncio"])]
OWN = "0wn-k3y-0f-the-server"
ASK = {"model": "m", "input": "hi"}
CHAT = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}


class World:
    """A server with a key, its upstream, and all that the upstream was sent."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "keys"
        self.key = keys.new(self.file, "alice")
        self.sent: list[str] = []
        self.upstream_app = demo_app.upstream()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        async def noted() -> Any:
            message = await receive()
            self.sent.append(str(message))
            return message

        self.sent.append(str(scope.get("headers")))
        await self.upstream_app(scope, noted, send)


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


@pytest.fixture
def routes(monkeypatch: pytest.MonkeyPatch) -> list[Route]:
    """The routes of the server itself."""
    found: list[Route] = []

    def noting(routes: Any, **settings: Any) -> Router:
        found.extend(routes)
        return Router(routes, **settings)

    monkeypatch.setattr(server_app, "Router", noting)
    return found


def paths(routes: list[Route]) -> set[str]:
    """Every path that means something: the server's own, translated ones, those of stored state, and others."""
    stored = {re.sub(r"\{\w+\}", "x_1", route.path) for route in ROUTES}
    ends = {*EXCHANGES, *stored, "/models", "/embeddings", "/nowhere"}
    return {route.path for route in routes} | ends | {f"/v1{end}" for end in ends} | {"/docs", "/metrics", "/_diglot/"}


async def test_every_endpoint_wants_a_key(world: World, routes: list[Route], caplog: pytest.LogCaptureFixture) -> None:
    """Whatever the path and the method, 401 without a key and with a wrong one; only the two probes answer."""
    caplog.set_level(logging.DEBUG, "diglot")
    settings = Settings(
        upstream="http://127.0.0.1:1", api_keys=str(world.file), store="memory", host="0.0.0.0", metrics=True
    )
    transport = httpx.ASGITransport(application(settings))
    async with httpx.AsyncClient(transport=transport, base_url="http://h") as client:
        answered: set[tuple[str, str]] = set()
        for path in sorted(paths(routes)):
            for method in ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"):
                for headers in ({}, {"authorization": "Bearer sk-wr0ng"}, {"api-key": "sk-wr0ng"}):
                    got = await client.request(method, path, headers=headers)
                    if got.status_code != 401:
                        answered.add((method, path))
                        assert got.text in ("", '{"status":"ok"}', '{"status":"unavailable"}')
                    assert "wr0ng" not in got.text
    assert answered == {(method, path) for method in ("GET", "HEAD") for path in ("/healthz", "/readyz")}
    assert "wr0ng" not in caplog.text


@pytest.mark.parametrize("header", ["authorization", "api-key"])
async def test_neither_side_sees_the_others_key(world: World, header: str, caplog: pytest.LogCaptureFixture) -> None:
    """The upstream gets the server's key, not the client's; no log, answer or store has either; the name is logged."""
    caplog.set_level(logging.DEBUG)
    answers: list[str] = []
    async with on_loopback(world) as upstream:
        settings = Settings(
            upstream=upstream.replace("//", f"//me:{OWN}@"), api_keys=str(world.file), store="memory", host="0.0.0.0"
        )
        shown = {header: f"Bearer {world.key}" if header == "authorization" else world.key}
        async with (
            on_loopback(application(settings)) as url,
            httpx.AsyncClient(base_url=url, headers={**shown, "x-api-key": world.key}) as client,
        ):
            for path, body in (("/v1/responses", ASK), ("/v1/chat/completions", CHAT), ("/v1/nowhere", {})):
                got = await client.post(path, json=body)
                answers += [got.text, str(got.headers)]
            answers += [(await client.get(path)).text for path in ("/", "/healthz", "/readyz", "/v1/models", "/x")]
    everything = "\n".join([*answers, caplog.text, *(str(record.__dict__) for record in caplog.records)])
    assert '"status":"completed"' in answers[0]
    assert any("goes no further" in answer for answer in answers)
    assert any("authorization" in text for text in world.sent)
    assert all(world.key not in text for text in world.sent)
    assert world.key not in everything
    assert OWN not in everything
    lines = [record.__dict__["exchange"] for record in caplog.records if "exchange" in record.__dict__]
    assert {line["key"] for line in lines if not line["path"].endswith("z")} == {"alice"}


async def test_records_belong_to_names(world: World) -> None:
    """What one key stored, its successor of the same name can read, and nobody else."""
    second = keys.new(world.file, "alice", rotate=True)
    other = keys.new(world.file, "bob")
    async with on_loopback(world) as upstream:
        settings = Settings(upstream=upstream, api_keys=str(world.file), store="memory")
        async with on_loopback(application(settings)) as url, httpx.AsyncClient(base_url=url) as client:
            got = await client.post("/v1/responses", json=ASK, headers={"api-key": world.key})
            first = got.json()["id"]
            statuses = [
                (await client.get(f"/v1/responses/{first}", headers={"authorization": f"Bearer {key}"})).status_code
                for key in (world.key, second, other)
            ]
    assert statuses == [200, 200, 404]


async def test_a_page_of_another_origin(world: World) -> None:
    """A preflight has no key, so it is answered; what follows needs one."""
    origin = "https://app.example"
    async with on_loopback(world) as upstream:
        settings = Settings(upstream=upstream, api_keys=str(world.file), allow_origin=(origin,))
        async with on_loopback(application(settings)) as url, httpx.AsyncClient(base_url=url) as client:
            asked = {"origin": origin, "access-control-request-method": "POST"}
            assert (await client.options("/v1/responses", headers=asked)).status_code == 200
            got = await client.post("/v1/responses", json=ASK, headers={"origin": origin})
            assert (got.status_code, got.headers["access-control-allow-origin"]) == (401, origin)
