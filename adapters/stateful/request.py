"""A request to an endpoint of stored state, as that sees it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

from ..store import Store


class StatefulRequest(NamedTuple):
    """What was asked, and of whose records."""

    store: Store
    tenant: str
    ids: tuple[str, ...]
    """Those in the path, as they came."""
    query: list[tuple[str, str]]
    body: dict[str, Any]
    """Empty if the request had none."""
    max_history: int
    """How many bytes of a history may be loaded."""
    clock: Callable[[], float]


Endpoint = Callable[[StatefulRequest], Awaitable[dict[str, Any]]]
"""Returns the answer. Raises RequestError, DamagedRecord, StoreUnavailable and HistoryTooLarge."""
