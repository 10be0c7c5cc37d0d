"""A chat request whose completion is kept here: the upstream stores Responses, which no chat client could list."""

from __future__ import annotations

from functools import partial
from typing import Any

from ...translator import Exchange, Seals, decode_json, state
from ..limits import Limits
from ..store import Completion, Store
from .turn import Turn, put_in_time


class ChatTurn(Turn):
    """One chat request with `store: true`."""

    keeps: bool = True

    def __init__(self, store: Store, tenant: str, seals: Seals, limits: Limits, body: dict[str, Any]) -> None:
        super().__init__(seals)
        self._store = store
        self._tenant = tenant
        self._limits = limits
        self._metadata = state.conversations.metadata(body)
        self._messages = b"[]"

    @property
    def options(self) -> dict[str, Any]:
        """What the exchange is made with."""
        return {"seals": self.seals, "keeps": True}

    def translated(self, exchange: Exchange) -> None:
        """Take the messages of the request; raises RequestError if they are too large to be kept."""
        state.records.check(exchange.kept, exchange.to_keep, self._limits.max_record, "messages")
        self._messages = exchange.kept
        exchange.to_keep, exchange.kept = None, b""

    async def keep(self, answer: dict[str, Any]) -> bool:
        """Store a completion that came to its end; return whether it is stored."""
        if any(choice.get("finish_reason") is None for choice in answer.get("choices", ())):
            return False
        shown = {name: value for name, value in answer.items() if name != "metadata"}
        body = state.completions.encode(state.completions.StoredCompletion(shown, decode_json(self._messages)))
        completion = Completion(answer["id"], answer["created"], answer["model"], self._metadata, body)
        return await put_in_time(answer["id"], partial(self._store.put_completion, self._tenant, completion))
