"""What `diglot store export` writes: a JSON object for each response, conversation and chat completion."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from typing import Any

from ...translator import state
from ..store import Completion, Conversation, Filter, Store, Stored, StoredItem

Line = dict[str, Any]
_PORTION = 100
_ALL = 2**31 - 1


async def exported(store: Store, tenant: str | None) -> AsyncIterator[Line | state.records.DamagedRecord]:
    """Yield all that a store has, of a tenant or of all; what cannot be read as the error that names it."""
    async for owner, stored in store.export(tenant):
        yield _line(owner, "response", lambda stored=stored: _response(stored))
    for owner in [counts.tenant for counts in await store.counts()] if tenant is None else [tenant]:
        async for found, items in _conversations(store, owner):
            yield _line(owner, "conversation", lambda found=found, items=items: _conversation(found, items))
        async for completion in _completions(store, owner):
            yield _line(owner, "completion", lambda completion=completion: _completion(completion))


async def _conversations(store: Store, tenant: str) -> AsyncIterator[tuple[Conversation, list[StoredItem]]]:
    last = ""
    while keys := await store.conversation_keys(tenant, last, _PORTION):
        last = keys[-1]
        for key in keys:
            found = await store.conversation(tenant, key)
            if found is not None:
                yield found, await store.items(tenant, key, limit=_ALL)


async def _completions(store: Store, tenant: str) -> AsyncIterator[Completion]:
    last = None
    while page := await store.completions(tenant, Filter(after=last, limit=_PORTION)):
        last = page[-1].id
        for completion in page:
            yield completion


def _line(tenant: str, kind: str, make: Callable[[], Line]) -> Line | state.records.DamagedRecord:
    try:
        return {"tenant": tenant, "kind": kind, **make()}
    except state.records.DamagedRecord as error:
        return error


def _response(stored: Stored) -> Line:
    record = state.records.decode(f"resp_{stored.key}", stored.body or b"", stored.settings)
    return {
        "chain": f"resp_{stored.place.chain}",
        "depth": stored.place.depth,
        "created": date(stored.created),
        "expires": date(stored.place.expires),
        "conversation": f"conv_{stored.conversation}" if stored.conversation else None,
        "input": record.input,
        "response": record.answer,
    }


def _conversation(found: Conversation, items: list[StoredItem]) -> Line:
    ident = f"conv_{found.key}"
    return {
        "created": date(found.created),
        "conversation": state.conversations.shown(ident, found.created, state.records.unpacked(ident, found.metadata)),
        "items": [state.records.decode_item(item.id, item.body) for item in items],
    }


def _completion(completion: Completion) -> Line:
    kept = state.completions.decode(completion.id, completion.body)
    return {
        "created": date(completion.created),
        "messages": kept.messages,
        "completion": state.completions.shown(kept, completion.metadata),
    }


def date(seconds: float) -> str:
    """Return a time in UTC, to the second."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
