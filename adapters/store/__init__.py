"""Where responses and conversations are kept: the interface, and stores of several kinds.

``open_store(url)`` returns a store; `protocol` says what one is, for those who write their own.
"""

from .errors import (
    ChainGone,
    ConversationGone,
    ConversationLocked,
    DamagedEntry,
    DuplicateItem,
    HistoryTooLarge,
    LockLost,
    NoSuchItem,
    StoreError,
    StoreRefused,
    StoreUnavailable,
)
from .opening import open_store
from .protocol import Store
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
    Place,
    Stored,
    StoredItem,
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
    "DamagedEntry",
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
