"""The arguments of a call, each piece of them said once, however often a server repeats them (W5)."""

from __future__ import annotations

from ...wire import json
from ..growing import TextBuffer
from .braces import ObjectCheck

_SHORT = 64  # longer ones are not looked at: nobody fills up `{}` with so much white space


class ArgumentsBuffer:
    """Pieces in, what is new of them out.

    Arguments are complete when they are one JSON object. `{}` may be a placeholder: it waits, and an object behind it
    takes its place. Of any other object, an equal one is a repetition; by anything else they are ``broken``.
    """

    def __init__(self, pieces: TextBuffer) -> None:
        self.held = ""
        """The end of what came that waits to be said."""
        self._differs = False
        self._pieces = pieces
        self._whole = ObjectCheck()
        self._again: TextBuffer | None = None  # an object behind the first one
        self._ends_again = ObjectCheck()

    def is_whole(self) -> bool:
        return self._whole.is_object(self._pieces)

    def equal(self, other: str) -> bool:
        """Whether they mean what the *other* ones do."""
        if len(self._pieces) > _SHORT + 8 * len(other):  # no spelling is that much longer
            return False
        return _value(self._pieces.whole()) == _value(other)

    @property
    def is_placeholder(self) -> bool:
        """Whether they are `{}` so far."""
        return bool(self.held)

    @property
    def broken(self) -> bool:
        """Whether something else came than these arguments; half a repetition is one that was cut."""
        again = self._again
        return self._differs or (again is not None and not self._pieces.begins_with(again.whole().strip()))

    def spoil(self) -> None:
        """Something else came."""
        self._differs = True

    def may_grow(self) -> bool:
        """Whether the next piece is nothing but more of them, unless it begins an object."""
        return self._again is None and (len(self._pieces) > _SHORT or self._plain() not in ("", "{", "{}"))

    def take(self, piece: str) -> str:
        """Take a piece; return what is to be said now."""
        if self._again is not None:
            self._repeat(self._again, piece)
            return ""
        if piece.lstrip()[:1] == "{" and self.is_whole():
            if not self.held:
                self._again = TextBuffer()
                self._repeat(self._again, piece)
                return ""
            piece = self._replace(piece)
        self._pieces.add(piece)
        held, self.held = self.held, ""
        if len(self._pieces) <= _SHORT and self._plain() == "{}":
            self.held = held + piece
            return ""
        return held + piece

    def take_whole(self, whole: str) -> str:
        """Take all of them once more, or as far as they have come; return what is to be said now."""
        rest = self._pieces.rest_of(whole)
        if rest is not None and len(self._pieces):
            self._pieces.add(rest)
            held, self.held = self.held, ""
            return held + rest if rest else self._hold(held)
        if rest is not None or self.held:
            return self.take(whole)
        if not (self._pieces.begins_with(whole) or self.equal(whole)):
            self._differs = True
        return ""

    def release(self) -> str:
        """Nothing more will come: return what waited."""
        held, self.held = self.held, ""
        return held

    def _hold(self, held: str) -> str:
        self.held = held
        return ""

    def _plain(self) -> str:
        return "".join(self._pieces.whole().split())

    def _replace(self, piece: str) -> str:
        """An object takes the place of `{}`; its brace may have been said already."""
        said = self._pieces.whole()[: -len(self.held)]
        self.held, self._whole = "", ObjectCheck()
        self._pieces.clear()
        self._pieces.add(said)
        return piece.lstrip()[1:] if said.strip() else piece

    def _repeat(self, again: TextBuffer, piece: str) -> None:
        again.add(piece)
        if self._ends_again.is_object(again):
            self._differs = self._differs or not self.equal(again.whole())
            self._again, self._ends_again = None, ObjectCheck()


def _value(text: str) -> object:
    """What arguments mean; those that are no JSON only themselves."""
    try:
        return json.decode(text)
    except ValueError:
        return text.strip()
