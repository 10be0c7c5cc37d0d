"""A request to an endpoint of stored state, as that sees it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple, TypeVar

import anyio

from ..store import Store

LARGE = 1 << 20
Made = TypeVar("Made")


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


async def off_the_loop(size: int, make: Callable[[], Made]) -> Made:
    """Return what *make* makes of so many bytes: in a thread if they are many, as others would wait for it."""
    return await anyio.to_thread.run_sync(make) if size > LARGE else make()
