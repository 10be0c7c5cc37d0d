"""Deployments of Azure: paths that name the model."""

import json
from typing import Any

import pytest

from diglot.adapters import Record
from diglot.adapters.middleware import deployments

pytestmark = pytest.mark.anyio

CHAT, RESPONSES = "/chat/completions", "/responses"


@pytest.mark.parametrize(
    ("path", "query", "theirs", "moved"),
    [
        ("/openai/deployments/g/chat/completions", b"api-version=1", RESPONSES, ("/openai/v1/responses", b"")),
        (
            "/x/openai/deployments/g/chat/completions",
            b"a=1&api-version=1&b=2",
            RESPONSES,
            ("/x/openai/v1/responses", b"a=1&b=2"),
        ),
        (
            "/openai/deployments/g/chat/completions",
            b"my-api-version=1",
            RESPONSES,
            ("/openai/v1/responses", b"my-api-version=1"),
        ),
        ("/openai/v1/chat/completions", b"api-version=1", RESPONSES, ("/openai/v1/responses", b"api-version=1")),
        ("/openai/responses", b"api-version=1", CHAT, ("/openai/deployments/m/chat/completions", b"api-version=1")),
        ("/openai/responses", b"", CHAT, ("/openai/chat/completions", b"")),
        ("/openai/v1/responses", b"api-version=preview", CHAT, ("/openai/v1/chat/completions", b"api-version=preview")),
        (
            "/openai/deployments/g/responses",
            b"api-version=1",
            CHAT,
            ("/openai/deployments/g/chat/completions", b"api-version=1"),
        ),
    ],
)
async def test_where_the_other_api_is(
    talk: Any, side: Any, chat: Any, path: str, query: bytes, theirs: str, moved: tuple[str, bytes]
) -> None:
    """Responses are at /openai/v1 without a version; chat completions at the deployment, with it."""
    if (theirs == CHAT) is not side.is_chat:
        return
    app, records = chat(side.whole, kind="application/json"), list[Record]()
    got = await side.talk(
        app,
        side.ask,
        {"path": path, "raw_path": path.encode(), "query_string": query},
        profile="azure",
        on_exchange=records.append,
    ).run()
    assert got.status == 200
    scope = app.scopes[0]
    assert (scope["path"], scope["query_string"]) == moved
    assert scope["raw_path"].decode() == scope["path"]
    named = "g" if "deployments/g" in path else "m"
    assert app.bodies[0]["model"] == named


async def test_other_upstreams_know_no_deployments(side: Any, chat: Any) -> None:
    """Without the setting, paths stay as they are."""
    app = chat(side.whole, kind="application/json")
    ours = side.path.removeprefix("/v1")
    await side.talk(app, side.ask, {"path": f"/openai/deployments/g{ours}"}).run()
    assert app.scopes[0]["path"] == f"/openai/deployments/g{side.theirs.removeprefix('/v1')}"
    assert app.bodies[0]["model"] == "m"


async def test_the_model_may_be_named_by_the_path_alone(responses_side: Any, chat: Any) -> None:
    """As many clients do it."""
    app = chat(responses_side.whole, kind="application/json")
    body = {name: value for name, value in responses_side.ask.items() if name != "model"}
    scope = {"path": "/openai/deployments/g h/chat/completions"}
    got = await responses_side.talk(app, body, scope, profile="azure").run()
    assert (got.status, app.bodies[0]["model"]) == (200, "g h")
    got = await responses_side.talk(app, [], scope, profile="azure").run()
    assert got.status == 400


@pytest.mark.parametrize("model", ["a/b", None, 5])
def test_a_model_that_no_path_can_name(model: Any) -> None:
    """The path stays."""
    scope: dict[str, Any] = {"path": "/openai/chat/completions", "query_string": b"api-version=1"}
    assert deployments.relocate(scope, CHAT, model) is scope


def test_what_a_path_names() -> None:
    """Only a deployment is one."""
    assert deployments.deployment_in("/openai/deployments/g/chat/completions/", CHAT) == "g"
    assert deployments.deployment_in("/openai/v1/chat/completions", CHAT) is None
    assert json.dumps(deployments.deployment_in("/openai/deployments//chat/completions", CHAT)) == "null"
