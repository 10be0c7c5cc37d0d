"""Stored chat completions."""

from __future__ import annotations

from typing import Any

import pytest
from openai import NotFoundError
from stored_world import App, ask, keep_completion

from diglot.adapters.store import Store

pytestmark = pytest.mark.anyio

ONE = "/chat/completions/chatcmpl-1"


async def listed(app: App, **query: Any) -> list[str]:
    """What the client lists, page by page."""
    return [completion.id async for completion in app.sdk().chat.completions.list(**query)]


async def test_its_life(app: App, store: Store) -> None:
    """Retrieved, labelled, deleted."""
    completions, ident = app.sdk().chat.completions, await keep_completion(store, "chatcmpl-1", metadata={"a": "b"})
    found = await completions.retrieve(ident)
    assert (found.id, found.choices[0].message.content, found.metadata) == (ident, "Hello", {"a": "b"})
    changed = await completions.update(ident, metadata={"c": "d"})
    assert (changed.choices, changed.metadata) == (found.choices, {"c": "d"})
    assert await completions.retrieve(ident) == changed
    assert (await completions.update(ident, metadata=None)).metadata == {}
    gone = await completions.delete(ident)
    assert (gone.id, gone.object, gone.deleted) == (ident, "chat.completion.deleted", True)
    for call in (completions.retrieve, completions.delete, completions.messages.list):
        with pytest.raises(NotFoundError, match="No chat completion found with id 'chatcmpl-1'"):
            await call(ident)
    with pytest.raises(NotFoundError):
        await completions.update(ident, metadata={})


async def test_listed(app: App, store: Store) -> None:
    """Oldest first, by model and metadata, page by page."""
    assert await listed(app) == []
    idents = [f"chatcmpl-{number}" for number in range(1, 6)]
    for number, ident in enumerate(idents):
        labels = {"parity": str(number % 2), "a b": "&="}
        await keep_completion(store, ident, created=number, model=f"m{number % 2}", metadata=labels)
    for limit in (1, 2, 5, 100):
        assert await listed(app, limit=limit) == idents
        assert await listed(app, limit=limit, order="desc") == idents[::-1]
    assert await listed(app, after=idents[2]) == idents[3:]
    assert await listed(app, model="m1") == idents[1::2]
    assert await listed(app, metadata={"parity": "0", "a b": "&="}, limit=1) == idents[::2]
    assert await listed(app, metadata={"parity": "2"}) == []
    page = await ask(app, "GET", "/chat/completions", params={"limit": "2"})
    assert (page.body["object"], page.body["has_more"]) == ("list", True)
    assert (page.body["first_id"], page.body["last_id"]) == (idents[0], idents[1])


async def test_messages(app: App, store: Store) -> None:
    """What the client sent, oldest first."""
    ident = await keep_completion(store, "chatcmpl-1")
    for limit in (1, 100):
        found = [
            (message.role, message.content)
            async for message in app.sdk().chat.completions.messages.list(ident, limit=limit)
        ]
        assert found == [("system", "Be brief."), ("user", "Hi")]
    page = await app.sdk().chat.completions.messages.list(ident, order="desc", limit=1)
    assert [message.content for message in page.data] == ["Hi"]


@pytest.mark.parametrize("ident", ["odd id", "a:b@c", "\u00e9", "x" * 128])
async def test_any_id(app: App, store: Store, ident: str) -> None:
    """Upstreams make them as they like."""
    await keep_completion(store, ident)
    assert (await app.sdk().chat.completions.retrieve(ident)).id == ident


@pytest.mark.parametrize(
    ("method", "path", "body", "param", "status"),
    [
        ("GET", f"/chat/completions/{'x' * 129}", None, "completion_id", 400),
        ("GET", "/chat/completions/a%00b", None, "id", 400),
        ("GET", "/chat/completions/other", None, None, 404),
        ("POST", ONE, {}, "metadata", 400),
        ("POST", ONE, {"metadata": {"k": "v" * 513}}, "metadata.k", 400),
        ("GET", "/chat/completions?limit=0", None, "limit", 400),
        ("GET", "/chat/completions?order=x", None, "order", 400),
        ("GET", "/chat/completions?model=%00", None, "model", 400),
        ("GET", f"/chat/completions?metadata[{'k' * 65}]=v", None, "metadata", 400),
        ("GET", f"/chat/completions?after={'x' * 129}", None, "after", 400),
        ("GET", "/chat/completions?after=other", None, None, 404),
        ("GET", f"{ONE}/messages?limit=x", None, "limit", 400),
        ("GET", f"{ONE}/messages?after=chatcmpl-2-0", None, "after", 404),
    ],
)
async def test_bad_input(
    app: App, store: Store, method: str, path: str, body: Any, param: str | None, status: int
) -> None:
    """The error names what is wrong."""
    await keep_completion(store, "chatcmpl-1")
    await keep_completion(store, "chatcmpl-2")
    got = await ask(app, method, path, body)
    assert (got.status, got.error["param"]) == (status, param)
