"""Conversations and their items."""

from __future__ import annotations

from typing import Any

import pytest
from openai import BadRequestError, NotFoundError
from stored_world import NOW, App, ask, conversation_id, keep_conversation, key, user

from diglot.adapters.store import Store

pytestmark = pytest.mark.anyio

HELLO: Any = {"type": "message", "role": "user", "content": "Hello"}
CONVERSATION = f"/conversations/{conversation_id(1)}"


def hello(text: str) -> Any:
    return {**HELLO, "content": text}


async def listed(app: App, ident: str, **query: Any) -> list[str]:
    """What the client lists, page by page."""
    items = app.sdk().conversations.items.list(ident, **query)
    return [item.content[0].text async for item in items]  # type: ignore[union-attr]


async def test_its_life(app: App) -> None:
    """Created, retrieved, changed, deleted."""
    conversations = app.sdk().conversations
    made = await conversations.create(metadata={"topic": "demo"}, items=[HELLO])
    assert (made.object, made.created_at, made.metadata) == ("conversation", NOW, {"topic": "demo"})
    assert len(made.id) == len(conversation_id(1))
    assert await conversations.retrieve(made.id) == made
    changed = await conversations.update(made.id, metadata={"topic": "other"})
    assert (changed.id, changed.metadata) == (made.id, {"topic": "other"})
    assert (await conversations.update(made.id, metadata=None)).metadata == {}
    assert (await conversations.retrieve(made.id)).metadata == {}
    assert await listed(app, made.id) == ["Hello"]
    gone = await conversations.delete(made.id)
    assert (gone.id, gone.object, gone.deleted) == (made.id, "conversation.deleted", True)
    for call in (conversations.retrieve, conversations.delete, conversations.items.list):
        with pytest.raises(NotFoundError, match=f"Conversation with id '{made.id}' not found"):
            await call(made.id)
    with pytest.raises(NotFoundError):
        await conversations.items.create(made.id, items=[HELLO])
    with pytest.raises(NotFoundError):
        await conversations.update(made.id, metadata={})


async def test_an_empty_one(app: App) -> None:
    """With a body or without; two are not the same."""
    one, two = await ask(app, "POST", "/conversations"), await app.sdk().conversations.create()
    assert (one.status, one.body["metadata"]) == (200, {})
    assert one.body["id"] != two.id
    page = await app.sdk().conversations.items.list(two.id)
    assert (page.data, page.has_more, page.last_id) == ([], False, None)


async def test_items(app: App) -> None:
    """Added, listed in both orders, retrieved, deleted; their ids carry the key of the conversation."""
    conversations = app.sdk().conversations
    made = await conversations.create(items=[hello("1")])
    added = await conversations.items.create(made.id, items=[hello(str(n)) for n in range(2, 22)])
    assert (added.object, len(added.data), added.has_more) == ("list", 20, False)
    assert (added.first_id, added.last_id) == (added.data[0].id, added.data[-1].id)
    more = await conversations.items.create(made.id, items=[hello("22")])
    said = [str(n) for n in range(1, 23)]
    for limit in (1, 7, 21, 22, 100):
        assert await listed(app, made.id, limit=limit) == said[::-1]
        assert await listed(app, made.id, limit=limit, order="asc") == said
    assert await listed(app, made.id, after=added.data[1].id) == ["2", "1"]
    ident = str(more.data[0].id)
    assert ident.startswith(made.id.replace("conv", "msg"))
    assert len(ident) <= 64
    assert await conversations.items.retrieve(ident, conversation_id=made.id) == more.data[0]
    left = await conversations.items.delete(ident, conversation_id=made.id)
    assert left == made
    assert await listed(app, made.id, limit=100) == said[-2::-1]
    with pytest.raises(NotFoundError, match=f"Item with id '{ident}' not found"):
        await conversations.items.retrieve(ident, conversation_id=made.id)
    with pytest.raises(NotFoundError, match=f"Item with id '{ident}' not found"):
        await conversations.items.delete(ident, conversation_id=made.id)


async def test_included(app: App) -> None:
    """What has to be asked for, by every way to see an item."""
    reasoning: Any = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "sealed"}
    conversations = app.sdk().conversations
    made = await conversations.create()
    include: Any = ["reasoning.encrypted_content"]
    for wanted, value in ([], None), (include, "sealed"):
        added = await conversations.items.create(made.id, items=[reasoning], include=wanted)
        assert added.data[0].to_dict().get("encrypted_content") == value
        found = await conversations.items.retrieve("rs_1", conversation_id=made.id, include=wanted)
        assert found.to_dict().get("encrypted_content") == value
        page = await conversations.items.list(made.id, include=wanted)
        assert page.data[0].to_dict().get("encrypted_content") == value
        await conversations.items.delete("rs_1", conversation_id=made.id)


async def test_items_that_are_there(app: App, store: Store) -> None:
    """They are not added again, and neither are those that come with them."""
    ident = await keep_conversation(store, 1, user("Hi", "msg_mine"))
    again: Any = {**HELLO, "id": "msg_mine"}
    with pytest.raises(BadRequestError, match="Duplicate item found with id msg_mine") as caught:
        await app.sdk().conversations.items.create(ident, items=[HELLO, again])
    assert caught.value.param == "input"
    assert await listed(app, ident) == ["Hi"]


async def test_deleted_in_between(app: App, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody else deletes the conversation after its item: it is not there any more."""
    ident = await keep_conversation(store, 1, user("Hi", "msg_mine"))
    delete = store.delete_item

    async def delete_all(*names: str) -> bool:
        done = await delete(*names)
        await store.delete_conversation(*names[:2])
        return done

    monkeypatch.setattr(store, "delete_item", delete_all)
    with pytest.raises(NotFoundError, match=f"Conversation with id '{ident}' not found"):
        await app.sdk().conversations.items.delete("msg_mine", conversation_id=ident)


@pytest.mark.parametrize("end", ["", "/items", "/items/msg_1"])
@pytest.mark.parametrize(
    ("ident", "status"),
    [
        ("conv_" + "x" * 60, 400),
        ("conv_a.b", 400),
        (f"resp_{key(1)}", 400),
        ("conv_mine", 404),
        (conversation_id(2), 404),
        (f"{conversation_id(1)}0", 404),
    ],
)
async def test_ids_that_are_none(app: App, store: Store, ident: str, status: int, end: str) -> None:
    """Or that are nobody's."""
    await keep_conversation(store, 1, user("Hi", "msg_1"))
    assert (await ask(app, "GET", CONVERSATION + end)).status == 200
    got = await ask(app, "GET", f"/conversations/{ident}{end}")
    assert got.status == status


@pytest.mark.parametrize(
    ("method", "path", "body", "param", "status"),
    [
        ("POST", "/conversations", {"metadata": {"k": 1}}, "metadata.k", 400),
        ("POST", "/conversations", {"metadata": {str(n): "" for n in range(17)}}, "metadata", 400),
        ("POST", "/conversations", {"metadata": {"k" * 65: ""}}, "metadata", 400),
        ("POST", "/conversations", {"metadata": {"k": "v" * 513}}, "metadata.k", 400),
        ("POST", "/conversations", {"items": [HELLO] * 21}, "items", 400),
        ("POST", "/conversations", {"items": [{"type": "odd"}]}, "item", 400),
        ("POST", "/conversations", {"items": [{**HELLO, "id": "msg_1"}] * 2}, "input", 400),
        ("POST", CONVERSATION, {}, "metadata", 400),
        ("POST", CONVERSATION, {"metadata": "x"}, "metadata", 400),
        ("POST", f"{CONVERSATION}/items", {}, "items", 400),
        ("POST", f"{CONVERSATION}/items", {"items": [HELLO] * 21}, "items", 400),
        ("POST", f"{CONVERSATION}/items", {"items": ["x"]}, "item", 400),
        ("POST", f"{CONVERSATION}/items", {"items": [{"type": "item_reference", "id": "msg_1"}]}, "item", 400),
        ("POST", f"{CONVERSATION}/items?include=x", {"items": [HELLO]}, "include[0]", 400),
        ("GET", f"{CONVERSATION}/items?limit=101", None, "limit", 400),
        ("GET", f"{CONVERSATION}/items?order=x", None, "order", 400),
        ("GET", f"{CONVERSATION}/items?include=x", None, "include[0]", 400),
        ("GET", f"{CONVERSATION}/items?after=a.b", None, "after", 400),
        ("GET", f"{CONVERSATION}/items?after=msg_2", None, "after", 404),
        ("GET", f"{CONVERSATION}/items/msg_1?include=x", None, "include[0]", 400),
        ("GET", f"{CONVERSATION}/items/a.b", None, "item_id", 400),
        ("DELETE", f"{CONVERSATION}/items/{'x' * 65}", None, "item_id", 400),
    ],
)
async def test_bad_input(app: App, store: Store, method: str, path: str, body: Any, param: str, status: int) -> None:
    """The error names what is wrong, and nothing is changed; an item of another conversation is none of this one."""
    await keep_conversation(store, 1, user("Hi", "msg_1"))
    await keep_conversation(store, 2, user("Ho", "msg_2"))
    got = await ask(app, method, path, body)
    assert (got.status, got.error["param"]) == (status, param)
    assert await listed(app, conversation_id(1)) == ["Hi"]
    assert (await app.sdk().conversations.retrieve(conversation_id(1))).metadata == {"topic": "demo"}
