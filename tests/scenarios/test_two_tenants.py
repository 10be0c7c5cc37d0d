"""Two credentials on one store: nothing that can be named by an id is seen by the other, on any endpoint."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from diglot.adapters import TranslationMiddleware
from diglot.adapters.middleware.routes import EXCHANGES, TOKEN_COUNT
from diglot.adapters.stateful.routes import ROUTES

from durability import KINDS, store_in
from tenant_cases import CASES

pytestmark = pytest.mark.anyio

ME, OTHER = "sk-me", "sk-other"
ZEROS = "0" * 32
Ids = dict[str, str]
NOBODYS = {
    "response_id": f"resp_{ZEROS}",
    "conversation_id": f"conv_{ZEROS}",
    "item_id": f"msg_{ZEROS}0000",
    "referenced": f"msg_{ZEROS}0001",
    "completion_id": "chatcmpl-none",
}
EVERY = [(route, method) for route in ROUTES for method in route.endpoints]


def naming(ids: Ids) -> dict[str, dict[str, Any]]:
    """Every way in which a request names what there is already."""
    return {
        "previous_response_id": {"previous_response_id": ids["response_id"], "input": "x"},
        "conversation": {"conversation": ids["conversation_id"], "input": "x"},
        "conversation object": {"conversation": {"id": ids["conversation_id"]}, "input": "x"},
        "item_reference": {"input": [{"type": "item_reference", "id": ids["referenced"]}]},
        "item_reference to a conversation": {"input": [{"type": "item_reference", "id": ids["item_id"]}]},
    }


WAYS = {
    "/responses": (*naming(NOBODYS), "reasoning", "compaction"),
    "/responses/compact": (*naming(NOBODYS), "reasoning", "compaction"),
    TOKEN_COUNT: (*naming(NOBODYS), "reasoning", "compaction"),
    "/chat/completions": (),
}
"""Every translated endpoint, and the ways in which its requests name something."""
IDS = [(path, way) for path, ways in WAYS.items() for way in ways if way not in ("reasoning", "compaction")]
SEALED = [(path, way) for path, ways in WAYS.items() for way in ways if way in ("reasoning", "compaction")]


def test_every_endpoint_has_a_case() -> None:
    """A new one is not without."""
    assert set(WAYS) == {*EXCHANGES, TOKEN_COUNT}
    assert set(CASES) == {f"{method} {route.path}" for route, method in EVERY}


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module", params=["memory", *KINDS])
def url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    if request.param == "memory":
        yield "memory"
        return
    folder: Path = tmp_path_factory.mktemp("tenants")
    with store_in(request.param, folder) as found:
        yield found


class Upstream:
    """A chat model that thinks, and keeps what it is asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.asked.append(((await receive())["body"]).decode())
        message = {"role": "assistant", "content": "secret answer", "reasoning_content": "secret thought"}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
        body = {"id": "c", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice], "usage": usage}
        head = {"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]}
        await send(head)
        await send({"type": "http.response.body", "body": json.dumps(body).encode()})


class World:
    """A middleware, and what there is of ME."""

    def __init__(self, client: httpx2.AsyncClient, upstream: Upstream) -> None:
        self.client: httpx2.AsyncClient = client
        self.upstream: Upstream = upstream
        self.mine: Ids = dict(NOBODYS)
        self.sealed: dict[str, Any] = {}

    async def ask(self, method: str, path: str, body: Any = None, key: str = ME) -> httpx2.Response:
        return await self.client.request(method, path, json=body, headers={"authorization": f"Bearer {key}"})

    async def fill(self) -> None:
        hi = {"role": "user", "content": "secret question"}
        include = ["reasoning.encrypted_content"]
        made = (await self.ask("POST", "/responses", {"model": "m", "input": [hi], "include": include})).json()
        self.mine["response_id"] = made["id"]
        self.mine["referenced"] = next(item["id"] for item in made["output"] if item["type"] == "message")
        self.sealed["reasoning"] = next(item for item in made["output"] if item["type"] == "reasoning")
        compacted = (await self.ask("POST", "/responses/compact", {"model": "m", "input": [hi]})).json()
        self.sealed["compaction"] = next(item for item in compacted["output"] if item["type"] == "compaction")
        self.mine["conversation_id"] = (await self.ask("POST", "/conversations", {"items": [hi]})).json()["id"]
        items = await self.ask("GET", f"/conversations/{self.mine['conversation_id']}/items")
        self.mine["item_id"] = items.json()["data"][0]["id"]


@pytest.fixture
async def world(url: str) -> AsyncIterator[World]:
    upstream = Upstream()
    app = TranslationMiddleware(upstream, store=url)
    async with app.running(), httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://x/v1") as client:
        made = World(client, upstream)
        await made.fill()
        yield made


def plain(got: httpx2.Response, ids: Ids) -> str:
    """What is said, without the ids that were asked for."""
    text = got.text
    for name, ident in ids.items():
        text = text.replace(ident, name)
    return text


async def test_stored(world: World) -> None:
    """The same status and words for what is another's as for what never was, on every route of `responses`."""
    for route, method in EVERY:
        if route.api == "responses":
            case = CASES[f"{method} {route.path}"]
            theirs = await world.ask(method, route.path.format(**world.mine), case.body, OTHER)
            unknown = await world.ask(method, route.path.format(**NOBODYS), case.body, OTHER)
            assert theirs.status_code == unknown.status_code == case.others
            assert "secret" not in theirs.text
            if case.others == 404:
                assert plain(theirs, world.mine) == plain(unknown, NOBODYS)
    for route, method in EVERY:  # the owner has all of it, still
        if route.api == "responses" and method == "GET":
            assert (await world.ask(method, route.path.format(**world.mine))).status_code == 200


async def test_named(world: World) -> None:
    """Nothing goes upstream, and what is another's is not there."""
    for path, way in IDS:
        asked = len(world.upstream.asked)
        theirs = await world.ask("POST", path, {"model": "m", **naming(world.mine)[way]}, OTHER)
        unknown = await world.ask("POST", path, {"model": "m", **naming(NOBODYS)[way]}, OTHER)
        assert 400 <= theirs.status_code < 500, f"{path} {way}: {theirs.text}"
        assert theirs.status_code == unknown.status_code
        assert plain(theirs, world.mine) == plain(unknown, NOBODYS)
        assert len(world.upstream.asked) == asked
    for path, way in IDS:
        if path == "/responses":
            assert (await world.ask("POST", path, {"model": "m", **naming(world.mine)[way]})).status_code == 200, way


async def test_sealed(world: World) -> None:
    """Another's reasoning is left out, another's compaction refused; neither is opened."""
    for path, way in SEALED:
        world.upstream.asked.clear()
        body = {"model": "m", "input": [world.sealed[way], {"role": "user", "content": "x"}]}
        theirs = await world.ask("POST", path, body, OTHER)
        if way == "compaction":
            assert (theirs.status_code, theirs.json()["error"]["code"]) == (400, "invalid_encrypted_content")
        else:
            assert theirs.status_code == 200, theirs.text
        assert "secret thought" not in "".join(world.upstream.asked)
        assert (await world.ask("POST", path, body)).status_code == 200
