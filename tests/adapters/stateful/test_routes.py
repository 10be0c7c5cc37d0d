"""Which paths are endpoints of stored state, and that none of them shows anything of another tenant."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from stored_world import (
    ME,
    OTHER,
    App,
    ask,
    keep_completion,
    keep_conversation,
    keep_response,
    key,
    user,
)

from diglot.adapters.stateful.routes import BEGINNINGS, ROUTES, Route, target_of
from diglot.adapters.store import Store

from tenant_cases import CASES

EVERY = [(route, method) for route in ROUTES for method in route.endpoints]
NAMES = [f"{method} {route.path}" for route, method in EVERY]

MINE = {
    "response_id": f"resp_{key(1)}",
    "conversation_id": f"conv_{key(2)}",
    "item_id": f"msg_{key(2)}0000",
    "completion_id": "chatcmpl-1",
}
"""What ME has."""
NOBODYS = {
    "response_id": f"resp_{key(11)}",
    "conversation_id": f"conv_{key(12)}",
    "item_id": f"msg_{key(12)}0000",
    "completion_id": "chatcmpl-11",
}


AFTER = {
    "/responses/{response_id}/input_items": f"msg_{key(1)}0000",
    "/conversations/{conversation_id}/items": f"msg_{key(2)}0000",
    "/chat/completions": "chatcmpl-1",
    "/chat/completions/{completion_id}/messages": "chatcmpl-1-0",
}
"""Every list has one: what is on that of ME."""


async def fill(store: Store, number: int = 0, tenant: str = ME) -> None:
    await keep_response(store, number + 1, tenant=tenant)
    await keep_conversation(store, number + 2, user("Hi", f"msg_{key(number + 2)}0000"), tenant=tenant)
    await keep_completion(store, f"chatcmpl-{number + 1}", tenant=tenant)


class Counting:
    """A store that notes what it is asked."""

    def __init__(self, store: Store) -> None:
        self.calls: list[str] = []
        self._store = store

    def __getattr__(self, name: str) -> Any:
        self.calls.append(name)
        return getattr(self._store, name)


def plain(body: Any, ids: dict[str, str]) -> str:
    """An answer without the ids that were asked for."""
    text = json.dumps(body)
    for name, ident in ids.items():
        text = re.sub(rf"{re.escape(ident)}\b", name, text)
    return text


def test_every_endpoint_has_a_case() -> None:
    """A new one is not without."""
    assert set(CASES) == set(NAMES)
    assert set(AFTER) == {r.path for r in ROUTES if "GET" in r.endpoints and not r.path.endswith("}")}


@pytest.mark.anyio
@pytest.mark.parametrize(("route", "method"), EVERY, ids=NAMES)
async def test_what_is_anothers_is_not_there(app: App, store: Store, route: Route, method: str) -> None:
    """The same status, words and questions to the store as for what never was; and the owner still has it."""
    await fill(store)
    case = CASES[f"{method} {route.path}"]
    app.store = Counting(store)
    theirs = await ask(app, method, route.path.format(**MINE), case.body, OTHER)
    calls, app.store = app.store.calls, Counting(store)
    unknown = await ask(app, method, route.path.format(**NOBODYS), case.body, OTHER)
    assert calls == app.store.calls
    assert theirs.status == unknown.status == case.others
    if case.others == 404:
        assert plain(theirs.body, MINE) == plain(unknown.body, NOBODYS)
        assert dict(theirs.headers).keys() == dict(unknown.headers).keys()
    else:
        assert not [ident for ident in MINE.values() if ident in json.dumps(theirs.body)]
    mine = await ask(app, method, route.path.format(**MINE), case.body)
    assert mine.status == case.mine


@pytest.mark.anyio
@pytest.mark.parametrize("path", AFTER)
async def test_a_page_after_what_is_anothers(app: App, store: Store, path: str) -> None:
    """It is not there either."""
    await fill(store)
    await fill(store, 20, OTHER)
    own = {"response_id": f"resp_{key(21)}", "conversation_id": f"conv_{key(22)}", "completion_id": "chatcmpl-21"}
    foreign, unknown = AFTER[path], AFTER[path].replace("1-0", "9-0").replace(key(1), key(9)).replace("-1", "-9")
    got = [
        await ask(app, "GET", path.format(**own), tenant=OTHER, params={"after": after}) for after in (foreign, unknown)
    ]
    assert [each.status for each in got] == [404, 404]
    assert plain(got[0].body, {"": foreign}) == plain(got[1].body, {"": unknown})
    assert (await ask(app, "GET", path.format(**MINE), params={"after": foreign})).status == 200


@pytest.mark.parametrize(("route", "method"), EVERY, ids=NAMES)
def test_found(route: Route, method: str) -> None:
    """By path and method; a slash behind it says nothing."""
    for slash in ("", "/"):
        target = target_of(route.path.format(**MINE) + slash, method)
        assert target is not None
        assert (target.route, target.endpoint) == (route, route.endpoints[method])
        assert target.ids == tuple(MINE[name] for name in re.findall(r"{(\w+)}", route.path))
    assert route.path.startswith(BEGINNINGS[route.api])


def test_every_endpoint_is_its_own() -> None:
    """No two routes lead to the same one."""
    endpoints = [endpoint for route in ROUTES for endpoint in route.endpoints.values()]
    assert len(set(endpoints)) == len(endpoints)


@pytest.mark.parametrize(
    ("path", "method", "allow"),
    [
        ("/responses/resp_1", "PUT", "DELETE, GET"),
        ("/responses/resp_1/cancel", "GET", "POST"),
        ("/conversations", "GET", "POST"),
        ("/chat/completions", "DELETE", "GET, POST"),
    ],
)
def test_other_methods(path: str, method: str, allow: str) -> None:
    """The path is known, and which methods it takes, too."""
    target = target_of(path, method)
    assert target is not None
    assert (target.endpoint, target.route.allow) == (None, allow)


@pytest.mark.parametrize(
    ("path", "method"),
    [
        ("/responses", "POST"),
        ("/responses", "GET"),
        ("/responses/compact", "POST"),
        ("/responses/compact", "GET"),
        ("/responses/input_tokens", "POST"),
        ("/responses/input_tokens/", "POST"),
        ("/responses/resp_1/other", "GET"),
        ("/responses/resp_1", "OPTIONS"),
        ("/conversations/conv_1/items/msg_1/more", "GET"),
        ("/chat/completions", "POST"),
        ("/models", "GET"),
    ],
)
def test_no_business_of_a_store(path: str, method: str) -> None:
    """These are served elsewhere, or not at all."""
    assert target_of(path, method) is None
