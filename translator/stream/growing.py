"""Texts and lists that grow piece by piece."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Protocol

from ..wire import json


class PieceWriter(Protocol):
    """Appends a piece to a growing text; returns the frame that says so, whose event ends with the members *end*."""

    def __call__(self, piece: str, /, end: bytes = ...) -> bytes: ...


class ChunkWriter(Protocol):
    """The same for chunks, whose choice has *logprobs*."""

    def __call__(self, piece: str, /, end: bytes = ..., logprobs: bytes = ...) -> bytes: ...


class OptionalPieceWriter(Protocol):
    """As a PieceWriter, or None: the piece was not appended, and must go the general path."""

    def __call__(self, piece: str, /, end: bytes = ...) -> bytes | None: ...


_LONE = "surrogatepass"  # what a caller hands in decoded may have halves of surrogate pairs


class TextBuffer(bytearray):
    """A growing text as UTF-8 in one buffer: thousands of short strings take ten times as much memory.

    Its length is in bytes.
    """

    __slots__ = ()

    def add(self, piece: str) -> None:
        """Append a piece."""
        try:
            self += piece.encode()  # as nearly always
        except UnicodeEncodeError:
            self += piece.encode("utf-8", _LONE)

    def whole(self) -> str:
        """Return the text so far."""
        return self.decode("utf-8", _LONE)

    def rest_of(self, text: str) -> str | None:
        """Return what *text* has beyond this one; None if it does not begin with it. Takes no longer than *text*."""
        if not self:
            return text
        utf8, size = text.encode("utf-8", _LONE), len(self)
        if len(utf8) < size or utf8[:size] != self:
            return None
        return utf8[size:].decode("utf-8", _LONE)

    def begins_with(self, text: str) -> bool:
        """Whether it begins with *text*."""
        return self.startswith(text.encode("utf-8", _LONE))

    def is_blank(self) -> bool:
        """Whether it is nothing but white space; takes no longer than that is."""
        return not self or self.isspace()

    def stands_in(self, utf8: bytes, at: int) -> bool:
        """Whether *utf8* has all of it at that place."""
        return utf8[at : at + len(self)] == self

    def may_end_with(self, mark: bytes) -> bool:
        """Whether it may end with *mark* and white space: only a long white space is not looked behind."""
        end = self[-64:].rstrip()
        return end.endswith(mark) or (not end and len(self) > 0)

    def since(self, size: int) -> bytes:
        """Return what follows the first *size* bytes."""
        return bytes(self[size:])


def to_utf8(text: str) -> bytes:
    """Return *text* as a `TextBuffer` holds it."""
    return text.encode("utf-8", _LONE)


def join_utf8(texts: Iterable[TextBuffer]) -> bytes:
    """Return the contents of several buffers, one behind the other."""
    return b"".join(texts)


class InitialText:
    """A text that was there before its pieces came: they repeat it, or go on behind it (W31).

    When it is *whole*, nothing can follow: pieces that do not repeat it replace it.
    """

    __slots__ = ("_at", "_whole", "text", "tokens")

    def __init__(self, text: str, whole: bool = False) -> None:
        self.text: str = text
        self.tokens: list[dict[str, Any]] = []
        """The log-probabilities of the pieces that repeat it."""
        self._whole = whole
        self._at = 0  # how much of it the pieces repeat

    def add(self, piece: str) -> str | None:
        """Take a piece; return the whole text so far, or None while the pieces may still turn out to repeat it."""
        at, end = self._at, self._at + len(piece)
        if end < len(self.text) and self.text.startswith(piece, at):
            self._at = end
            return None
        again = self.text[:at] + piece
        return again if self._whole or piece.startswith(self.text[at:]) else self.text + again

    def with_end(self, text: Any) -> str:
        """Return the fuller one of this and of *text*, the text as it stands at the end."""
        return text if text and isinstance(text, str) and not self.text.startswith(text) else self.text


class JsonListBuffer(bytearray):
    """A growing list, its members kept as JSON: thousands of small objects take ten times as much memory."""

    __slots__ = ()

    def add(self, members: bytes) -> None:
        """Append members: an encoded list that is not empty."""
        self += b",%b" % members[1:-1]

    def whole(self) -> list[Any]:
        """Return the list so far."""
        return json.decode(b"[%b]" % self[1:], None) if self else []


class JoinedText:
    """One text of several buffers: of some that others keep, too, so that nothing is there twice, and of its own."""

    __slots__ = ("_own", "_texts")

    def __init__(self) -> None:
        self._texts: list[TextBuffer] = []  # in the order in which they began
        self._own: TextBuffer | None = None

    def __bool__(self) -> bool:
        return any(self._texts)

    def add(self, piece: str, buffer: TextBuffer | None = None) -> None:
        """Append a piece; *buffer* is the one that has it already, with everything else of that text."""
        last = self._texts[-1] if self._texts else None
        if buffer is None:
            buffer = self._own = last if last is not None and last is self._own else TextBuffer()
            buffer.add(piece)
        if buffer is not last:
            self._texts.append(buffer)

    def whole(self) -> str:
        """Return the text so far."""
        return "".join([text.whole() for text in self._texts])
