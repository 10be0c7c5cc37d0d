"""A Responses request and its answer: what it continues is loaded, and what a client is told is stored is stored."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Sequence
from functools import partial
from typing import Any

from ...translator import Exchange, Seals, decode_json, state
from ..limits import Limits
from ..store import (
    Addition,
    ConversationGone,
    ConversationLocked,
    HistoryTooLarge,
    NewItem,
    NewRecord,
    Store,
    Stored,
    StoredItem,
)
from .failures import in_time
from .leases import ConversationLock, Leases
from .past import history_of, said_before, said_in, size_of
from .references import referenced_items
from .request import LARGE, off_the_loop
from .turn import Turn, put_in_time

_log = logging.getLogger("diglot")
_SUCCESSES = ("completed", "incomplete")

Item = dict[str, Any]


class ResponsesTurn(Turn):
    """One request that *needs* something of the *store*, or *stores* its answer there.

    *leases* are those of this process, for the lock of a conversation.
    """

    def __init__(
        self,
        store: Store,
        tenant: str,
        seals: Seals,
        limits: Limits,
        needs: state.needs.Needs,
        *,
        leases: Leases,
        stores: bool,
    ) -> None:
        super().__init__(seals)
        self.keeps: bool = stores
        self.is_large: bool = False
        self._store, self._tenant, self._limits, self._leases = store, tenant, limits, leases
        self._needs = needs
        self.last: Stored | None = None
        """The response that it continues."""
        self._continuation: state.Continuation | None = None
        self._key = secrets.token_hex(16)
        self._lock: ConversationLock | None = None
        self._own = b"[]"
        self._own_compacts = False

    # Before

    async def load(self) -> None:
        """Fetch what the request continues; raises RequestError, DamagedRecord and StoreUnavailable."""
        needs = self._needs
        try:
            inherited = await self._inherited(needs)
            with in_time():
                limit = self._limits.max_history
                referenced = await referenced_items(self._store, self._tenant, needs.references, limit)
        except HistoryTooLarge as error:
            raise state.refusals.history_too_large(error.size, self._limits.max_history) from None
        self._continuation = state.Continuation(
            self._key, inherited, referenced, needs.previous, needs.conversation, self.keeps
        )

    async def _inherited(self, needs: state.needs.Needs) -> Sequence[Item]:
        if needs.previous is not None:
            return await self._chain(needs.previous)
        return () if needs.conversation is None else await self._log(needs.conversation)

    async def _chain(self, previous: str) -> Sequence[Item]:
        """The items of a chain: all of it, or an error."""
        key = state.ids.key_of(previous)
        chain: Sequence[Stored] = []
        if previous == f"resp_{key}":
            with in_time():
                chain = await self._store.chain(self._tenant, key, self._limits.max_history)
        if not chain:
            raise state.refusals.no_previous(previous)
        gone = next((stored.key for stored in chain if stored.body is None), None)
        if gone is not None:
            raise state.refusals.no_previous(f"resp_{gone}")
        try:
            with in_time():
                said = await said_before(self._store, self._tenant, chain[0], self._limits.max_history)
        except ConversationGone:
            raise state.refusals.no_previous(previous) from None
        self.last = chain[-1]
        return await self._decoded(chain, said)

    async def _log(self, conversation: str) -> Sequence[Item]:
        """The items of a conversation, which nobody else may continue until this request is over."""
        key = state.ids.key_of(conversation)
        try:
            if conversation != f"conv_{key}":
                raise ConversationGone
            if self.keeps:
                self._lock = ConversationLock(self._store, self._leases, self._tenant, key)
                await self._lock.acquire()
            with in_time():
                items = await said_in(self._store, self._tenant, key, self._limits.max_history)
        except ConversationGone:
            raise state.refusals.no_conversation(conversation, "conversation") from None
        except ConversationLocked:
            raise state.refusals.conversation_locked() from None
        return await self._decoded([], items)

    async def _decoded(self, chain: Sequence[Stored], items: Sequence[StoredItem]) -> Sequence[Item]:
        size = size_of(chain, items)
        self.is_large = size > LARGE
        return await off_the_loop(size, partial(history_of, chain, items))

    # The request

    def usage_before(self) -> dict[str, Any] | None:
        """What the response that it continues has used, if that is known."""
        last = self.last
        return None if last is None else state.records.decode_usage(f"resp_{last.key}", last.body or b"")

    @property
    def options(self) -> dict[str, Any]:
        """What the exchange is made with."""
        return {"seals": self.seals, "continuation": self._continuation}

    def translated(self, exchange: Exchange) -> None:
        """Take the resolved input of the request; raises RequestError if it is too large to be kept."""
        state.records.check(exchange.kept, exchange.to_keep, self._limits.max_record, "input")
        self._own = exchange.kept
        self._own_compacts = any(map(state.records.is_compaction, exchange.to_keep or ()))
        exchange.to_keep, exchange.kept = None, b""

    # After

    async def keep(self, answer: dict[str, Any]) -> bool:
        """Store an answer before the client gets its end; return whether it is stored: if not, the log says why."""
        encode = partial(state.records.encode_answer, answer, self._own, compacts=self._own_compacts)
        encoded = await off_the_loop(len(self._own), encode)
        if encoded.size > self._limits.max_record:
            _log.error("%s was not stored: it has %d bytes (limit max_record)", answer["id"], encoded.size)
            return False
        record = NewRecord(
            self._key,
            answer["created_at"],
            encoded.body,
            encoded.size,
            encoded.settings,
            encoded.settings_hash,
            encoded.compacts,
            None if self.last is None else self.last.place,
        )
        addition = self._addition(answer)
        is_stored = await put_in_time(answer["id"], partial(self._store.put, self._tenant, record, addition))
        if is_stored and addition is not None and self._lock is not None:
            self._lock.was_released()
        return is_stored

    def _addition(self, answer: dict[str, Any]) -> Addition | None:
        """What the conversation gets: of a failure nothing, which then has its place behind what was said before."""
        if self._lock is None:
            return None
        items = [*decode_json(self._own), *answer["output"]] if answer["status"] in _SUCCESSES else []
        return Addition(self._lock.conversation, self._lock.fence, [_new_item(item) for item in items])

    async def release(self) -> None:
        """Let others continue the conversation."""
        if self._lock is not None:
            await self._lock.release()


def _new_item(item: Item) -> NewItem:
    return NewItem(item["id"], state.records.encode_item(item), state.records.is_compaction(item))
