"""What a store is: bytes and ids, no rules. Whoever has a database of another kind writes a class with these methods.

A *tenant* is a text of up to 64 characters without spaces; nothing of one tenant is ever seen by another. A *key* is
32 hex digits: those of `resp_<key>` and `conv_<key>`. What bodies hold, nobody here knows.

Responses form chains. The first child of a response goes into the same chain, one deeper; a second one starts a chain
of its own that names its *fork*, the place it branches from. So a chain is a range, read in one query however long it
is, and two children at once need no lock: the place in the chain can be had once. All of a chain expires together, so
long after its last turn (renewed at most once a day); what it was forked from stays as long, as a part of its history.

Every method is atomic: it has happened as a whole or not at all, also when the process dies in it, and what it wrote
is durable when it returns, as far as the store keeps anything. All may be called at the same time, from many processes.
Each raises StoreUnavailable if the store cannot be reached or does not answer (`errors.py` has all that is raised).
Such a call may have happened, and so may one that was cancelled; ``put`` may then be called again: the same twice does
no harm.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Protocol

from .values import (
    Activity,
    Addition,
    Completion,
    Conversation,
    Counts,
    Filter,
    NewItem,
    NewRecord,
    Opened,
    Stored,
    StoredItem,
)


class Store(Protocol):
    """Where responses and conversations are kept."""

    async def open(self) -> Opened:
        """Get ready: once, before anything else. Raises StoreRefused, or StoreUnavailable."""
        ...

    async def close(self) -> None:
        """Let go of all connections."""
        ...

    # responses

    async def put(self, tenant: str, record: NewRecord, addition: Addition | None = None) -> None:
        """Keep a response, and in the same moment add to its conversation and release the lock of that.

        It goes behind ``record.parent``, or into a chain of its own if another is there already. A key that is known
        already was written by an earlier try. Raises ChainGone; ConversationGone, LockLost and DuplicateItem, and then
        nothing is kept.
        """
        ...

    async def read(self, tenant: str, keys: Sequence[str]) -> list[Stored]:
        """Return those of the responses that are there, deleted and expired ones left out, in any order."""
        ...

    async def chain(self, tenant: str, key: str, limit: int) -> list[Stored]:
        """Return the history of a response and itself, oldest first, from ``place.base`` on; [] if it is not there.

        Deleted ones among them have no body. Settings are left out. Raises HistoryTooLarge above *limit* bytes.
        """
        ...

    async def delete(self, tenant: str, key: str) -> bool:
        """Take away what is kept of a response, at once; return whether it was there."""
        ...

    # conversations

    async def create_conversation(self, tenant: str, conversation: Conversation, items: Sequence[NewItem]) -> None:
        """Keep a new conversation. Raises DuplicateItem."""
        ...

    async def conversation(self, tenant: str, key: str) -> Conversation | None:
        """Return the conversation; None if it is not there."""
        ...

    async def conversation_keys(self, tenant: str, after: str = "", limit: int = 100) -> list[str]:
        """Return the keys of conversations in their order, those that follow *after*."""
        ...

    async def set_metadata(self, tenant: str, key: str, metadata: bytes) -> bool:
        """Replace the metadata; return whether the conversation is there."""
        ...

    async def delete_conversation(self, tenant: str, key: str) -> bool:
        """Take away a conversation and its items; return whether it was there. Responses of it stay."""
        ...

    async def add_items(self, tenant: str, key: str, items: Sequence[NewItem]) -> None:
        """Add items to a conversation. Raises ConversationGone and DuplicateItem, and then adds none."""
        ...

    async def items(
        self, tenant: str, key: str, *, after: str | None = None, limit: int = 100, descending: bool = False
    ) -> list[StoredItem]:
        """Return a page of the items of a conversation. Raises ConversationGone and NoSuchItem."""
        ...

    async def context(self, tenant: str, key: str, limit: int, until: int | None = None) -> list[StoredItem]:
        """Return the items that a run continues, in order: from the newest compaction on, before position *until*.

        Raises ConversationGone, and HistoryTooLarge above *limit* bytes.
        """
        ...

    async def item(self, tenant: str, key: str, item_id: str) -> bytes | None:
        """Return an item of a conversation; None if it is not there."""
        ...

    async def delete_item(self, tenant: str, key: str, item_id: str) -> bool:
        """Take away an item of a conversation; return whether it was there."""
        ...

    async def lock(self, tenant: str, key: str, process: str) -> int:
        """Take the lock of a conversation, and return its fence: a number that no lock of it had before.

        A lock whose *process* has no lease any more counts for nothing. Raises ConversationGone and
        ConversationLocked.
        """
        ...

    async def unlock(self, tenant: str, key: str, fence: int) -> None:
        """Release a lock, if it is still the one with this *fence*."""
        ...

    # chat completions

    async def put_completion(self, tenant: str, completion: Completion) -> None:
        """Keep a chat completion, as long as a chain without another turn. An id that is there stays as it is."""
        ...

    async def completion(self, tenant: str, completion_id: str) -> Completion | None:
        """Return a chat completion; None if it is not there."""
        ...

    async def completions(self, tenant: str, asked: Filter) -> list[Completion]:
        """Return a page of them. Raises NoSuchItem if the one that it is to follow is not there."""
        ...

    async def label_completion(self, tenant: str, completion_id: str, metadata: dict[str, str]) -> bool:
        """Replace the metadata of a chat completion; return whether it is there."""
        ...

    async def delete_completion(self, tenant: str, completion_id: str) -> bool:
        """Take away a chat completion; return whether it was there."""
        ...

    # housekeeping

    async def renew(self, process: str, seconds: float) -> None:
        """Give a process a lease of so many *seconds* from now; 0 ends it."""
        ...

    async def sweep(self, limit: int = 100) -> int:
        """Delete some chains and chat completions that have expired, and all leases that have ended; return how many
        of the former: 0 when all is done.

        Several processes may sweep at once.
        """
        ...

    async def purge(self, tenant: str | None = None, before: int | None = None, limit: int = 100) -> int:
        """Delete some chains, conversations and chat completions, of a tenant or of all, older than *before* (the last
        turn of a chain, the creation of others) or all of them; return how many: 0 when all is done.

        If all of them are to go, no response can be read or continued meanwhile, although some are still there.
        """
        ...

    async def purgeable(self, tenant: str | None = None, before: int | None = None, *, expired: bool = False) -> int:
        """Return how many ``purge`` would delete, or, of what has *expired*, ``sweep``.

        It may be fewer: what others that stay were forked from is counted, too.
        """
        ...

    async def secret(self, name: str, proposed: bytes) -> bytes:
        """Return the secret of a name, the same for all processes: the one *proposed*, if there was none yet."""
        ...

    async def counts(self) -> list[Counts]:
        """Return what there is, by tenant."""
        ...

    async def activity(self) -> Activity:
        """Return how many processes and runs there are."""
        ...

    def export(self, tenant: str | None = None) -> AsyncIterator[tuple[str, Stored]]:
        """Return all responses with their settings, each with its tenant, deleted ones left out."""
        ...
