"""Stored responses: retrieve, delete, list their input, cancel."""

from __future__ import annotations

from typing import Any

import pytest
from openai import BadRequestError, NotFoundError
from stored_world import (
    ME,
    NOW,
    App,
    ask,
    assistant,
    conversation_id,
    keep_conversation,
    keep_response,
    key,
    response_id,
    user,
)

from diglot.adapters import Limits
from diglot.adapters.store import Store
from diglot.adapters.store.memory import MemoryStore
from diglot.adapters.store.values import KEEP

pytestmark = pytest.mark.anyio

REASONING = {"type": "reasoning", "id": f"rs_{key(1)}0002", "summary": [], "encrypted_content": "sealed"}
COMPACTION = {"type": "compaction", "id": f"cmp_{key(1)}0003", "encrypted_content": "sealed"}


async def texts(app: App, number: int, **query: Any) -> list[str]:
    """What the client lists, page by page."""
    items = app.sdk().responses.input_items.list(response_id(number), **query)
    return [item.content[0].text async for item in items]  # type: ignore[union-attr]


async def test_retrieve(app: App, store: Store) -> None:
    """The Response object, without what has to be asked for."""
    ident = await keep_response(store, 1, output=[REASONING, assistant("Hello", "msg_1")])
    found = await app.sdk().responses.retrieve(ident)
    assert (found.id, found.status, found.output_text) == (ident, "completed", "Hello")
    assert "encrypted_content" not in found.output[0].to_dict()
    included = await app.sdk().responses.retrieve(ident, include=["reasoning.encrypted_content"])
    assert included.output[0].to_dict()["encrypted_content"] == "sealed"


async def test_no_stream(app: App, store: Store) -> None:
    """Nothing is streamed twice that did not run in the background; what is not there is not there first."""
    ident = await keep_response(store, 1)
    with pytest.raises(BadRequestError, match=r"not created with background=true\.") as caught:
        await app.sdk().responses.retrieve(ident, stream=True)
    assert caught.value.param == "stream"
    with pytest.raises(NotFoundError):
        await app.sdk().responses.retrieve(response_id(2), stream=True)
    assert (await ask(app, "GET", f"/responses/{ident}", params={"stream": "false"})).status == 200


async def test_delete(app: App, store: Store) -> None:
    """It is gone for everything, and what continued it is not listed with a hole."""
    sdk, ident = app.sdk(), await keep_response(store, 1)
    await keep_response(store, 2, 1)
    await sdk.responses.delete(ident)
    got = await ask(app, "DELETE", f"/responses/{ident}")
    assert (got.status, got.error["message"]) == (404, f"Response with id '{ident}' not found.")
    for call in (sdk.responses.retrieve, sdk.responses.cancel, sdk.responses.input_items.list):
        with pytest.raises(NotFoundError, match=ident):
            await call(ident)
    with pytest.raises(BadRequestError, match=f"Previous response with id '{ident}' not found") as caught:
        await texts(app, 2)
    assert caught.value.code == "previous_response_not_found"
    assert (await sdk.responses.retrieve(response_id(2))).output_text == "Answer 2"


async def test_gone_is_gone() -> None:
    """Deleted, expired, unknown, and ids that were not made here: the same words, after the same question."""
    now = float(NOW)
    store = MemoryStore(clock=lambda: now)
    await keep_response(store, 1)
    now += KEEP
    await keep_response(store, 2)
    await store.delete(ME, key(2))
    for end in ("", "/input_items"):
        said = set()
        for ident in (response_id(1), response_id(2), response_id(3), "resp_mine"):
            got = await ask(App(store), "GET", f"/responses/{ident}{end}")
            assert (got.status, got.error["code"], got.error["param"]) == (404, None, None)
            said.add(got.error["message"].replace(ident, ""))
        assert said == {"Response with id '' not found."}


async def test_what_delete_says(app: App, store: Store) -> None:
    """As the service says it."""
    ident = await keep_response(store, 1)
    got = await ask(app, "DELETE", f"/responses/{ident}")
    assert got.body == {"id": ident, "object": "response", "deleted": True}


async def test_cancel(app: App, store: Store) -> None:
    """What was not created in the background cannot be cancelled."""
    ident = await keep_response(store, 1)
    with pytest.raises(BadRequestError, match=r"Cannot cancel a synchronous response\."):
        await app.sdk().responses.cancel(ident)


async def test_input_items(app: App, store: Store) -> None:
    """All of the chain, the newest first; both pagers come to the end."""
    for number in range(1, 4):
        await keep_response(store, number, number - 1 or None)
    said = ["Question 3", "Answer 2", "Question 2", "Answer 1", "Question 1"]
    for limit in (1, 2, 5, 100):
        assert await texts(app, 3, limit=limit) == said
        assert await texts(app, 3, limit=limit, order="asc") == said[::-1]
    assert await texts(app, 3, after=f"msg_{key(2)}0000") == said[3:]
    assert await texts(app, 1) == ["Question 1"]
    page = await ask(app, "GET", f"/responses/{response_id(3)}/input_items", params={"limit": "2"})
    assert (page.body["object"], page.body["has_more"]) == ("list", True)
    assert (page.body["first_id"], page.body["last_id"]) == (f"msg_{key(3)}0000", f"msg_{key(2)}0001")


@pytest.mark.parametrize("spelling", ["include", "include[]"])
async def test_included(app: App, store: Store, spelling: str) -> None:
    """Arrays come with brackets or without."""
    await keep_response(store, 1, own=[REASONING])
    path = f"/responses/{response_id(1)}/input_items"
    assert "encrypted_content" not in (await ask(app, "GET", path)).body["data"][0]
    got = await ask(app, "GET", path, params={spelling: "reasoning.encrypted_content"})
    assert got.body["data"][0]["encrypted_content"] == "sealed"


async def test_input_items_of_a_conversation(app: App, store: Store) -> None:
    """What it held before the response, and the response's own; also for what continued that as a chain."""
    await keep_conversation(store, 9, user("First", "msg_first"))
    await keep_response(store, 1, conversation=9)
    await keep_response(store, 2, conversation=9)
    await keep_response(store, 3, 2)
    said = ["First", "Question 1", "Answer 1", "Question 2", "Answer 2", "Question 3"]
    assert await texts(app, 1, order="asc") == said[:2]
    assert await texts(app, 2, order="asc") == said[:4]
    assert await texts(app, 3, order="asc") == said
    await app.sdk().conversations.delete(conversation_id(9))
    with pytest.raises(NotFoundError, match=f"Conversation with id '{conversation_id(9)}' not found"):
        await texts(app, 1)
    assert (await app.sdk().responses.retrieve(response_id(1))).output_text == "Answer 1"


async def test_from_a_compaction_on(app: App, store: Store) -> None:
    """Nothing before it was sent, so nothing before it is listed."""
    await keep_conversation(store, 9, user("First", "msg_first"))
    await keep_response(store, 1, conversation=9, own=[COMPACTION, user("Question", "msg_1")])
    await keep_response(store, 2, 1, own=[user("Then", "msg_2")])
    for number, count in ((1, 2), (2, 4)):
        page = await ask(app, "GET", f"/responses/{response_id(number)}/input_items", params={"order": "asc"})
        assert len(page.body["data"]) == count
        assert page.body["data"][0]["type"] == "compaction"


async def test_what_a_response_compacted_itself_is_its_input(app: App, store: Store) -> None:
    """It was made from that; what continues it was not."""
    await keep_response(store, 1)
    await keep_response(store, 2, 1, output=[COMPACTION], previous_response_id=response_id(1))
    await keep_response(store, 3, 2, output=[COMPACTION], own=[COMPACTION], previous_response_id=response_id(2))
    await keep_response(store, 4, output=[COMPACTION], previous_response_id=None)
    assert await texts(app, 2, order="asc") == ["Question 1", "Answer 1", "Question 2"]
    assert await texts(app, 4) == ["Question 4"]
    page = await ask(app, "GET", f"/responses/{response_id(3)}/input_items")
    assert [item["type"] for item in page.body["data"]] == ["compaction"]
    await store.delete(ME, key(1))
    with pytest.raises(BadRequestError, match=f"Previous response with id '{response_id(1)}' not found"):
        await texts(app, 2)


async def test_a_large_history(app: App, store: Store) -> None:
    """It is decoded in a thread; one above the bound is refused with its size."""
    for number in range(1, 3):
        await keep_response(store, number, number - 1 or None, own=[user(f"{number}" * 1_100_000, f"msg_{number}")])
    assert [len(text) for text in await texts(app, 2, order="asc")] == [1_100_000, 8, 1_100_000]
    app.limits = Limits(max_history=1_000_000)
    with pytest.raises(BadRequestError, match=r"has 2,2\d\d,\d\d\d bytes; at most 1,000,000") as caught:
        await texts(app, 2)
    assert caught.value.code == "context_length_exceeded"


@pytest.mark.parametrize(
    ("ident", "status", "words"),
    [
        ("x" * 65, 400, "maximum length 64"),
        ("resp_a b", 400, "additional characters"),
        ("resp_\u00e9", 400, "additional characters"),
        ("resp_%00", 400, "null character"),
        (f"msg_{key(1)}", 400, "begins with 'resp_'"),
        ("input-tokens", 400, "begins with 'resp_'"),
        ("resp_foreign", 404, "Response with id 'resp_foreign' not found."),
        ("resp_", 404, "not found"),
        (response_id(2), 404, "not found"),
        (f"{response_id(1)}0000", 404, "not found"),
        (response_id(1).upper().replace("RESP", "resp") + "A", 404, "not found"),
    ],
)
@pytest.mark.parametrize(("method", "end"), [("GET", ""), ("DELETE", ""), ("GET", "/input_items"), ("POST", "/cancel")])
async def test_ids_that_are_none(
    app: App, store: Store, method: str, end: str, ident: str, status: int, words: str
) -> None:
    """Or that are nobody's; an id that is not quite the right one is none either."""
    await keep_response(store, 1)
    got = await ask(app, method, f"/responses/{ident}{end}")
    assert (got.status, got.error["type"]) == (status, "invalid_request_error")
    assert words in got.error["message"]


@pytest.mark.parametrize(
    ("end", "query", "param", "status"),
    [
        ("", "include=x", "include[0]", 400),
        ("", "include[]=reasoning.encrypted_content&include[]=output", "include[1]", 400),
        ("", "stream=yes", "stream", 400),
        ("/input_items", "limit=ten", "limit", 400),
        ("/input_items", "limit=1.5", "limit", 400),
        ("/input_items", "limit=0", "limit", 400),
        ("/input_items", "limit=-1", "limit", 400),
        ("/input_items", "limit=101", "limit", 400),
        ("/input_items", f"limit={'9' * 5000}", "limit", 400),
        ("/input_items", "order=up", "order", 400),
        ("/input_items", "include=x", "include[0]", 400),
        ("/input_items", "after=a%00b", "after", 400),
        ("/input_items", f"after={'x' * 65}", "after", 400),
        ("/input_items", f"after=msg_{key(7)}0000", "after", 404),
        ("/input_items", f"after=msg_{key(2)}0000", "after", 404),
    ],
)
async def test_bad_queries(app: App, store: Store, end: str, query: str, param: str, status: int) -> None:
    """The error names the parameter; an item of another list is none of this one."""
    await keep_response(store, 1)
    await keep_response(store, 2)
    got = await ask(app, "GET", f"/responses/{response_id(1)}{end}?{query}")
    assert (got.status, got.error["param"]) == (status, param)
