"""Where a request stands among others: what comes before it, and what is kept of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

from . import history, ids
from .records import Item


class Continuation(NamedTuple):
    """What was fetched for a Responses request, and what its answer says about where it is kept."""

    key: str
    """32 hex digits: those of the answer's id and of the ids of its items."""
    inherited: Sequence[Item] = ()
    """What comes before its input: see `history.of_chain` and `history.of_conversation`."""
    referenced: Mapping[str, Item] = MappingProxyType({})
    """Items that its input refers to, by id."""
    previous: str | None = None
    """The id of the response that it continues."""
    conversation: str | None = None
    """The id of the conversation that it belongs to."""
    is_stored: bool = True
    """Whether the answer will be stored."""

    def item_ids(self) -> ids.ItemIds:
        """Return what makes the ids of the answer and its items: for every try the same ones."""
        return ids.ItemIds(self.key)

    def expand(self, body: dict[str, Any], new_id: ids.ItemIds) -> history.Expanded:
        """Return *body* with its history, without `store`; raises RequestError as `history.expand` does."""
        body = {name: value for name, value in body.items() if name != "store"}
        return history.expand(
            body,
            new_id,
            inherited=self.inherited,
            referenced=self.referenced,
            in_conversation=self.conversation is not None and self.is_stored,
        )

    def echo(self) -> dict[str, Any]:
        """Return the members of the answer that say where it stands."""
        echoed: dict[str, Any] = {"previous_response_id": self.previous, "store": self.is_stored}
        return echoed if self.conversation is None else {**echoed, "conversation": {"id": self.conversation}}
