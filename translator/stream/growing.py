"""Texts and lists that come in pieces."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from ..wire import json

PieceWriter = Callable[[str], bytes]
"""Says another piece of what grows; returns the frame for it."""
OptionalPieceWriter = Callable[[str], bytes | None]
"""The same, or None: the piece was not said, and must go the general way."""

_LONE = "surrogatepass"  # what a caller hands in decoded may have halves of surrogate pairs


class TextBuffer:
    """Keeps a growing text as UTF-8 in one buffer: thousands of short strings take ten times as much memory."""

    __slots__ = ("_utf8",)

    def __init__(self, text: str = "") -> None:
        self._utf8 = bytearray(text.encode("utf-8", _LONE))

    def __len__(self) -> int:
        """How many bytes it has."""
        return len(self._utf8)

    def add(self, piece: str) -> None:
        try:
            self._utf8 += piece.encode()  # as nearly always
        except UnicodeEncodeError:
            self._utf8 += piece.encode("utf-8", _LONE)

    def whole(self) -> str:
        """Return the text so far."""
        return self._utf8.decode("utf-8", _LONE)

    def rest_of(self, text: str) -> str | None:
        """Return what *text* has beyond this one; None if it does not begin with it. Takes no longer than *text*."""
        if not self._utf8:
            return text
        utf8, size = text.encode("utf-8", _LONE), len(self._utf8)
        if len(utf8) < size or utf8[:size] != self._utf8:
            return None
        return utf8[size:].decode("utf-8", _LONE)

    def begins_with(self, text: str) -> bool:
        return self._utf8.startswith(text.encode("utf-8", _LONE))

    def clear(self) -> None:
        self._utf8.clear()

    def is_blank(self) -> bool:
        """Whether it is nothing but white space; takes no longer than that is."""
        return not self._utf8 or self._utf8.isspace()

    def stands_in(self, utf8: bytes, at: int) -> bool:
        """Whether *utf8* has all of it at that place."""
        return utf8[at : at + len(self._utf8)] == self._utf8

    def may_end_with(self, mark: bytes) -> bool:
        """Whether it may end with *mark* and white space: only a long white space is not looked behind."""
        end = self._utf8[-64:].rstrip()
        return end.endswith(mark) or (not end and len(self._utf8) > 0)

    def since(self, size: int) -> bytes:
        """Return what came behind the first so many bytes."""
        return bytes(self._utf8[size:])


def to_utf8(text: str) -> bytes:
    """Return *text* as `TextBuffer` keep it."""
    return text.encode("utf-8", _LONE)


def join_utf8(texts: Iterable[TextBuffer]) -> bytes:
    """Return what several of them have, one behind the other."""
    return b"".join([text._utf8 for text in texts])


class InitialText:
    """A text that was there before its pieces came: they repeat it, or go on behind it (W31).

    When it is *whole*, nothing can follow: pieces that do not repeat it stand instead of it.
    """

    __slots__ = ("_at", "_whole", "text", "tokens")

    def __init__(self, text: str, whole: bool = False) -> None:
        self.text = text
        self.tokens: list[dict[str, Any]] = []
        """The log-probabilities of the pieces that repeat it."""
        self._whole = whole
        self._at = 0  # how much of it the pieces repeat

    def add(self, piece: str) -> str | None:
        """Take a piece; return all that is said now, or None while the pieces may still turn out to repeat it."""
        at, end = self._at, self._at + len(piece)
        if end < len(self.text) and self.text.startswith(piece, at):
            self._at = end
            return None
        again = self.text[:at] + piece
        return again if self._whole or piece.startswith(self.text[at:]) else self.text + again

    def with_end(self, text: Any) -> str:
        """Return the fuller one of this and of *text*, which is said to be all of it."""
        return text if text and isinstance(text, str) and not self.text.startswith(text) else self.text


class JsonListBuffer:
    """The members of a list that grows, kept as JSON: thousands of small objects take ten times as much memory."""

    __slots__ = ("_json",)

    def __init__(self) -> None:
        self._json = bytearray()

    def add(self, encoded: bytes) -> None:
        """Take more of them: an encoded list that is not empty."""
        self._json += b",%b" % encoded[1:-1]

    def whole(self) -> list[Any]:
        return json.decode(b"[%b]" % self._json[1:], None) if self._json else []


class JoinedText:
    """What was said: of texts that others keep, too, so that nothing is there twice, and of those that nobody does."""

    __slots__ = ("_own", "_texts")

    def __init__(self) -> None:
        self._texts: list[TextBuffer] = []  # in the order in which they were said
        self._own: TextBuffer | None = None

    def __bool__(self) -> bool:
        return any(self._texts)

    def add(self, piece: str, kept: TextBuffer | None = None) -> None:
        """Take a piece; *kept* has it already, and everything else that is said of that text."""
        last = self._texts[-1] if self._texts else None
        if kept is None:
            kept = self._own = last if last is not None and last is self._own else TextBuffer()
            kept.add(piece)
        if kept is not last:
            self._texts.append(kept)

    def whole(self) -> str:
        """Return all of it."""
        return "".join([text.whole() for text in self._texts])
