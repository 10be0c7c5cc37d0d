"""`GET /models`: the names that are served."""

from typing import Any

import pytest

pytestmark = pytest.mark.anyio
HEADERS = {"host": "h", "authorization": "Bearer mine"}
FILE = """
paths = ["/ai"]
[upstreams.a]
url = "http://a"
[upstreams.b]
url = "http://b"
[models]
"z" = { upstream = "b" }
"gpt-5*" = { upstream = "b", model = "real" }
"*-large" = { upstream = "b", model = "real" }
"li*" = { upstream = "a" }
"*" = { upstream = "b" }
"""


async def get(talk: Any, app: Any, path: str = "/v1/models") -> Any:
    return await talk(app, method="GET", path=path, headers=HEADERS).run()


async def test_in_order(talk: Any, fakes: Any) -> None:
    """Names as in the file; of a pattern those that the upstream lists, if it is the pattern that counts for them."""
    app = fakes.serve(FILE)
    fakes["a"].models = ["listed", "other", "lion"]
    fakes["b"].models = ["lion", "gpt-5-own", "own", "z", "own", 7, "bad\n", "x" * 2000]
    for path in ("/v1/models", "/models/", "/openai/v1/models", "/ai/models"):
        got = await get(talk, app, path)
        assert [each["id"] for each in got.json["data"]] == ["z", "gpt-5", "listed", "lion", "own"]
    first, second, third = got.json["data"][:3]
    assert first == {"id": "z", "object": "model", "created": 0, "owned_by": "b"}
    assert (second["owned_by"], third["size"]) == ("b", 7)
    assert dict(fakes["a"].scopes[-1]["headers"])[b"authorization"] == b"Bearer mine"
    assert fakes["a"].paths[-1] == "/ai/models"


async def test_any_name_for_one_model(talk: Any, fakes: Any) -> None:
    """Then its own name is listed, and nobody is asked."""
    app = fakes.serve('[upstreams.a]\nurl = "http://a"\n[models]\n"*" = { model = "real" }\n')
    assert [each["id"] for each in (await get(talk, app)).json["data"]] == ["real"]
    assert fakes["a"].scopes == []


async def test_one_model(talk: Any, fakes: Any) -> None:
    """Every name that is served, whether it is listed or not."""
    app = fakes.serve(FILE)
    fakes["b"].models = ["org/own"]
    for name in ("z", "gpt-5.1-codex", "x-large", "listed", "org/own"):
        got = await get(talk, app, f"/v1/models/{name}")
        assert (got.status, got.json["id"]) == (200, name)
    for name in ("li", "nothing"):
        got = await get(talk, app, f"/v1/models/{name}")
        assert (got.status, got.error["code"]) == (404, "model_not_found")
    only = fakes.serve('[upstreams.a]\nurl = "http://a"\n[models]\nx = {}\n')
    assert (await get(talk, only, "/v1/models/y")).status == 404


async def test_upstreams_that_do_not_list(talk: Any, fakes: Any, caplog: pytest.LogCaptureFixture) -> None:
    """What is known is listed; if that is nothing, the client gets the upstream's error."""
    app = fakes.serve(FILE)
    fakes["a"].status = 401
    fakes["b"].models = {"data": "none"}
    assert [each["id"] for each in (await get(talk, app)).json["data"]] == ["z", "gpt-5"]
    assert "Upstream a does not list its models: status 401" in caplog.text
    got = await get(talk, app, "/v1/models/listed")
    assert (got.status, got.error["code"]) == (401, "busy")
    only = fakes.serve('[upstreams.a]\nurl = "http://a"\n')
    assert (await get(talk, only)).status == 401
