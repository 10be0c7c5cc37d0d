"""The arguments of a call: each piece is sent once, however often a server repeats it (W5)."""

from __future__ import annotations

from typing import NamedTuple

from ...wire import json
from ..growing import TextBuffer
from .braces import ObjectCheck


class _Repetition(NamedTuple):
    """Another object after the first one."""

    text: TextBuffer
    check: ObjectCheck


_SHORT = 64  # bytes; in longer ones no placeholder is looked for: nobody fills up `{}` with so much white space


class ArgumentsBuffer:
    """Pieces in, what is new of them out; *text* holds the arguments.

    Arguments are complete when they are one JSON object. `{}` may be a placeholder: it is held back, and an object
    after it takes its place. After any other object, an equal one is a repetition; anything else makes them ``broken``.
    """

    __slots__ = ("_check", "_differs", "_repetition", "_text", "held")

    def __init__(self, text: TextBuffer) -> None:
        self.held: str = ""
        """The end of what was received that is held back, because the arguments are `{}` so far."""
        self._text = text
        self._check = ObjectCheck()
        self._differs = False
        self._repetition: _Repetition | None = None

    def is_whole(self) -> bool:
        """Whether they are one object."""
        return self._check.is_object(self._text)

    def equal(self, other: str) -> bool:
        """Whether they mean what the *other* ones do."""
        if len(self._text) > _SHORT + 8 * len(other):  # no spelling is that much longer
            return False
        return _value(self._text.whole()) == _value(other)

    @property
    def broken(self) -> bool:
        """Whether anything but these arguments came; half a repetition is one that was cut."""
        if self._repetition is None:
            return self._differs
        return self._differs or not self._text.begins_with(self._repetition.text.whole().strip())

    def mark_broken(self) -> None:
        """Something else came."""
        self._differs = True

    def may_grow(self) -> bool:
        """Whether the next piece is nothing but more of them, unless it begins an object."""
        if self._repetition is not None:
            return False
        return len(self._text) > _SHORT or b"".join(self._text.split()) not in _MAY_BE_PLACEHOLDER

    def add(self, piece: str) -> str:
        """Take a piece; return what is to be sent now."""
        if self._repetition is not None:
            self._repeat(self._repetition, piece)
            return ""
        if self._text and piece.lstrip()[:1] == "{" and self.is_whole():
            if not self.held:
                self._repetition = _Repetition(TextBuffer(), ObjectCheck())
                self._repeat(self._repetition, piece)
                return ""
            piece = self._replace(piece)
        self._text.add(piece)
        held, self.held = self.held, ""
        if len(self._text) <= _SHORT and b"".join(self._text.split()) == b"{}":
            self.held = held + piece
            return ""
        return held + piece

    def add_whole(self, whole: str) -> str:
        """Take all of them once more, or as far as they have come; return what is to be sent now."""
        rest = self._text.rest_of(whole)
        if rest and self._text:
            self._text.add(rest)
            return self.release() + rest
        if rest is not None and self._text:
            return ""
        if rest is not None or self.held:
            return self.add(whole)
        if not (self._text.begins_with(whole) or self.equal(whole)):
            self._differs = True
        return ""

    def release(self) -> str:
        """Nothing more will come: return what waited."""
        held, self.held = self.held, ""
        return held

    def _replace(self, piece: str) -> str:
        """Let an object take the place of `{}`, whose brace may have been sent already; return what to add of it."""
        sent = self._text.whole()[: -len(self.held)]
        self.held, self._check = "", ObjectCheck()
        self._text.clear()
        self._text.add(sent)
        return piece.lstrip()[1:] if sent.strip() else piece

    def _repeat(self, repetition: _Repetition, piece: str) -> None:
        """Take a piece of an object behind the first one."""
        text, check = repetition
        text.add(piece)
        if check.is_object(text):
            self._differs = self._differs or not self.equal(text.whole())
            self._repetition = None


_MAY_BE_PLACEHOLDER = (b"", b"{", b"{}")


def _value(text: str) -> object:
    """What arguments mean; those that are no JSON only themselves."""
    try:
        return json.decode(text)
    except ValueError:
        return text.strip()
