"""All that a store raises."""

from __future__ import annotations


class StoreError(Exception):
    """Base of everything that a store raises."""


class StoreUnavailable(StoreError):
    """The store cannot be reached, or failed."""


class StoreRefused(StoreError):
    """The store cannot be used as it is: the message says why, and what to do."""


class DamagedEntry(StoreError):
    """What is kept under an id cannot be read; the message names it."""

    def __init__(self, ident: str) -> None:
        super().__init__(f"'{ident}' is stored, but cannot be read.")


class ChainGone(StoreError):
    """The chain that a response was to continue has been purged meanwhile."""


class LockLost(StoreError):
    """A run on a conversation took so long that its lock was given to another."""


class ConversationGone(StoreError):
    """The conversation is not there."""


class ConversationLocked(StoreError):
    """Another run has the conversation."""


class NoSuchItem(StoreError):
    """The item that a page was to follow is not in the conversation."""


class DuplicateItem(StoreError):
    """The conversation has an item of this id already."""

    def __init__(self, item_id: str) -> None:
        super().__init__(item_id)
        self.item_id: str = item_id


class HistoryTooLarge(StoreError):
    """A history has more bytes than may be loaded."""

    def __init__(self, size: int) -> None:
        super().__init__(size)
        self.size: int = size
