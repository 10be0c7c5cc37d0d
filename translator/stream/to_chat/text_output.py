"""The texts that are sent to the client, up to a stop sequence (protocol 1.5a)."""

from __future__ import annotations

from ..growing import TextBuffer
from .completion import Completion
from .received_part import Tokens
from .stop_sequences import StopFilter


class TextOutput:
    """Writes texts, up to a stop sequence."""

    def __init__(self, out: Completion, stops: tuple[str, ...]) -> None:
        self.out: Completion = out
        self.stops: StopFilter | None = StopFilter(stops) if stops else None

    def write(self, field: str, piece: str, tokens: Tokens, buffer: TextBuffer | None = None) -> None:
        """Write a piece of a text; *buffer* has it already, and everything that is written of it."""
        if self.out.stopped:
            return
        if field != "content":
            self.out.add_piece(field, piece, buffer)
        elif self.stops is None:
            self.out.add_text(piece, tokens, buffer)
        else:
            free = self.stops.feed(piece, tokens)
            self._write(free.text, free.tokens, free.hit)

    def separate(self, field: str, separator: str) -> None:
        """Go on with another item: no stop sequence reaches over this."""
        if field == "content":
            self.release()
        if self.out.stopped or not separator:
            return
        if field == "content":
            self.out.add_text(separator)
        else:
            self.out.add_piece(field, separator)

    def release(self) -> None:
        """Write what was held back because it could have become a stop sequence."""
        if self.stops is not None and not self.out.stopped:
            held = self.stops.flush()
            self.stops.reset()
            self._write(held.text, held.tokens, held.hit)

    def _write(self, text: str, tokens: Tokens, hit: bool) -> None:
        if text or tokens:
            self.out.add_text(text, tokens)
        if hit:
            self.out.stop()
