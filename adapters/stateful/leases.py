"""The names under which a process holds locks of conversations, each with a lease in the store."""

from __future__ import annotations

import logging
import secrets
from collections import Counter

import anyio

from ..store import ConversationGone, ConversationLocked, Store, StoreError, StoreUnavailable
from .failures import PATIENCE

_log = logging.getLogger("diglot")
LEASE = 30.0
"""Seconds after which the locks of a process that died are free again."""


class Leases:
    """A name for new locks, and those of locks that are still held: all of them are renewed.

    If a store does not answer, nobody knows whether it has taken or released a lock. The name of that lock is given up
    then: with the end of its lease, the lock is free.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._name = secrets.token_hex(16)
        self._uses: Counter[str] = Counter()
        self._has_lease = False

    async def take(self) -> str:
        """Return the name for a lock, which has a lease; raises StoreUnavailable."""
        if not self._has_lease:
            await self.renew()
        self._uses[self._name] += 1
        return self._name

    def give_back(self, name: str) -> None:
        """A lock of this name is free again."""
        self._uses[name] -= 1
        if not self._uses[name]:
            del self._uses[name]

    def give_up(self, name: str) -> None:
        """Nobody knows whether a lock of this name is free."""
        self.give_back(name)
        if name == self._name:
            self._name, self._has_lease = secrets.token_hex(16), False

    async def renew(self) -> None:
        """Renew all leases; raises StoreUnavailable."""
        name = self._name
        for each in {name, *self._uses}:
            await self._store.renew(each, LEASE)
        self._has_lease = self._has_lease or name == self._name

    async def end(self) -> None:
        """End all leases; raises StoreUnavailable."""
        for each in {self._name, *self._uses}:
            await self._store.renew(each, 0)


class ConversationLock:
    """The lock of one run on a conversation."""

    def __init__(self, store: Store, leases: Leases, tenant: str, conversation: str) -> None:
        self.conversation: str = conversation
        self.fence: int = 0
        self._store = store
        self._leases = leases
        self._tenant = tenant
        self._name = ""

    async def acquire(self) -> None:
        """Take the lock; raises ConversationGone, ConversationLocked and StoreUnavailable."""
        name = await self._leases.take()
        try:
            with anyio.fail_after(PATIENCE, shield=True):  # if the request is cancelled, it is known and released
                self.fence = await self._store.lock(self._tenant, self.conversation, name)
        except (ConversationGone, ConversationLocked):
            self._leases.give_back(name)
            raise
        except TimeoutError:
            self._leases.give_up(name)
            raise StoreUnavailable("it does not answer") from None
        except BaseException:
            self._leases.give_up(name)
            raise
        self._name = name

    def was_released(self) -> None:
        """The store has released it together with something else."""
        name, self._name = self._name, ""
        self._leases.give_back(name)

    async def release(self) -> None:
        """Let others continue the conversation, if that has not happened."""
        name, self._name = self._name, ""
        if not name:
            return
        try:
            with anyio.CancelScope(shield=True), anyio.fail_after(PATIENCE):
                await self._store.unlock(self._tenant, self.conversation, self.fence)
        except (StoreError, TimeoutError) as error:
            self._leases.give_up(name)
            _log.warning("A conversation was not unlocked, but will be soon: %s", str(error) or "the store is too slow")
        else:
            self._leases.give_back(name)
