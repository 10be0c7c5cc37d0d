"""What a chat upstream thinks: reasoning texts under any name, and what providers want back unread (W8, D1-D5)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..losses import Report
from ..parts import reasoning
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
        self._detailed: set[str] = set()

    def take(self, delta: Body) -> None:
        """Take the thoughts in a delta."""
        self._take(delta, reasoning.text_of(delta), self._details(delta))

    def take_again(self, message: Body, loose: bool) -> None:
        """Take the thoughts in a whole message: only what is new. What differs is more of them where it is *loose*."""
        whole = reasoning.text_of(message)
        rest = repeats.rest_of(whole, (text for item in self._told for text in item.said()))
        if rest is None and len(self._told) > 1:
            rest = repeats.rest_of(whole, self._told[-1].said())
        text = repeats.new_of(rest, whole, loose, self._report, "reasoning")
        self._take(message, text, [name for name in self._details(message) if name not in self._detailed])

    def item(self) -> Reasoning:
        """Return the item that takes the thoughts of now."""
        last = self._out.last
        if isinstance(last, Reasoning):
            return last
        item = Reasoning(self._show, self._seal)
        self._out.add(item)
        return item

    def _details(self, delta: Body) -> list[str]:
        return [name for name in reasoning.DETAIL_FIELDS if delta.get(name) and self._fits(delta[name])]

    def _take(self, delta: Body, text: str, details: list[str]) -> None:
        if self._show == "off":
            text = ""  # what must go back unread still travels, sealed
        if not (text or details):
            return
        item = self.item()
        if text:
            if not self._told or self._told[-1] is not item:
                self._told.append(item)
            item.take(item.text, text)
        for name in details:
            self._detailed.add(name)
            item.take(item.details, name, delta[name])
        if delta.get("reasoning") and not delta.get("reasoning_content"):
            item.take(item.came_as, "reasoning")
