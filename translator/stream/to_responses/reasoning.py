"""What a chat upstream thinks: reasoning texts under any name, and what providers want back unread (W8, D1-D5)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...losses import Report
from ...parts import reasoning
from . import repeats
from .items import Reasoning
from .output import Body, Output


class Thinking:
    """Puts thoughts into reasoning items.

    *show* is where they are shown (see `Asked`); *seal* makes what goes back with an item; *fits* says whether a
    provider's own structure can be carried.
    """

    def __init__(
        self,
        out: Output,
        report: Report,
        show: str,
        seal: Callable[[Body], str | None],
        fits: Callable[[Any], bool],
    ) -> None:
        self._out = out
        self._report = report
        self._show = show
        self._seal = seal
        self._fits = fits
        self._told: list[Reasoning] = []  # those that have a text
        self._kept: set[str] = set()

    def take(self, delta: Body) -> None:
        """Take the thoughts in a delta."""
        name, text = reasoning.field_and_text(delta)
        self.take_text(text, name)
        self._take_unread(delta, self._unread(delta))

    def take_again(self, message: Body, loose: bool) -> None:
        """Take the thoughts in a whole message: only what is new. What differs is more of them where it is *loose*."""
        name, whole = reasoning.field_and_text(message)
        self.take_text_again(whole, loose, name)
        self._take_unread(message, [name for name in self._unread(message) if name not in self._kept])

    def take_text(self, text: str, field: str = "") -> None:
        """Take thoughts that came as *field*: they go back as the same, unless that is the usual one."""
        if not text or self._show == "off":  # what must go back unread still travels, sealed
            return
        item = self.item()
        if not self._told or self._told[-1] is not item:
            self._told.append(item)
        item.take(item.text, text)
        if field in _NAMES_TO_KEEP:
            item.take(item.keep, "field", field)

    def take_text_again(self, whole: str, loose: bool, field: str = "") -> None:
        """Take what a whole text has beyond the thoughts that came."""
        rest = repeats.rest_of(whole, (text for item in self._told for text in item.said()))
        if rest is None and len(self._told) > 1:
            rest = repeats.rest_of(whole, self._told[-1].said())
        self.take_text(repeats.new_of(rest, whole, loose, self._report, "reasoning"), field)

    def item(self) -> Reasoning:
        """Return the item that takes the thoughts of now."""
        last = self._out.last
        if isinstance(last, Reasoning):
            return last
        item = Reasoning(self._show, self._seal)
        self._out.add(item)
        return item

    def _unread(self, delta: Body) -> list[str]:
        """The members that a provider wants back unread."""
        names = [name for name in reasoning.DETAIL_FIELDS if delta.get(name) and self._fits(delta[name])]
        opaque = delta.get(reasoning.OPAQUE_FIELD)
        return [*names, reasoning.OPAQUE_FIELD] if opaque and isinstance(opaque, str) else names

    def _take_unread(self, delta: Body, names: list[str]) -> None:
        for name in names:
            item = self.item()
            self._kept.add(name)
            item.take(item.keep if name == reasoning.OPAQUE_FIELD else item.details, name, delta[name])


_NAMES_TO_KEEP = {*reasoning.TEXT_FIELDS[1:], reasoning.AMONG_PARTS}
"""Under which thoughts may have come that do not go back under the usual name."""
