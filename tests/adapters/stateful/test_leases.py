"""Locks of conversations are free again, whatever happens to their process or to the store."""

from __future__ import annotations

from typing import Any

import anyio
import pytest
from scripted_model import Double

from diglot.adapters.stateful import leases
from diglot.adapters.stateful.leases import ConversationLock, Leases
from diglot.adapters.store import Conversation, ConversationGone, ConversationLocked, StoreUnavailable, open_store

pytestmark = pytest.mark.anyio

KEY = "c" * 32


class Clock:
    now = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def store(clock: Clock) -> Any:
    made = open_store("memory", clock=clock)
    await made.open()
    await made.create_conversation("me", Conversation(KEY, 1, b"{}"), [])
    return made


async def test_one_at_a_time(store: Any) -> None:
    """A second run is refused until the first one has ended."""
    names = Leases(store)
    first, second = (ConversationLock(store, names, "me", KEY) for _ in range(2))
    await first.acquire()
    with pytest.raises(ConversationLocked):
        await second.acquire()
    await first.release()
    await second.acquire()
    assert second.fence > first.fence
    await second.release()
    await second.release()


async def test_two_locks_of_one_name(store: Any, clock: Clock) -> None:
    """The name of an unknown lock is given up once; another lock of that name is renewed as long as it is held."""
    await store.create_conversation("me", Conversation("e" * 32, 1, b"{}"), [])
    names = Leases(store)
    held, other = (ConversationLock(store, names, "me", key) for key in (KEY, "e" * 32))
    await held.acquire()
    await other.acquire()
    await other.release()
    with pytest.raises(ConversationLocked):
        await ConversationLock(store, names, "me", KEY).acquire()
    await held.release()


async def test_a_conversation_that_is_gone(store: Any) -> None:
    """Its lock is nobody's."""
    with pytest.raises(ConversationGone):
        await ConversationLock(store, Leases(store), "me", "d" * 32).acquire()


async def test_a_process_that_dies(store: Any, clock: Clock) -> None:
    """Its locks end with its lease, and so they do when it ends."""
    dead, alive = Leases(store), Leases(store)
    await ConversationLock(store, dead, "me", KEY).acquire()
    clock.now += leases.LEASE + 1
    lock = ConversationLock(store, alive, "me", KEY)
    await lock.acquire()
    await alive.end()
    await ConversationLock(store, dead, "me", KEY).acquire()


async def test_what_is_held_is_renewed(store: Any, clock: Clock) -> None:
    """Also under a name that gets no new locks."""
    names = Leases(store)
    held = ConversationLock(store, names, "me", KEY)
    await held.acquire()
    names.give_up(await names.take())
    for _ in range(3):
        clock.now += leases.LEASE - 1
        await names.renew()
    with pytest.raises(ConversationLocked):
        await ConversationLock(store, names, "me", KEY).acquire()


@pytest.mark.parametrize("hangs", [False, True])
async def test_a_lock_that_was_not_confirmed(
    store: Any, clock: Clock, monkeypatch: pytest.MonkeyPatch, hangs: bool
) -> None:
    """The store may have taken it: it is free when its lease ends, although the process lives on."""
    monkeypatch.setattr(leases, "PATIENCE", 0.05)

    async def taken(store: Any, *arguments: Any) -> None:
        await store.lock(*arguments)
        if hangs:
            await anyio.sleep(10)
        raise StoreUnavailable("gone")

    names = Leases(store)
    with pytest.raises(StoreUnavailable):
        await ConversationLock(Double(store, lock=taken), names, "me", KEY).acquire()
    clock.now += leases.LEASE - 1
    await names.renew()
    clock.now += 2
    await ConversationLock(store, names, "me", KEY).acquire()


async def test_a_lock_that_cannot_be_released(store: Any, clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    """It is free when its lease ends."""

    async def away(store: Any, *arguments: Any) -> None:
        raise StoreUnavailable("gone")

    names = Leases(store)
    lock = ConversationLock(Double(store, unlock=away), names, "me", KEY)
    await lock.acquire()
    await lock.release()
    assert "not unlocked, but will be soon: gone" in caplog.text
    clock.now += leases.LEASE + 1
    await names.renew()
    await ConversationLock(store, names, "me", KEY).acquire()


async def test_a_lock_that_the_store_released(store: Any) -> None:
    """Together with what was stored: it is not released again."""
    names = Leases(store)
    lock = ConversationLock(store, names, "me", KEY)
    await lock.acquire()
    await store.unlock("me", KEY, lock.fence)
    lock.was_released()
    other = ConversationLock(store, names, "me", KEY)
    await other.acquire()
    await lock.release()
    with pytest.raises(ConversationLocked):
        await ConversationLock(store, names, "me", KEY).acquire()


async def test_a_name_is_given_up_once(store: Any) -> None:
    """A second unknown lock of the same name changes nothing for those that have the new one."""
    names = Leases(store)
    old = [await names.take(), await names.take()]
    names.give_up(old[0])
    new = await names.take()
    names.give_up(old[1])
    assert new not in old
    assert await names.take() == new
