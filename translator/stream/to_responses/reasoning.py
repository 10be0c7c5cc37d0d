"""The reasoning of a chat upstream: texts under any name, and opaque provider state (W8, D1-D5)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...losses import Report
from ...parts import reasoning
from ...seals import Seals
from . import repeats
from .items import Reasoning
from .output import Body, Output


class ReasoningWriter:
    """Writes reasoning into reasoning items.

    *show* is where it is shown (see `ResponseContext`); *seal* makes the sealed state of an item; *can_carry* tells
    whether a provider's own structure can be carried.
    """

    def __init__(
        self,
        out: Output,
        report: Report,
        show: str,
        seal: Callable[[Body], str | None],
        can_carry: Callable[[Any], bool],
    ) -> None:
        self._out = out
        self._report = report
        self._show = show
        self._seal = seal
        self._can_carry = can_carry
        self._items: list[Reasoning] = []  # those that have a text
        self._carried_names: set[str] = set()

    def add(self, delta: Body) -> None:
        """Add the thoughts in a delta."""
        name, text = reasoning.field_and_text(delta)
        self.add_text(text, name)
        self._carry(delta, again=False)

    def add_whole(self, message: Body, loose: bool) -> None:
        """Add what is new of the thoughts in a whole message. What differs is more of them where it is *loose*."""
        name, whole = reasoning.field_and_text(message)
        self.add_whole_text(whole, loose, name)
        self._carry(message, again=True)

    def add_text(self, text: str, field: str = "") -> None:
        """Add thoughts that came as *field*: they go back as the same, unless that is the usual one."""
        if not text or self._show == "off":  # what must go back unread still travels, sealed
            return
        item = self.current_item()
        if not self._items or self._items[-1] is not item:
            self._items.append(item)
        item.when_live(item.add_text, text)
        if field in _NAMES_TO_KEEP:
            item.when_live(item.keep, "field", field)

    def add_tagged(self, text: str) -> bool:
        """Add thoughts that stood in a tag of the text."""
        self.add_text(text)
        return True

    def add_whole_text(self, whole: str, loose: bool, field: str = "") -> None:
        """Add what a whole text has beyond the thoughts that came."""
        rest = repeats.rest_of(whole, (text for item in self._items for text in item.texts()))
        if rest is None and len(self._items) > 1:
            rest = repeats.rest_of(whole, self._items[-1].texts())
        self.add_text(repeats.new_of(rest, whole, loose, self._report, "reasoning"), field)

    def sign(self, call_id: str, signature: Body) -> None:
        """Add what a provider wants back with a call: it travels in the reasoning item before it (D5)."""
        item = self.current_item()
        item.when_live(item.sign, call_id, signature)

    def current_item(self) -> Reasoning:
        """Return the item that takes the thoughts of now."""
        last = self._out.last
        if isinstance(last, Reasoning):
            return last
        item = Reasoning(self._show, self._seal)
        self._out.add(item)
        return item

    def _carry(self, delta: Body, again: bool) -> None:
        """Add the members that a provider wants back unread; *again*: those that are there already are not added."""
        for name in _CARRIED:
            value = delta.get(name)
            if not value or not (isinstance(value, str) if name == reasoning.OPAQUE_FIELD else self._can_carry(value)):
                continue
            if again and name in self._carried_names:
                continue
            self._carried_names.add(name)
            item = self.current_item()
            item.when_live(item.keep if name == reasoning.OPAQUE_FIELD else item.add_details, name, value)


def seal_state(seals: Seals, model: str, with_texts: bool, fields: Body) -> str | None:
    """Return what must go back unread, sealed: always for a provider's own structures, texts only when asked for."""
    if reasoning.PROVIDER_STATE.isdisjoint(fields) and not (with_texts and fields["text"]):
        return None
    return reasoning.seal({**fields, "model": model}, seals)


_CARRIED = (*reasoning.DETAIL_FIELDS, reasoning.OPAQUE_FIELD)
_NAMES_TO_KEEP = {*reasoning.TEXT_FIELDS[1:], reasoning.AMONG_PARTS}
"""Field names of reasoning that is not sent back under the usual name."""
