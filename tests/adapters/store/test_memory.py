"""The store in memory is bounded."""

from __future__ import annotations

import pytest

from diglot.adapters.store import Completion, Conversation, Filter, NewItem, NewRecord, Place
from diglot.adapters.store.memory import MemoryStore

pytestmark = pytest.mark.anyio

TENANT = "t"
LIMIT = 10**9


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def key(number: int) -> str:
    return f"{number:032x}"


async def put(store: MemoryStore, number: int, parent: Place | None = None, size: int = 1_000) -> Place:
    record = NewRecord(key(number), number, b"x" * size, size, b"settings", "hash", parent=parent)
    await store.put(TENANT, record)
    (found,) = await store.read(TENANT, [key(number)])
    return found.place


async def there(store: MemoryStore, *numbers: int) -> list[int]:
    return [number for number in numbers if await store.read(TENANT, [key(number)])]


async def test_what_was_used_least_goes() -> None:
    """Whole chains; what was read is used."""
    store = MemoryStore(most_bytes=4 * 1_500 + 8)
    for number in range(4):
        await put(store, number)
    await store.chain(TENANT, key(0), LIMIT)
    await put(store, 4)
    await put(store, 5)
    assert await there(store, 0, 1, 2, 3, 4, 5) == [0, 3, 4, 5]


async def test_a_fork_goes_before_what_it_was_forked_from() -> None:
    """So a history has no hole as long as there is room for it; without its beginning it is not there."""
    store = MemoryStore(most_bytes=5 * 1_500 + 8)
    root = await put(store, 0)
    await put(store, 1, root)
    await put(store, 2, root)
    await put(store, 3)
    await put(store, 4)
    await put(store, 5)
    assert await there(store, 0, 1, 2, 3, 4, 5) == [0, 1, 3, 4, 5]
    await put(store, 6, root)
    assert await there(store, 0, 1, 3, 4, 5, 6) == [0, 1, 4, 5, 6]
    await put(store, 7, size=4_100)
    assert await there(store, 0, 1, 4, 5, 6, 7) == [7]


async def test_a_history_without_its_beginning_is_not_there() -> None:
    """It is refused as a whole."""
    store = MemoryStore()
    root = await put(store, 0)
    await put(store, 1, root)
    await put(store, 2, root)
    assert len(await store.chain(TENANT, key(2), LIMIT)) == 2
    store._drop_chains([(TENANT, key(0))])
    assert await there(store, 2) == [2]
    assert await store.chain(TENANT, key(2), LIMIT) == []


async def test_the_newest_stays() -> None:
    """Also when it is larger than all that there may be."""
    store = MemoryStore(most_bytes=10)
    await put(store, 0)
    assert await there(store, 0) == [0]


async def test_conversations_count() -> None:
    """They go like chains do."""
    store = MemoryStore(most_bytes=3_000)
    await store.create_conversation(TENANT, Conversation(key(1), 1, b""), [NewItem("m0", b"x" * 900)])
    await store.create_conversation(TENANT, Conversation(key(2), 1, b""), [])
    assert await store.conversation(TENANT, key(1))
    await put(store, 0)
    assert await store.conversation(TENANT, key(1)) is None
    assert await store.conversation(TENANT, key(2))
    await store.add_items(TENANT, key(2), [NewItem("m0", b"x" * 2_000)])
    assert await there(store, 0) == []


async def test_completions_count() -> None:
    """They go like chains do."""
    store = MemoryStore(most_bytes=3_200)
    for number in range(3):
        await store.put_completion(TENANT, Completion(f"c{number}", number, "m", {}, b"x" * 1_000))
    assert [found.id for found in await store.completions(TENANT, Filter())] == ["c1", "c2"]
    assert await store.delete_completion(TENANT, "c1")
    assert store.size == 1_500


async def test_the_size_is_that_of_what_is_there() -> None:
    """Nothing is left of what was taken away."""
    store = MemoryStore()
    root = await put(store, 0)
    await put(store, 1, root)
    await put(store, 2, root)
    await store.delete(TENANT, key(1))
    await store.create_conversation(
        TENANT, Conversation(key(1), 1, b"metadata"), [NewItem("m0", b"x"), NewItem("m1", b"")]
    )
    await store.set_metadata(TENANT, key(1), b"more metadata")
    await store.delete_item(TENANT, key(1), "m0")
    assert store.size > 3_000
    while await store.purge():
        pass
    assert store.size == 0
    assert not any((store._chains.chains, store._logs, store._used, store._chains.names(), store._chains._settings))


async def test_what_it_promises() -> None:
    """Nothing."""
    opened = await MemoryStore().open()
    assert opened.name == "memory, at most 256 MiB"
    assert "nothing survives" in opened.durability


async def test_metadata_count_too() -> None:
    """Also those that replace others; what has gone counts for nothing."""
    store = MemoryStore(most_bytes=20_000)
    large = {f"{number:02}": "\N{GRINNING FACE}" * 500 for number in range(4)}  # 8,008 bytes
    for number in range(3):
        await store.put_completion(TENANT, Completion(f"c{number}", number, "m", large, b"body"))
    assert [found.id for found in await store.completions(TENANT, Filter())] == ["c1", "c2"]
    full = store.size
    assert await store.label_completion(TENANT, "c1", {})
    assert full - store.size == 8_008
    assert await store.delete_completion(TENANT, "c1")
    assert await store.delete_completion(TENANT, "c2")
    assert store.size == 0


async def test_who_only_looks_leaves_nothing() -> None:
    """There may be as many credentials as requests."""
    store = MemoryStore()
    for number in range(3):
        assert await store.completions(f"t{number}", Filter()) == []
        assert await store.completion(f"t{number}", "c1") is None
        assert not await store.label_completion(f"t{number}", "c1", {})
        assert not await store.delete_completion(f"t{number}", "c1")
    await store.put_completion(TENANT, Completion("c1", 1, "m", {}, b"body"))
    await store.delete_completion(TENANT, "c1")
    assert store._shelves == {}
