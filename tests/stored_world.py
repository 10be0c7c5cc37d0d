"""An application that has the endpoints of stored state only, and things that are kept in its store."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

import httpx2
from openai import AsyncOpenAI

from diglot.adapters import Limits
from diglot.adapters.asgi.types import header
from diglot.adapters.middleware.routes import ServedPaths
from diglot.adapters.stateful import endpoints
from diglot.adapters.store import Addition, Completion, Conversation, NewItem, NewRecord, Store
from diglot.translator import state

ME, OTHER = "me", "other"
NOW = 1_700_000_000
LIMITS = Limits()
Item = dict[str, Any]


class App:
    """Whoever calls is the tenant that the `authorization` header names."""

    def __init__(self, store: Any, limits: Limits = LIMITS) -> None:
        self.store, self.limits = store, limits

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        target = ServedPaths().target_of(scope)
        assert target is not None, "the path is not one of stored state"
        tenant = header(scope, b"authorization").decode().removeprefix("Bearer ")
        await endpoints.serve(
            target, scope, receive, send, store=self.store, tenant=tenant, limits=self.limits, clock=lambda: NOW + 0.5
        )

    def client(self, tenant: str = ME) -> httpx2.AsyncClient:
        """A plain client."""
        headers = {"authorization": f"Bearer {tenant}"}
        return httpx2.AsyncClient(transport=httpx2.ASGITransport(self), base_url="http://x/v1", headers=headers)

    def sdk(self, tenant: str = ME) -> AsyncOpenAI:
        """The official one."""
        http = httpx2.AsyncClient(transport=httpx2.ASGITransport(self))
        return AsyncOpenAI(api_key=tenant, base_url="http://x/v1", http_client=http, max_retries=0)


class Answered(NamedTuple):
    """What came back."""

    status: int
    body: Any
    headers: Any

    @property
    def error(self) -> dict[str, Any]:
        return self.body["error"]


async def ask(app: App, method: str, path: str, body: Any = None, tenant: str = ME, **more: Any) -> Answered:
    """One request; a body of bytes is sent as it is."""
    if body is not None:
        more["content"] = body if isinstance(body, bytes) else json.dumps(body).encode()
        more["headers"] = {"content-type": "application/json", **more.get("headers", {})}
    async with app.client(tenant) as client:
        got = await client.request(method, path, **more)
    return Answered(got.status_code, got.json() if got.content else None, got.headers)


def key(number: int) -> str:
    return f"{number:032x}"


def response_id(number: int) -> str:
    return f"resp_{key(number)}"


def conversation_id(number: int) -> str:
    return f"conv_{key(number)}"


def user(text: str, ident: str) -> Item:
    return {
        "type": "message",
        "id": ident,
        "role": "user",
        "status": "completed",
        "content": [{"type": "input_text", "text": text}],
    }


def assistant(text: str, ident: str) -> Item:
    part = {"type": "output_text", "text": text, "annotations": [], "logprobs": []}
    return {"type": "message", "id": ident, "role": "assistant", "status": "completed", "content": [part]}


async def keep_response(
    store: Store,
    number: int,
    parent: int | None = None,
    *,
    tenant: str = ME,
    conversation: int | None = None,
    output: list[Item] | None = None,
    **more: Any,
) -> str:
    """Keep a response that asks and answers; return its id."""
    own = more.pop("own", [user(f"Question {number}", f"msg_{key(number)}0000")])
    if output is None:
        output = [assistant(f"Answer {number}", f"msg_{key(number)}0001")]
    answer = {
        "id": response_id(number),
        "object": "response",
        "created_at": NOW,
        "status": "completed",
        "model": "m",
        "output": output,
        "tools": [],
        "tool_choice": "auto",
        "parallel_tool_calls": True,
        **more,
    }
    encoded = state.records.encode(state.records.Record(answer, own))
    place = None if parent is None else (await store.read(tenant, [key(parent)]))[0].place
    addition = None
    if conversation is not None:
        await store.renew("process", 60)
        fence = await store.lock(tenant, key(conversation), "process")
        addition = Addition(key(conversation), fence, [new_item(item) for item in (*own, *output)])
    record = NewRecord(
        key(number),
        NOW,
        encoded.body,
        encoded.size,
        encoded.settings,
        encoded.settings_hash,
        encoded.compacts,
        place,
    )
    await store.put(tenant, record, addition)
    return response_id(number)


def new_item(item: Item) -> NewItem:
    return NewItem(item["id"], state.records.encode_item(item), state.records.is_compaction(item))


async def keep_conversation(store: Store, number: int, *items: Item, tenant: str = ME) -> str:
    """Keep a conversation; return its id."""
    about = Conversation(key(number), NOW, state.records.packed({"topic": "demo"}))
    await store.create_conversation(tenant, about, [new_item(item) for item in items])
    return conversation_id(number)


async def keep_completion(store: Store, ident: str, *, tenant: str = ME, **more: Any) -> str:
    """Keep a chat completion; return its id."""
    choice = {
        "index": 0,
        "finish_reason": "stop",
        "message": {"role": "assistant", "content": "Hello", "refusal": None},
        "logprobs": None,
    }
    values = {"created": NOW, "model": "m", "metadata": {}, **more}
    answer = {
        "id": ident,
        "object": "chat.completion",
        "created": values["created"],
        "model": values["model"],
        "choices": [choice],
    }
    messages = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"}]
    body = state.completions.encode(state.completions.StoredCompletion(answer, messages))
    await store.put_completion(tenant, Completion(ident, body=body, **values))
    return ident
