"""What the server answers itself."""

from typing import Any

import pytest

from diglot.adapters.server.app import application
from diglot.adapters.server.config import Settings
from diglot.adapters.server.model_settings import ModelSettings, UpstreamSettings

pytestmark = pytest.mark.anyio
ASK = {"model": "m", "input": "hi"}
HOST = {"host": "localhost"}


async def test_health(talk: Any) -> None:
    """The health check names version and profile."""
    got = await talk(
        application(Settings(demo=True, profile="vllm")), path="/healthz", method="GET", headers=HOST
    ).run()
    assert got.json["status"] == "ok"
    assert got.json["profile"] == "vllm"
    assert got.json["upstream_api"] == "chat"
    assert got.json["learned"] == []


async def test_health_of_several(talk: Any) -> None:
    """Each upstream has its own profile; nothing is shown of credentials."""
    upstreams = {
        "a": UpstreamSettings(url=("http://me:k3y@a", "http://b"), profile="vllm"),
        "c": UpstreamSettings(url=("http://c",), api="responses"),
    }
    app = application(Settings(upstreams=upstreams, models={"*": ModelSettings(upstream="c")}))
    got = await talk(app, path="/healthz", method="GET", headers=HOST).run()
    assert (got.json["profile"], got.json["upstream_api"], got.json["upstreams"]) == (
        "default",
        "both",
        {
            "a": {
                "url": ["http://a", "http://b"],
                "profile": "vllm",
                "upstream_api": "chat",
                "replicas": {"http://a": "ok", "http://b": "ok"},
            },
            "c": {"url": ["http://c"], "profile": "default", "upstream_api": "responses"},
        },
    )


async def test_what_is_believed(talk: Any) -> None:
    """The health check shows what was found out, why, and since when; it is only there where that is found out."""
    app = application(Settings(demo=True, upstream_api="auto"))
    ask = talk(app, path="/healthz", method="GET", headers=HOST)
    assert (await ask.run()).json["believed"] == {}
    await talk(app, ASK, headers=HOST).run()
    believed = (await talk(app, path="/healthz", method="GET", headers=HOST).run()).json["believed"]
    assert {api: (one["there"], one["because"]) for api, one in believed.items()} == {
        "chat": (True, "asked"),
        "responses": (False, "asked"),
    }
    assert all(one["since"].endswith("+00:00") for one in believed.values())
    plain = await talk(application(Settings(demo=True)), path="/healthz", method="GET", headers=HOST).run()
    assert "believed" not in plain.json


async def test_health_without_a_store(talk: Any) -> None:
    """There is nothing to name."""
    for settings in (Settings(demo=True), Settings(demo=True, store="none")):
        got = await talk(application(settings), path="/healthz", method="GET", headers=HOST).run()
        assert "store" not in got.json


async def test_health_behind_keys(talk: Any) -> None:
    """Without a key it only says that the process lives."""
    app = application(Settings(demo=True, api_key="k3y"))
    got = await talk(app, path="/healthz", method="GET", headers=HOST).run()
    assert (got.status, got.json) == (200, {"status": "ok"})
    got = await talk(app, path="/healthz", method="GET", headers={**HOST, "api-key": "k3y"}).run()
    assert got.json["profile"] == "default"


@pytest.mark.parametrize(
    ("settings", "notice"), [({"api_key": "k3y"}, "goes no further"), ({}, "goes to the upstream unchanged")]
)
async def test_page(talk: Any, settings: Any, notice: str) -> None:
    """It says whose key clients need."""
    headers = {**HOST, "api-key": "k3y"}
    app = application(Settings(demo=True, **settings))
    assert notice in (await talk(app, path="/", method="GET", headers=headers).run()).body.decode()
