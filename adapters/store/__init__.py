"""Where responses and conversations are kept: the interface, and stores of several kinds.

``open_store(url)`` returns a store; `protocol` says what one is, for those who write their own.
"""

from .opening import open_store
from .protocol import (
    Activity,
    Addition,
    ChainGone,
    Completion,
    Conversation,
    ConversationGone,
    ConversationLocked,
    Counts,
    DuplicateItem,
    Filter,
    HistoryTooLarge,
    LockLost,
    NewItem,
    NewRecord,
    NoSuchItem,
    Opened,
    Place,
    Store,
    Stored,
    StoredItem,
    StoreError,
    StoreRefused,
    StoreUnavailable,
)

__all__ = [
    "Activity",
    "Addition",
    "ChainGone",
    "Completion",
    "Conversation",
    "ConversationGone",
    "ConversationLocked",
    "Counts",
    "DuplicateItem",
    "Filter",
    "HistoryTooLarge",
    "LockLost",
    "NewItem",
    "NewRecord",
    "NoSuchItem",
    "Opened",
    "Place",
    "Store",
    "StoreError",
    "StoreRefused",
    "StoreUnavailable",
    "Stored",
    "StoredItem",
    "open_store",
]
