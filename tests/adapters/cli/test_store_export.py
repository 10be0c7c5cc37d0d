"""The objects of an export."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, cast

import pytest

from diglot.adapters.cli import store_export
from diglot.adapters.cli.store_export import exported
from diglot.adapters.store import Completion, Conversation, NewItem, NewRecord, open_store
from diglot.translator import state

pytestmark = pytest.mark.anyio

MESSAGE = {"type": "message", "role": "user", "content": "hi"}
NOW = 1_700_000_000


def key(number: int) -> str:
    return f"{number:032x}"


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Any]:
    """A store with three of each for tenant a, and one of each for tenant b."""
    store = open_store(f"sqlite:///{tmp_path}/some.db", clock=lambda: NOW)
    await store.open()
    for tenant, number in (("a", 1), ("a", 2), ("a", 3), ("b", 4)):
        answer = {"id": f"resp_{key(number)}", "status": "completed", "model": "m", "output": [MESSAGE]}
        encoded = state.records.encode(state.records.Record(answer, [MESSAGE]))
        await store.put(tenant, NewRecord(key(number), NOW, **encoded._asdict()))
        items = [NewItem(f"msg_{count}", state.records.encode_item({"n": count})) for count in range(2)]
        metadata = state.records.packed({"number": str(number)})
        await store.create_conversation(tenant, Conversation(key(number), NOW, metadata), items)
        kept = state.completions.encode(state.completions.StoredCompletion({"id": f"c{number}"}, [{"role": "user"}]))
        await store.put_completion(tenant, Completion(f"c{number}", NOW, "m", {"n": str(number)}, kept))
    yield store
    await store.close()


async def test_all_kinds(store: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each as its client knows it, in portions of any size."""
    monkeypatch.setattr(store_export, "_PORTION", 2)
    assert len([line async for line in exported(store, None)]) == 12
    assert len([line async for line in exported(store, "a")]) == 9
    response, conversation, completion = [cast(dict[str, Any], line) async for line in exported(store, "b")]
    assert response == {
        "tenant": "b",
        "kind": "response",
        "chain": f"resp_{key(4)}",
        "depth": 0,
        "created": "2023-11-14T22:13:20Z",
        "expires": "2023-12-14T22:13:20Z",
        "conversation": None,
        "input": [MESSAGE],
        "response": {"id": f"resp_{key(4)}", "status": "completed", "model": "m", "output": [MESSAGE]},
    }
    about = {"id": f"conv_{key(4)}", "object": "conversation", "created_at": NOW, "metadata": {"number": "4"}}
    assert (conversation["conversation"], conversation["items"]) == (about, [{"n": 0}, {"n": 1}])
    assert completion["completion"] == {"id": "c4", "metadata": {"n": "4"}}
    assert completion["messages"] == [{"role": "user"}]


async def test_what_goes_meanwhile(store: Any) -> None:
    """A conversation that is deleted between the list and the read is left out."""

    async def nothing(tenant: str, key: str) -> None:
        return None

    store.conversation = nothing
    assert len([line async for line in exported(store, "a")]) == 6


async def test_what_is_damaged(store: Any) -> None:
    """The error stands in its place."""
    await store.put_completion("b", Completion("c5", NOW, "m", {}, b"1j{}"))
    await store.create_conversation("b", Conversation(key(5), NOW, b"?"), [])
    lines = [line async for line in exported(store, "b")]
    words = [str(line) for line in lines if isinstance(line, state.records.DamagedRecord)]
    assert len(lines) == 5
    assert [word.partition(" ")[0] for word in words] == [f"'conv_{key(5)}'", "'c5'"]
