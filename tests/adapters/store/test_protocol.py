"""What every store does, whatever it is made of."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import anyio
import pytest

from diglot.adapters.store import (
    Addition,
    ChainGone,
    Completion,
    Conversation,
    ConversationGone,
    ConversationLocked,
    DuplicateItem,
    Filter,
    HistoryTooLarge,
    LockLost,
    NewItem,
    NewRecord,
    NoSuchItem,
    Place,
    Store,
    Stored,
    open_store,
)
from diglot.adapters.store.values import DAY, KEEP
from diglot.translator import ServeResponses
from diglot.translator.state import history as histories
from diglot.translator.state import ids, records

pytestmark = pytest.mark.anyio

TENANT, OTHER = "a" * 64, "b"
LIMIT = 10**9


def key(number: int) -> str:
    return f"{number:032x}"


def record(number: int, parent: Place | None = None, **more: Any) -> NewRecord:
    settings = more.pop("settings", b"settings")
    values = {
        "key": key(number),
        "created": 1_700_000_000 + number,
        "body": b"body %d" % number,
        "size": 10,
        "settings": settings,
        "settings_hash": settings.hex()[:32],
        **more,
    }
    return NewRecord(**values, parent=parent)


async def put(store: Store, number: int, parent: int | None = None, tenant: str = TENANT, **more: Any) -> Place:
    """Keep a response as a child of another one, and return its place."""
    place = None if parent is None else await place_in(store, parent, tenant)
    await store.put(tenant, record(number, place, **more))
    return await place_in(store, number, tenant)


async def place_in(store: Store, number: int, tenant: str = TENANT) -> Place:
    (found,) = await store.read(tenant, [key(number)])
    return found.place


async def history(store: Store, number: int, tenant: str = TENANT) -> list[bytes | None]:
    return [stored.body for stored in await store.chain(tenant, key(number), LIMIT)]


def bodies(*numbers: int) -> list[bytes | None]:
    return [b"body %d" % number for number in numbers]


def item(ident: str, **more: Any) -> NewItem:
    return NewItem(ident, b"body of " + ident.encode(), **more)


async def exported(store: Store, tenant: str | None = None) -> list[tuple[str, Stored]]:
    return [found async for found in store.export(tenant)]


class TestResponses:
    async def test_what_is_put_is_read(self, store: Store) -> None:
        """With its settings and its place, which nothing has but its tenant."""
        await put(store, 1)
        (found,) = await store.read(TENANT, [key(1)])
        assert (found.key, found.body, found.settings) == (key(1), b"body 1", b"settings")
        assert (found.created, found.conversation) == (1_700_000_001, None)
        assert found.place[:4] == (key(1), 0, 0, 10)
        assert await store.read(OTHER, [key(1)]) == []
        assert await store.read(TENANT, [key(2)]) == []
        assert await store.read(TENANT, []) == []

    async def test_several_are_read(self, store: Store) -> None:
        """Those that are there."""
        await put(store, 1)
        await put(store, 2, settings=b"others")
        found = await store.read(TENANT, [key(2), key(3), key(1)])
        assert {each.key: each.settings for each in found} == {key(1): b"settings", key(2): b"others"}

    async def test_any_bytes(self, store: Store) -> None:
        """Bodies and settings are bytes, empty ones and large ones, too."""
        await put(store, 1, body=bytes(range(256)) * 4_000, settings=bytes(range(255, -1, -1)))
        (found,) = await store.read(TENANT, [key(1)])
        assert (found.body, found.settings) == (bytes(range(256)) * 4_000, bytes(range(255, -1, -1)))

    async def test_the_same_twice(self, store: Store) -> None:
        """A second try of what was written does no harm: at the beginning of a chain, in it, and at a fork."""
        await put(store, 1)
        parent = await place_in(store, 1)
        for number, place in ((1, None), (2, parent), (3, parent)):
            for _ in range(2):
                await store.put(TENANT, record(number, place))
        assert await history(store, 2) == bodies(1, 2)
        assert await history(store, 3) == bodies(1, 3)
        await store.delete(TENANT, key(2))
        await store.put(TENANT, record(2, parent))
        assert await store.read(TENANT, [key(2)]) == []

    async def test_a_chain(self, store: Store) -> None:
        """One response behind the other, in one chain."""
        place = await put(store, 0)
        for number in range(1, 20):
            place = await put(store, number, number - 1)
        assert place[:4] == (key(0), 19, 0, 200)
        assert await history(store, 19) == bodies(*range(20))
        assert await history(store, 7) == bodies(*range(8))
        assert await history(store, 19, OTHER) == []
        assert await history(store, 20) == []

    async def test_forks(self, store: Store) -> None:
        """A second child begins a chain of its own, and so on; each history is its own."""
        await put(store, 0)
        await put(store, 1, 0)
        await put(store, 2, 1)
        fork = await put(store, 3, 0)
        assert fork[:2] == (key(3), 1)
        await put(store, 4, 3)
        await put(store, 5, 4)
        await put(store, 6, 4)
        await put(store, 7, 6)
        assert await history(store, 2) == bodies(0, 1, 2)
        assert await history(store, 5) == bodies(0, 3, 4, 5)
        assert await history(store, 7) == bodies(0, 3, 4, 6, 7)

    async def test_a_history_starts_at_the_newest_compaction(self, store: Store) -> None:
        """Its size is counted from there; forks of before have their own."""
        await put(store, 0)
        await put(store, 1, 0)
        place = await put(store, 2, 1, compacts=True)
        assert place[:4] == (key(0), 2, 2, 10)
        place = await put(store, 3, 2)
        assert place[:4] == (key(0), 3, 2, 20)
        assert await history(store, 3) == bodies(2, 3)
        await put(store, 4, 2)
        assert await history(store, 4) == bodies(2, 4)
        await put(store, 5, 1)
        assert await history(store, 5) == bodies(0, 1, 5)

    async def test_a_history_that_is_too_large(self, store: Store) -> None:
        """It is not loaded, and the error says how large it is."""
        await put(store, 0)
        await put(store, 1, 0)
        assert len(await store.chain(TENANT, key(1), 20)) == 2
        with pytest.raises(HistoryTooLarge) as caught:
            await store.chain(TENANT, key(1), 19)
        assert caught.value.size == 20

    async def test_deletion(self, store: Store) -> None:
        """The content is gone, and a chain says which one is missing."""
        await put(store, 0)
        await put(store, 1, 0)
        await put(store, 2, 1)
        assert not await store.delete(OTHER, key(1))
        assert await store.delete(TENANT, key(1))
        assert not await store.delete(TENANT, key(1))
        assert await store.read(TENANT, [key(1)]) == []
        assert await history(store, 1) == []
        assert await history(store, 2) == [b"body 0", None, b"body 2"]
        assert [stored.key for stored in await store.chain(TENANT, key(2), LIMIT)] == [key(0), key(1), key(2)]

    async def test_settings_are_kept_while_they_are_used(self, store: Store, clock: Any) -> None:
        """By one response or several; deleted and kept again, they are there again."""
        await put(store, 0)
        await put(store, 1)
        assert await store.delete(TENANT, key(0))
        assert (await store.read(TENANT, [key(1)]))[0].settings == b"settings"
        assert await store.delete(TENANT, key(1))
        await put(store, 2)
        assert (await store.read(TENANT, [key(2)]))[0].settings == b"settings"

    async def test_what_another_process_took_away(self, store: Store, url: str, clock: Any) -> None:
        """Settings that this one wrote before are written again; a chain that was purged cannot be continued."""
        if url == "memory":
            return
        other = open_store(url, clock=clock)
        await other.open()
        place = await put(store, 0)
        assert await other.delete(TENANT, key(0))
        await put(store, 1)
        assert (await other.read(TENANT, [key(1)]))[0].settings == b"settings"
        assert await other.purge() == 2
        with pytest.raises(ChainGone):
            await store.put(TENANT, record(2, place))
        assert await store.read(TENANT, [key(2)]) == []
        await other.close()

    async def test_a_parent_that_was_purged(self, store: Store) -> None:
        """The response is not kept: its history would have a hole."""
        place = await put(store, 0)
        assert await store.purge() == 1
        with pytest.raises(ChainGone):
            await store.put(TENANT, record(1, place))

    async def test_children_at_once(self, store: Store) -> None:
        """All are kept, one in the chain and the others in chains of their own."""
        place = await put(store, 0)
        async with anyio.create_task_group() as group:
            for number in range(1, 11):
                group.start_soon(store.put, TENANT, record(number, place))
        found = await store.read(TENANT, [key(number) for number in range(1, 11)])
        assert sorted(stored.place.chain == key(0) for stored in found) == [False] * 9 + [True]
        for number in range(1, 11):
            assert await history(store, number) == bodies(0, number)


class TestExpiry:
    async def test_a_chain_expires(self, store: Store, clock: Any) -> None:
        """A month after its last turn, whole; the sweep takes it a day later."""
        await put(store, 0)
        clock.now += KEEP - 2
        await put(store, 1, 0)
        clock.now += KEEP - 2
        assert await history(store, 1) == bodies(0, 1)
        clock.now += 3
        assert await history(store, 1) == []
        assert await store.read(TENANT, [key(0)]) == []
        assert not await store.delete(TENANT, key(0))
        assert await store.sweep() == 0
        clock.now += DAY
        assert await store.sweep() == 1
        assert await exported(store) == await store.counts() == []

    async def test_what_was_forked_from_stays(self, store: Store, clock: Any) -> None:
        """As long as the fork."""
        await put(store, 0)
        await put(store, 1, 0)
        clock.now += KEEP - 10
        await put(store, 2, 0)
        clock.now += DAY + 20
        assert await store.sweep() == 0
        assert await store.read(TENANT, [key(1)]) == []
        assert await history(store, 2) == bodies(0, 2)
        clock.now += KEEP + DAY
        assert await store.sweep() == 1
        assert await store.sweep() == 1
        assert await store.sweep() == 0

    async def test_sweeps_are_small(self, store: Store, clock: Any) -> None:
        """At most so many chains at once."""
        for number in range(5):
            await put(store, number)
        clock.now += KEEP + DAY + 1
        assert [await store.sweep(2) for _ in range(4)] == [2, 2, 1, 0]

    async def test_purge(self, store: Store, clock: Any) -> None:
        """Of a tenant, or what is old, or everything."""
        await put(store, 0)
        await put(store, 1, 0)
        await put(store, 2)
        await put(store, 3, tenant=OTHER)
        await store.create_conversation(TENANT, Conversation(key(4), 1_700_000_004, b""), [item("msg_1")])
        await store.create_conversation(OTHER, Conversation(key(5), 1_700_000_005, b""), [])
        assert await store.purgeable(before=1_700_000_001) == await store.purge(before=1_700_000_001) == 0
        assert await store.purgeable(TENANT, before=1_700_000_002) == 1
        assert await store.purge(TENANT, before=1_700_000_002) == 1
        assert [stored.key for _, stored in await exported(store)] == [key(2), key(3)]
        assert await store.purgeable() == 4
        assert await store.purgeable(before=1_700_000_005) == await store.purge(before=1_700_000_005) == 3
        assert await store.conversation(TENANT, key(4)) is None
        assert await store.purgeable(TENANT) == 0
        assert await store.purgeable(OTHER) == await store.purge() == 1
        assert await store.purgeable() == await store.purge() == 0

    async def test_what_is_being_purged_cannot_be_continued(self, store: Store) -> None:
        """Otherwise clients that go on would add forks faster than they are deleted."""
        base = await put(store, 0)
        for number in range(1, 4):
            await store.put(TENANT, record(number, base))
        await put(store, 4, tenant=OTHER)
        assert await store.purge(TENANT, limit=1) == 1
        assert await store.read(TENANT, [key(0)]) == []
        assert await store.chain(TENANT, key(0), 2**20) == []
        assert await store.purgeable(TENANT) == 2
        assert len(await store.read(OTHER, [key(4)])) == 1
        while await store.purge(TENANT, limit=1):
            pass
        assert [stored.key for _, stored in await exported(store)] == [key(4)]

    async def test_what_a_sweep_takes_is_counted(self, store: Store, clock: Any) -> None:
        """Chains and chat completions that have expired."""
        await put(store, 0)
        await store.put_completion(TENANT, Completion("chatcmpl-1", 2, "m", {}, b"body"))
        assert await store.purgeable(expired=True) == 0
        clock.now += KEEP + DAY + 1
        await put(store, 1)
        assert await store.purgeable(expired=True) == 2
        assert await store.purgeable(TENANT, 2) == 0
        assert await store.purgeable(TENANT, 3) == 1
        while await store.sweep():
            pass
        assert await store.purgeable(expired=True) == 0
        assert await store.purgeable() == 1

    async def test_purges_are_small(self, store: Store) -> None:
        """At most so many at once."""
        for number in range(3):
            await put(store, number)
        for number in range(3):
            await store.create_conversation(TENANT, Conversation(key(number), 1, b""), [])
        assert [await store.purge(limit=4) for _ in range(3)] == [4, 2, 0]


class TestConversations:
    async def test_create_and_change(self, store: Store) -> None:
        """Its metadata are replaced."""
        made = Conversation(key(1), 1_700_000_000, b"{}")
        await store.create_conversation(TENANT, made, [])
        await store.create_conversation(TENANT, made, [])
        assert await store.conversation(TENANT, key(1)) == made
        assert await store.conversation(OTHER, key(1)) is None
        assert await store.set_metadata(TENANT, key(1), b'{"a":"b"}')
        assert not await store.set_metadata(OTHER, key(1), b"")
        assert await store.conversation(TENANT, key(1)) == made._replace(metadata=b'{"a":"b"}')

    async def test_delete(self, store: Store) -> None:
        """It and its items are gone; what is not there cannot be added to."""
        await store.create_conversation(TENANT, Conversation(key(1), 1, b""), [item("msg_1")])
        assert not await store.delete_conversation(OTHER, key(1))
        assert await store.delete_conversation(TENANT, key(1))
        assert not await store.delete_conversation(TENANT, key(1))
        assert await store.item(TENANT, key(1), "msg_1") is None
        assert not await store.delete_item(TENANT, key(1), "msg_1")
        await store.unlock(TENANT, key(1), 1)
        gone: list[Callable[[], Awaitable[Any]]] = [
            lambda: store.items(TENANT, key(1)),
            lambda: store.context(TENANT, key(1), LIMIT),
            lambda: store.add_items(TENANT, key(1), [item("msg_1")]),
            lambda: store.lock(TENANT, key(1), "p"),
            lambda: store.put(TENANT, record(1), Addition(key(1), 1, [])),
        ]
        for call in gone:
            with pytest.raises(ConversationGone):
                await call()

    async def test_pages(self, store: Store) -> None:
        """In both orders, from an item on."""
        await store.create_conversation(TENANT, Conversation(key(1), 1, b""), [item("m0"), item("m1")])
        await store.add_items(TENANT, key(1), [item("m2"), item("m3")])
        await store.add_items(TENANT, key(1), [])

        async def page(**asked: Any) -> list[str]:
            return [found.id for found in await store.items(TENANT, key(1), **asked)]

        assert await page() == ["m0", "m1", "m2", "m3"]
        assert await page(limit=2) == ["m0", "m1"]
        assert await page(after="m1") == ["m2", "m3"]
        assert await page(descending=True, limit=3) == ["m3", "m2", "m1"]
        assert await page(descending=True, after="m1") == ["m0"]
        assert await page(after="m3") == []
        with pytest.raises(NoSuchItem):
            await page(after="m9")
        assert await store.item(TENANT, key(1), "m2") == b"body of m2"
        assert await store.item(OTHER, key(1), "m2") is None

    async def test_items_are_deleted(self, store: Store) -> None:
        """Others keep their places."""
        await store.create_conversation(TENANT, Conversation(key(1), 1, b""), [item(f"m{i}") for i in range(3)])
        assert await store.delete_item(TENANT, key(1), "m1")
        assert not await store.delete_item(TENANT, key(1), "m1")
        await store.add_items(TENANT, key(1), [item("m1")])
        assert [found.id for found in await store.items(TENANT, key(1))] == ["m0", "m2", "m1"]

    async def test_items_come_once(self, store: Store) -> None:
        """An id that is there, or comes twice, is refused with all that came with it."""
        with pytest.raises(DuplicateItem):
            await store.create_conversation(TENANT, Conversation(key(1), 1, b""), [item("m0"), item("m0")])
        assert await store.conversation(TENANT, key(1)) is None
        await store.create_conversation(TENANT, Conversation(key(1), 1, b""), [item("m0")])
        for items in ([item("m1"), item("m0")], [item("m1"), item("m1")]):
            with pytest.raises(DuplicateItem) as caught:
                await store.add_items(TENANT, key(1), items)
            assert caught.value.item_id == items[1].id
        assert [found.id for found in await store.items(TENANT, key(1))] == ["m0"]

    async def test_context(self, store: Store) -> None:
        """From the newest compaction on, or up to a place."""
        await store.create_conversation(TENANT, Conversation(key(1), 1, b""), [item("m0"), item("m1")])

        async def context(**asked: Any) -> list[str]:
            return [found.id for found in await store.context(TENANT, key(1), LIMIT, **asked)]

        assert await context() == ["m0", "m1"]
        await store.add_items(TENANT, key(1), [item("c2", compacts=True), item("m3")])
        assert await context() == ["c2", "m3"]
        assert await context(until=2) == ["m0", "m1"]
        assert await context(until=0) == []
        with pytest.raises(HistoryTooLarge) as caught:
            await store.context(TENANT, key(1), 10)
        assert caught.value.size == 20
        await store.delete_item(TENANT, key(1), "c2")
        assert await context() == ["m0", "m1", "m3"]

    async def test_an_empty_conversation(self, store: Store) -> None:
        """It has no items, which is no error."""
        await store.create_conversation(TENANT, Conversation(key(1), 1, b""), [])
        assert await store.items(TENANT, key(1)) == await store.context(TENANT, key(1), LIMIT) == []


class TestLocks:
    async def test_one_run_at_a_time(self, store: Store) -> None:
        """Until it is unlocked; each lock has a fence of its own."""
        await store.create_conversation(TENANT, Conversation(key(1), 1, b""), [])
        await store.renew("one", 30)
        fence = await store.lock(TENANT, key(1), "one")
        for process in ("one", "two"):
            with pytest.raises(ConversationLocked):
                await store.lock(TENANT, key(1), process)
        await store.unlock(TENANT, key(1), fence + 1)
        with pytest.raises(ConversationLocked):
            await store.lock(TENANT, key(1), "two")
        await store.unlock(TENANT, key(1), fence)
        assert await store.lock(TENANT, key(1), "two") > fence

    async def test_locks_end_with_their_process(self, store: Store, clock: Any) -> None:
        """When its lease has run out, or was never there; it may be renewed and ended."""
        await store.create_conversation(TENANT, Conversation(key(1), 1, b""), [])
        await store.renew("one", 30)
        await store.lock(TENANT, key(1), "one")
        clock.now += 20
        await store.renew("one", 30)
        clock.now += 20
        with pytest.raises(ConversationLocked):
            await store.lock(TENANT, key(1), "two")
        clock.now += 20
        await store.sweep()
        await store.lock(TENANT, key(1), "two")
        await store.renew("three", 30)
        await store.lock(TENANT, key(1), "three")
        await store.renew("three", 0)
        await store.lock(TENANT, key(1), "one")

    async def test_a_response_adds_to_its_conversation(self, store: Store) -> None:
        """And releases the lock, all in one."""
        await store.create_conversation(TENANT, Conversation(key(1), 1, b""), [item("m0")])
        await store.renew("p", 30)
        fence = await store.lock(TENANT, key(1), "p")
        addition = Addition(key(1), fence, [item("m1"), item("m2", compacts=True)])
        for _ in range(2):
            await store.put(TENANT, record(2), addition)
        assert [found.id for found in await store.items(TENANT, key(1))] == ["m0", "m1", "m2"]
        assert [found.id for found in await store.context(TENANT, key(1), LIMIT)] == ["m2"]
        (found,) = await store.read(TENANT, [key(2)])
        assert (found.conversation, found.position) == (key(1), 1)
        fence = await store.lock(TENANT, key(1), "p")
        await store.put(TENANT, record(3), Addition(key(1), fence, []))
        await store.lock(TENANT, key(1), "p")

    async def test_nothing_is_kept_of_a_response_that_cannot_add(self, store: Store) -> None:
        """Its lock was lost, or an item is there already."""
        await store.create_conversation(TENANT, Conversation(key(1), 1, b""), [item("m0")])
        old = await store.lock(TENANT, key(1), "p")
        fence = await store.lock(TENANT, key(1), "p")
        with pytest.raises(LockLost):
            await store.put(TENANT, record(2), Addition(key(1), old, [item("m1")]))
        with pytest.raises(DuplicateItem):
            await store.put(TENANT, record(2), Addition(key(1), fence, [item("m1"), item("m0")]))
        await store.unlock(TENANT, key(1), fence)
        with pytest.raises(LockLost):
            await store.put(TENANT, record(2), Addition(key(1), fence, [item("m1")]))
        assert await store.read(TENANT, [key(2)]) == []
        assert [found.id for found in await store.items(TENANT, key(1))] == ["m0"]

    async def test_locks_at_once(self, store: Store) -> None:
        """One gets it."""
        await store.create_conversation(TENANT, Conversation(key(1), 1, b""), [])
        await store.renew("p", 30)
        won: list[int] = []

        async def try_it() -> None:
            try:
                won.append(await store.lock(TENANT, key(1), "p"))
            except ConversationLocked:
                pass

        async with anyio.create_task_group() as group:
            for _ in range(8):
                group.start_soon(try_it)
        assert len(won) == 1

    async def test_additions_at_once(self, store: Store) -> None:
        """Each item gets a place of its own."""
        await store.create_conversation(TENANT, Conversation(key(1), 1, b""), [])
        async with anyio.create_task_group() as group:
            for number in range(10):
                group.start_soon(store.add_items, TENANT, key(1), [item(f"m{number}"), item(f"n{number}")])
        found = [each.id for each in await store.items(TENANT, key(1))]
        assert len(found) == 20
        assert all(found[found.index(f"m{number}") + 1] == f"n{number}" for number in range(10))


class TestCompletions:
    async def test_what_is_put_is_read(self, store: Store) -> None:
        """By its tenant; once."""
        made = completion(1, metadata={"a": "b", 'odd "name"': "\n\u00e9%_"})
        for _ in range(2):
            await store.put_completion(TENANT, made)
        await store.put_completion(TENANT, made._replace(body=b"other"))
        assert await store.completion(TENANT, "chatcmpl-1") == made
        assert await store.completion(OTHER, "chatcmpl-1") is None
        assert await store.completions(OTHER, Filter()) == []

    async def test_pages(self, store: Store) -> None:
        """In both orders, from a completion on."""
        for number in (3, 1, 2, 4):
            await store.put_completion(TENANT, completion(number))
        await store.put_completion(TENANT, completion(0, created=2))

        async def page(**asked: Any) -> list[int]:
            return [int(found.id[9:]) for found in await store.completions(TENANT, Filter(**asked))]

        assert await page() == [1, 0, 2, 3, 4]
        assert await page(descending=True) == [4, 3, 2, 0, 1]
        assert await page(limit=2) == [1, 0]
        assert await page(limit=2, after="chatcmpl-0") == [2, 3]
        assert await page(limit=2, after="chatcmpl-0", descending=True) == [1]
        assert await page(after="chatcmpl-4") == []
        with pytest.raises(NoSuchItem):
            await page(after="chatcmpl-9")

    async def test_filters(self, store: Store) -> None:
        """By model, and by names and values of the metadata, exactly and all of them."""
        for number in range(250):
            label = {"a": "b" if number % 100 == 7 else "B", "n": str(number)}
            await store.put_completion(TENANT, completion(number, model=f"m{number % 2}", metadata=label))

        async def page(**asked: Any) -> list[str]:
            return [found.metadata["n"] for found in await store.completions(TENANT, Filter(**asked))]

        assert await page(metadata={"a": "b"}) == ["7", "107", "207"]
        assert await page(metadata={"a": "b"}, limit=1, after="chatcmpl-7") == ["107"]
        assert await page(metadata={"a": "b", "n": "107"}, model="m1") == ["107"]
        assert await page(metadata={"a": "b"}, model="m0") == []
        assert (
            await page(metadata={"a": ""}) == await page(metadata={"a": "%"}) == await page(metadata={"c": "b"}) == []
        )
        assert await page(model="m0", limit=3, descending=True) == ["248", "246", "244"]

    async def test_change_and_delete(self, store: Store) -> None:
        """What is not there, or another tenant's, cannot be."""
        await store.put_completion(TENANT, completion(1, metadata={"a": "b"}))
        assert await store.label_completion(TENANT, "chatcmpl-1", {"c": "d"})
        assert not await store.label_completion(OTHER, "chatcmpl-1", {})
        assert await store.completion(TENANT, "chatcmpl-1") == completion(1, metadata={"c": "d"})
        assert not await store.delete_completion(OTHER, "chatcmpl-1")
        assert await store.delete_completion(TENANT, "chatcmpl-1")
        assert not await store.delete_completion(TENANT, "chatcmpl-1")
        assert await store.completions(TENANT, Filter()) == []

    async def test_they_expire(self, store: Store, clock: Any) -> None:
        """As chains do; purges take them, too."""
        await store.put_completion(TENANT, completion(1))
        clock.now += KEEP - 1
        await store.put_completion(TENANT, completion(2))
        await store.put_completion(OTHER, completion(3))
        clock.now += 2
        assert await store.completion(TENANT, "chatcmpl-1") is None
        assert not await store.label_completion(TENANT, "chatcmpl-1", {})
        assert not await store.delete_completion(TENANT, "chatcmpl-1")
        assert [found.id for found in await store.completions(TENANT, Filter())] == ["chatcmpl-2"]
        assert await store.sweep() in (0, 1)
        assert await store.sweep() == 0
        assert [counts[-2:] for counts in await store.counts()] == [(1, 4), (1, 4)]
        assert await store.purge(TENANT, before=2) == 0
        assert await store.purge(TENANT, before=3) == 1
        assert await store.purge() == 1


def completion(number: int, **more: Any) -> Completion:
    about = {"created": number, "model": "m", "metadata": {}, "body": b"body", **more}
    return Completion(f"chatcmpl-{number}", **about)


class TestHousekeeping:
    async def test_secrets(self, store: Store) -> None:
        """The first one proposed is everybody's."""
        assert await store.secret("seal", b"\x00\xffone") == b"\x00\xffone"
        assert await store.secret("seal", b"two") == b"\x00\xffone"
        assert await store.secret("tenant", b"two") == b"two"

    async def test_keys_of_conversations(self, store: Store) -> None:
        """Of one tenant, in their order, in portions."""
        for number in (3, 1, 2):
            await store.create_conversation(TENANT, Conversation(key(number), 1, b""), [])
        await store.create_conversation(OTHER, Conversation(key(4), 1, b""), [])
        assert await store.conversation_keys(TENANT) == [key(1), key(2), key(3)]
        assert await store.conversation_keys(TENANT, limit=2) == [key(1), key(2)]
        assert await store.conversation_keys(TENANT, key(2)) == [key(3)]
        assert await store.conversation_keys("c") == []

    async def test_activity(self, store: Store, clock: Any) -> None:
        """Processes with a lease, and the locks of conversations that they have."""
        assert await store.activity() == (0, 0)
        for number, process in enumerate(("one", "two")):
            await store.create_conversation(TENANT, Conversation(key(number), 1, b""), [])
            await store.renew(process, 10 * (number + 1))
        assert await store.activity() == (2, 0)
        for number, process in enumerate(("one", "two")):
            await store.lock(TENANT, key(number), process)
        assert await store.activity() == (2, 2)
        clock.now += 11
        assert await store.activity() == (1, 1)
        await store.unlock(TENANT, key(1), 1)
        assert await store.activity() == (1, 0)

    async def test_counts_and_export(self, store: Store) -> None:
        """By tenant; what was deleted is in neither."""
        await put(store, 0)
        await put(store, 1, 0)
        await put(store, 2, 0, settings=b"more")
        await put(store, 3, tenant=OTHER)
        await store.delete(TENANT, key(0))
        await store.delete(OTHER, key(3))
        await store.create_conversation("c", Conversation(key(1), 1, b""), [item("m0"), item("m1")])
        await store.create_conversation(TENANT, Conversation(key(1), 1, b""), [])
        counts = {each.tenant: each[1:] for each in await store.counts() if any(each[1:])}
        assert counts == {TENANT: (2, 12, 1_700_000_001, 1, 0, 0, 0, 0), "c": (0, 0, 0, 1, 2, 20, 0, 0)}
        await put(store, 4, tenant=OTHER)
        everything = {(tenant, stored.key): stored.settings for tenant, stored in await exported(store)}
        assert everything == {(TENANT, key(1)): b"settings", (TENANT, key(2)): b"more", (OTHER, key(4)): b"settings"}
        assert [tenant for tenant, _ in await exported(store, OTHER)] == [OTHER]

    async def test_opening_again(self, store: Store, url: str, clock: Any) -> None:
        """What is there stays there, and the description names no secret."""
        await put(store, 0)
        again = open_store(url, clock=clock)
        opened = await again.open()
        assert opened.name
        assert opened.durability
        assert opened.warnings == ()
        assert len(await again.read(TENANT, [key(0)])) == (0 if url == "memory" else 1)
        await again.close()


class TestHistories:
    async def test_a_chain_is_what_was_said(self, store: Store) -> None:
        """Through a store and back, a chain gives the upstream the request that says it all."""
        whole: list[Any] = []
        previous: str | None = None
        for number in range(12):
            new_id = ids.ItemIds(key(number))
            call = {
                "type": "function_call",
                "id": new_id("fc"),
                "call_id": f"c{number}",
                "name": "f",
                "arguments": "{}",
            }
            answers = [{"type": "function_call_output", "call_id": f"c{number - 1}", "output": "x"}] if number else []
            sent = [*answers, {"role": "user", "content": f"Turn {number}"}]
            chain = await store.chain(TENANT, ids.key_of(previous), LIMIT) if previous else []
            past = [records.decode_past(f"resp_{stored.key}", stored.body or b"") for stored in chain]
            before = histories.of_chain(past)
            made = histories.expand({"model": "m", "input": sent}, new_id, inherited=before)
            whole += sent
            assert ServeResponses({"model": "m", "input": [*whole, *pending(call)]}).chat == (
                ServeResponses({**made.body, "input": [*made.body["input"], *pending(call)]}).chat
            )
            previous = new_id("resp")
            answer = {"id": previous, "status": "completed", "output": [call], "instructions": "Be brief."}
            written = records.encode(records.Record(answer, made.own))
            parent = chain[-1].place if chain else None
            kept = NewRecord(key(number), 1, *written[:1], written.size, *written[1:3], written.compacts, parent)
            await store.put(TENANT, kept)
            (found,) = await store.read(TENANT, [key(number)])
            assert records.decode(previous, found.body or b"", found.settings).answer == answer
            whole.append(call)


def pending(call: dict[str, Any]) -> list[dict[str, Any]]:
    """A call and its output, so that a request ends well."""
    return [call, {"type": "function_call_output", "call_id": call["call_id"], "output": "y"}]
