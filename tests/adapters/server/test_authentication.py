"""Who is let in, what the application sees of the key, and who must not be let in by whom."""

from typing import Any

import pytest

from diglot.adapters.server.authentication import (
    Authentication,
    adds_credentials,
    check_exposure,
    has_credentials,
)
from diglot.adapters.server.config import Settings
from diglot.adapters.server.keys import Key, Keys, digest_of
from diglot.adapters.server.model_settings import ModelSettings, UpstreamSettings
from diglot.adapters.server.setting_values import ConfigError

pytestmark = pytest.mark.anyio
KEYS = Keys([Key("alice", digest_of(b"k3y")), Key("bob", digest_of(b"other"))])


@pytest.fixture
def seen() -> list[Any]:
    return []


@pytest.fixture
def app(seen: list[Any]) -> Authentication:
    async def behind(scope: Any, receive: Any, send: Any) -> None:
        seen.append(scope)
        if scope["type"] == "http":
            await send({"type": "http.response.start", "status": 204, "headers": []})
            await send({"type": "http.response.body", "body": b""})

    return Authentication(behind, KEYS)


@pytest.mark.parametrize(
    ("headers", "name"),
    [
        ({"authorization": "Bearer k3y"}, "alice"),
        ({"authorization": "bearer  other"}, "bob"),
        ({"api-key": "k3y"}, "alice"),
        ({"api-key": "wrong", "authorization": "Bearer k3y"}, "alice"),
    ],
)
async def test_let_in(talk: Any, app: Any, seen: list[Any], headers: dict[str, str], name: str) -> None:
    """Either header will do; the application sees the name, and no credential however it is spelt."""
    others = {"x-api-key": "k3y", "api_key": "k3y", "x-goog-api-key": "k3y", "x-request-id": "1"}
    assert (await talk(app, headers={**headers, **others}).run()).status == 204
    (scope,) = seen
    assert scope["diglot.key"] == name
    assert "k3y" not in str(scope["headers"])
    assert (b"x-request-id", b"1") in scope["headers"]


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"authorization": "k3y"},
        {"authorization": "Bearer "},
        {"authorization": "Basic k3y"},
        {"x-api-key": "k3y"},
        {"cookie": "k3y"},
    ],
)
async def test_no_key(talk: Any, app: Any, seen: list[Any], headers: dict[str, str]) -> None:
    """The refusal says how to show one."""
    got = await talk(app, headers=headers).run()
    assert (got.status, got.error["code"], got.error["type"]) == (401, None, "invalid_request_error")
    assert got.error["message"].startswith("You didn't provide an API key.")
    assert got.headers["www-authenticate"] == "Bearer"
    assert seen == []


@pytest.mark.parametrize("header", ["authorization", "api-key"])
async def test_wrong_key(talk: Any, app: Any, seen: list[Any], header: str) -> None:
    """It is not repeated."""
    got = await talk(app, headers={header: "Bearer sk-k3y-of-others"}).run()
    assert (got.status, got.error["code"], seen) == (401, "invalid_api_key", [])
    assert "k3y" not in got.body.decode()


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
async def test_probes(talk: Any, app: Any, seen: list[Any], path: str) -> None:
    """Anybody may read them, and nothing else may be done there; with a key it is known whose."""
    for method in ("GET", "HEAD"):
        assert (await talk(app, path=path, method=method, headers={"api-key": "wrong"}).run()).status == 204
    assert not any("diglot.key" in scope or scope["headers"][1:] for scope in seen)
    assert (await talk(app, path=path, method="GET", headers={"api-key": "k3y"}).run()).status == 204
    assert seen[-1]["diglot.key"] == "alice"
    for method, other in (("POST", path), ("GET", path + "/"), ("GET", "/v1" + path), ("GET", "/" + path)):
        assert (await talk(app, path=other, method=method).run()).status == 401


async def test_what_is_no_request(app: Any, seen: list[Any]) -> None:
    """The lifespan passes; a WebSocket without a key is closed."""

    async def receive() -> Any:
        return {"type": "websocket.connect"}

    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    await app({"type": "lifespan"}, receive, send)
    assert [scope["type"] for scope in seen] == ["lifespan"]
    await app({"type": "websocket", "path": "/healthz", "headers": []}, receive, send)
    assert [message["type"] for message in sent] == ["websocket.close"]


LENT = "http://user:k3y@up:1/v1"


@pytest.mark.parametrize(
    ("settings", "is_lent"),
    [
        ({"upstream": LENT, "host": "0.0.0.0"}, True),
        ({"upstream": "http://up:1/v1?api-key=k3y", "host": "::"}, True),
        ({"upstream": LENT, "host": "127.0.0.1"}, False),
        ({"upstream": LENT, "host": "0.0.0.0", "open": True}, False),
        ({"upstream": "http://up:1/v1?api-version=1", "host": "0.0.0.0"}, False),
        ({"demo": True, "host": "0.0.0.0"}, False),
    ],
)
def test_exposure(settings: dict[str, Any], is_lent: bool) -> None:
    """A server with a key of its own serves only this machine, those with keys, or all if that is insisted on."""
    check_exposure(Settings(**settings), KEYS)
    if not is_lent:
        check_exposure(Settings(**settings), None)
        return
    with pytest.raises(ConfigError, match=r"--api-keys FILE.*--open") as caught:
        check_exposure(Settings(**settings), None)
    assert "k3y" not in str(caught.value)


@pytest.mark.parametrize(
    ("upstreams", "is_lent"),
    [
        ({"a": {"url": ("http://a",)}, "b": {"url": ("http://b1", "http://b2"), "key_env": "B"}}, True),
        ({"a": {"url": ("http://a1", LENT)}}, True),
        ({"a": {"url": ("http://a",)}}, False),
    ],
)
def test_exposure_of_several(upstreams: dict[str, Any], is_lent: bool) -> None:
    """One upstream with a key of the server is enough."""
    named = {name: UpstreamSettings(**each) for name, each in upstreams.items()}
    settings = Settings(upstreams=named, models={"*": ModelSettings(upstream="a")}, host="0.0.0.0")
    assert adds_credentials(settings) == is_lent
    if is_lent:
        with pytest.raises(ConfigError, match="--open"):
            check_exposure(settings, None)


async def test_another_guard(talk: Any, app: Authentication, seen: list[Any]) -> None:
    """What it guards needs no key and arrives as it was sent; all else needs one."""
    app = Authentication(app._app, KEYS, lambda scope: scope["path"] == "/own")
    headers = {"authorization": "Bearer x", "cookie": "c"}
    assert (await talk(app, path="/own", headers=headers).run()).status == 204
    assert (b"authorization", b"Bearer x") in seen[0]["headers"]
    assert "diglot.key" not in seen[0]
    assert (await talk(app, path="/own/x", headers=headers).run()).status == 401


def test_credentials_in_urls() -> None:
    """A user is one."""
    assert has_credentials("http://token@h/v1")
    assert not has_credentials("http://h/v1")
