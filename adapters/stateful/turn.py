"""One request and its answer, as far as there is something before or after them."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import Any

from ...translator import Exchange, Seals
from ..store import StoreError, StoreUnavailable
from .failures import in_time

_log = logging.getLogger("diglot")


class Turn:
    """A request that continues nothing and of which nothing is stored: only its reasoning is sealed.

    `load` comes before it is translated with ``options``, `translated` after that, `keep`, if it ``keeps``, before the
    end of its answer, and `release` in any case.
    """

    keeps: bool = False
    is_large: bool = False
    """Whether its history is so large that work on it belongs in a thread."""

    def __init__(self, seals: Seals) -> None:
        self.seals: Seals = seals

    def usage_before(self) -> dict[str, Any] | None:
        """What the response that it continues has used, if that is known."""
        return None

    @property
    def options(self) -> dict[str, Any]:
        """What the exchange is made with."""
        return {"seals": self.seals}

    async def load(self) -> None:
        """Fetch what the request continues; raises RequestError, DamagedRecord and StoreUnavailable."""

    def translated(self, exchange: Exchange) -> None:
        """Take from the exchange what is kept of the request; raises RequestError if it is too much."""

    async def keep(self, answer: dict[str, Any]) -> bool:
        """Store an answer before the client gets its end; return whether it is stored: if not, the log says why."""
        return False

    async def release(self) -> None:
        """Let go of what was locked."""


async def put_in_time(name: str, put: Callable[[], Awaitable[None]]) -> bool:
    """Store something, with a second try, but not for long; return whether it is stored."""
    try:
        with in_time():
            try:
                await put()
            except StoreUnavailable:
                await put()
    except StoreError as error:
        why = error if isinstance(error, StoreUnavailable) else type(error).__name__  # others say whom they are about
        _log.error("%s was not stored: %s", name, why)
        return False
    return True
