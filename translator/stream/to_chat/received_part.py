"""A text of an item: what has been received of it, and what of that has been sent (protocol 5.5)."""

from __future__ import annotations

from typing import Any

from ..growing import InitialText, TextBuffer

Tokens = list[dict[str, Any]]


class ReceivedPart:
    """A text of an item; ``field`` is where it goes in a chat message."""

    def __init__(self, field: str) -> None:
        self.field: str = field
        self.index: int | None = None
        self.early: InitialText | None = None
        """The text that it was announced with; nothing of it was sent."""
        self.text: TextBuffer = TextBuffer()
        """All that came of it."""
        self.pending: list[tuple[str, Tokens]] = []
        """What came of it before its turn."""
        self.turn: int = 0
        """Its number among all that had a turn; 0: not yet."""
        self.offset: int = 0
        """Where its text begins in the message."""
        self.done: bool = False
        self.has_tokens: bool = False
        self.annotations: list[Any] = []
        self._sent = 0  # of the annotations

    def begins(self, text: str) -> bool:
        """Whether something came of it, and *text* begins with that."""
        return bool(self.text) and self.text.rest_of(text) is not None

    def learn_index(self, index: int) -> None:
        self.index = index

    def announce(self, text: str) -> None:
        """It was announced with *text*, which its pieces may repeat."""
        self.early = InitialText(text)

    def take_early(self) -> InitialText | None:
        """Return the text that it was announced with, which is decided now."""
        early, self.early = self.early, None
        return early

    def mark_tokens(self) -> None:
        """Log-probabilities came for it."""
        self.has_tokens = True

    def finish(self) -> None:
        self.done = True

    def start_turn(self, number: int) -> list[tuple[str, Tokens]]:
        """Give it the turn; return what waited for that."""
        pending, self.pending = self.pending, []
        self.turn = number
        return pending

    def withdraw_turn(self) -> None:
        """It had its turn and nothing to send: it gets another one."""
        self.turn, self.text = 0, TextBuffer()

    def follow(self, other: ReceivedPart, separator: str) -> None:
        """Its text stands behind that of another part."""
        self.offset = other.offset + len(other.text.whole()) + len(separator)

    def set_annotations(self, annotations: list[Any]) -> None:
        """Take all its annotations; those that were sent stay sent."""
        self.annotations = annotations.copy()

    def take_annotations(self) -> list[Any]:
        """Return the annotations that were not sent; now they are."""
        start, self._sent = self._sent, len(self.annotations)
        return self.annotations[start:]
