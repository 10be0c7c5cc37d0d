"""Markup that a server left in the text: thoughts and tool calls in tags (protocol 2.9, D42). Off by default."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

THINK, CALL = "think", "tool_call"


class Piece(NamedTuple):
    """Some text, and the tag that it stood in; no tag: it is for the user."""

    text: str
    tag: str = ""
    raw: str = ""  # of a call: all of it, tags included, in case that it is none


class Markup:
    """Text in, pieces out, wherever it was cut. Thoughts stand at the start only; a call comes out whole."""

    def __init__(self, tags: Collection[str]) -> None:
        self._calls = CALL in tags
        self._step = self._start if THINK in tags else self._text
        self._held = ""
        self._call: list[str] = []

    def feed(self, text: str) -> list[Piece]:
        """Return what can be said now; what may be the start of a tag is held back."""
        pieces: list[Piece] = []
        text, self._held = self._held + text, ""
        while text:
            text = self._step(text, pieces)
        return pieces

    def flush(self) -> list[Piece]:
        """The text is over: what was held back is no tag, what was not closed ends here."""
        held, self._held = self._held, ""
        step, self._step = self._step, self._text
        if step == self._in_call:
            call, self._call = "".join(self._call) + held, []
            return [Piece(call, CALL, f"<{CALL}>{call}")]
        return [Piece(held, THINK if step == self._in_thought else "")] if held else []

    # Each step takes text, adds pieces, and returns the text that is left for the next step.

    def _start(self, text: str, pieces: list[Piece]) -> str:
        begin = text.lstrip()
        if f"<{THINK}>".startswith(begin):
            self._held = text
            return ""
        if begin.startswith(f"<{THINK}>"):
            self._step = self._in_thought
            return begin[len(f"<{THINK}>") :]
        self._step = self._text
        return text

    def _in_thought(self, text: str, pieces: list[Piece]) -> str:
        inner, rest = self._until(f"</{THINK}>", text)
        if inner:
            pieces.append(Piece(inner, THINK))
        if rest is not None:
            self._step = self._after_thought
        return rest or ""

    def _after_thought(self, text: str, pieces: list[Piece]) -> str:
        text = text.lstrip()
        if text:
            self._step = self._text
        return text

    def _text(self, text: str, pieces: list[Piece]) -> str:
        shown, rest = self._until(f"<{CALL}>", text) if self._calls else (text, None)
        if shown:
            pieces.append(Piece(shown))
        if rest is not None:
            self._step = self._in_call
        return rest or ""

    def _in_call(self, text: str, pieces: list[Piece]) -> str:
        inner, rest = self._until(f"</{CALL}>", text)
        self._call.append(inner)
        if rest is not None:
            call, self._call = "".join(self._call), []
            pieces.append(Piece(call, CALL, f"<{CALL}>{call}</{CALL}>"))
            self._step = self._text
        return rest or ""

    def _until(self, tag: str, text: str) -> tuple[str, str | None]:
        """Split *text* at *tag*; without it, hold back the end that may be its start."""
        before, found, after = text.partition(tag)
        if found:
            return before, after
        size = next((n for n in range(min(len(tag) - 1, len(text)), 0, -1) if tag.startswith(text[-n:])), 0)
        shown = text[: len(text) - size]
        self._held = text[len(shown) :]
        return shown, None
