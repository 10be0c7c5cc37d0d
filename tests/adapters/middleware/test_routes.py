"""Which paths are served."""

from typing import Any

import pytest

from diglot.adapters.middleware.routes import (
    ENDPOINTS,
    EXCHANGES,
    ServedPaths,
    endpoint_of_path,
    models_path,
    path_base,
)


def asked(path: str, paths: Any = (), **scope: Any) -> str | None:
    return ServedPaths(paths).endpoint_of({"type": "http", "method": "POST", "path": path, **scope})


@pytest.mark.parametrize(
    "place", ["", "/v1", "/v4", "/v1beta", "/api/v1", "/v1beta/openai", "/openai", "/v1.1", "/x/openai"]
)
@pytest.mark.parametrize("endpoint", EXCHANGES)
@pytest.mark.parametrize("slash", ["", "/", "//"])
def test_served(place: str, endpoint: str, slash: str) -> None:
    """What stands directly below a version, below /openai or at the root; a slash behind it says nothing."""
    assert asked(place + endpoint + slash) == endpoint
    assert endpoint_of_path(place + endpoint + slash) == endpoint
    assert path_base(place + endpoint + slash, endpoint) == place


@pytest.mark.parametrize(
    "place", ["/surveys/7", "/forms", "/v1/surveys/7", "/version", "/v", "/openai/x", "/v1/", "/my-v1"]
)
@pytest.mark.parametrize("endpoint", EXCHANGES)
def test_routes_of_the_application(place: str, endpoint: str) -> None:
    """What ends so elsewhere is not ours (W44): `responses` is an everyday word."""
    assert asked(place + endpoint) is None


@pytest.mark.parametrize("name", ["gpt-5", "a b", "v1"])
def test_deployments(name: str) -> None:
    """Azure has its models at paths of their own."""
    assert asked(f"/openai/deployments/{name}/chat/completions") == "/chat/completions"
    assert asked(f"/openai/deployments/{name}/x/chat/completions") is None


@pytest.mark.parametrize(
    ("path", "root", "endpoint"),
    [
        ("/ai/responses", "/ai", "/responses"),
        ("/ai/responses", "/ai/", "/responses"),
        ("/ai/v1/responses", "/ai", "/responses"),
        ("/responses", "/ai", "/responses"),
        ("/ai/x/responses", "/ai", None),
        ("/aix/responses", "/ai", None),
        ("/ai/x/responses", "", None),
    ],
)
def test_mounted(path: str, root: str, endpoint: str | None) -> None:
    """The root is that of the mount, whether the server tells the whole path or not."""
    assert asked(path, root_path=root) == endpoint


@pytest.mark.parametrize(
    ("path", "paths", "endpoint"),
    [
        ("/ai/responses", ["/ai"], "/responses"),
        ("/ai/responses", "/ai", "/responses"),
        ("/ai/responses", ("x", "ai/"), "/responses"),
        ("/ai/responses/compact", ["/ai"], "/responses/compact"),
        ("/ai/responses/", ["/ai/responses"], "/responses"),
        ("/ai/chat/completions", ["/ai/responses"], None),
        ("/ai/x/responses", ["/ai"], None),
        ("/tenants/7/responses", ["/tenants/*"], "/responses"),
        ("/tenants/7/x/responses", ["/tenants/*"], None),
        ("/tenants/responses", ["/tenants/*"], None),
        ("/a.c/responses", ["/a.c"], "/responses"),
        ("/abc/responses", ["/a.c"], None),
        ("/v1/responses", ["/ai"], "/responses"),
    ],
)
@pytest.mark.parametrize("root", ["", "/mount"])
def test_paths(path: str, paths: Any, endpoint: str | None, root: str) -> None:
    """Bases or whole paths, with `*` for one segment, below the mount or as they are told."""
    assert asked(root + path, paths, root_path=root) == endpoint
    assert asked(path, paths, root_path=root) == endpoint


@pytest.mark.parametrize(
    ("path", "scope"),
    [
        ("/v1/responses/resp_1", {}),
        ("/v1/completions", {}),
        ("/v1/responses", {"method": "GET"}),
        ("/v1/responses", {"type": "websocket"}),
    ],
)
def test_everything_else(path: str, scope: dict[str, Any]) -> None:
    """Other paths, methods and kinds of connections."""
    assert asked(path, **scope) is None


def test_every_endpoint_goes_to_the_other_api() -> None:
    """What has the one API's path is served by the other API."""
    for path, serve in EXCHANGES.items():
        assert serve.endpoint in ENDPOINTS.values()
        assert not path.startswith(serve.endpoint)


@pytest.mark.parametrize(
    ("path", "paths", "ids"),
    [
        ("/v1/responses/resp_1", (), ("resp_1",)),
        ("/responses/resp_1/", (), ("resp_1",)),
        ("/openai/v1/conversations/conv_1/items/msg_1", (), ("conv_1", "msg_1")),
        ("/v1/conversations", (), None),
        ("/v1/chat/completions/a\nb", (), ("a\nb",)),
        ("/ai/responses/resp_1", ["/ai"], ("resp_1",)),
        ("/tenants/7/responses/resp_1", ["/tenants/*"], ("resp_1",)),
        ("/ai/responses/resp_1", ["/ai/responses"], ("resp_1",)),
        ("/ai/conversations/conv_1", ["/ai/responses/compact"], ("conv_1",)),
        ("/ai/chat/completions/c", ["/ai/responses"], None),
        ("/ai/chat/completions/c", ["/ai/chat/completions"], ("c",)),
        ("/ai/responses/resp_1", (), None),
        ("/surveys/1/responses/2", (), None),
        ("/v1/responsesx/1", (), None),
        ("/v1/responses", (), None),
        ("/v1/responses/input_tokens", (), None),
    ],
)
def test_stored_state(path: str, paths: Any, ids: tuple[str, ...] | None) -> None:
    """Endpoints of stored state are where the others are, below the mount or as they are told."""
    for root in ("", "/mount"):
        for told in (path, root + path):
            scope = {"type": "http", "method": "GET", "path": told, "root_path": root}
            target = ServedPaths(paths).target_of(scope)
            assert (target and target.endpoint and target.ids) == ids
    assert ServedPaths(paths).target_of({"type": "websocket", "path": path}) is None


@pytest.mark.parametrize(
    ("path", "model"),
    [
        ("/models", ""),
        ("/v1/models/", ""),
        ("/openai/v1/models/a", "a"),
        ("/ai/models/org/name", "org/name"),
        ("/v1/models-x", None),
        ("/x/models", None),
    ],
)
def test_models(path: str, model: str | None) -> None:
    """They are listed where the endpoints are served; the id of one may have slashes in it."""
    match = models_path(["/ai/"]).fullmatch(path)
    assert (None if match is None else match[1] or "") == model
    assert models_path("/ai").pattern == models_path(["/ai/"]).pattern
