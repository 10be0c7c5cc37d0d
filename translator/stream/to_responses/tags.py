"""Markup that a server left in the text: reasoning and tool calls in tags (protocol 2.9, D42). Off by default."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import NamedTuple

THINK, CALL = "think", "tool_call"
_THOUGHTS = (THINK, "reasoning")
"""The tags around reasoning; all of them come out as `THINK`."""


class TaggedText(NamedTuple):
    """A text and the tag around it; without a tag, it is for the user."""

    text: str
    tag: str = ""
    raw: str = ""  # of a call: all of it, tags included, in case it is none


class TagParser:
    """Text in, pieces out, wherever it was cut. Reasoning is found only at the start; calls come out whole."""

    def __init__(self, tags: Collection[str]) -> None:
        self._has_calls = CALL in tags
        self._thought_tags = [tag for tag in _THOUGHTS if tag in tags]
        self._thought_tag = THINK  # the one that is open
        self._step: Callable[[TagParser, str, int, list[TaggedText]], int]
        self._step = TagParser._at_start if self._thought_tags else TagParser._in_text
        self._blank: list[str] = []  # white space at the start: it belongs to the text, if no thought follows
        self._held = ""
        self._call: list[str] = []

    def feed(self, text: str) -> list[TaggedText]:
        """Return what is certain now; what may be the start of a tag is held back."""
        pieces: list[TaggedText] = []
        text, self._held, at = self._held + text, "", 0
        while at < len(text):
            at = self._step(self, text, at, pieces)
        return pieces

    def flush(self) -> list[TaggedText]:
        """The text is over: what was held back is no tag, what was not closed ends here."""
        rest, self._held = "".join([*self._blank, self._held]), ""
        self._blank.clear()
        step, self._step = self._step, TagParser._in_text
        if step is TagParser._in_call:
            call, self._call = "".join(self._call) + rest, []
            return [TaggedText(call, CALL, f"<{CALL}>{call}")]
        return [TaggedText(rest, THINK if step is TagParser._in_thought else "")] if rest else []

    # Each step takes the text from a place on, adds pieces, and returns where the next step begins.

    def _at_start(self, text: str, at: int, pieces: list[TaggedText]) -> int:
        begin = text.lstrip()
        if self._may_open(begin):
            self._blank.append(text[: len(text) - len(begin)])
            self._held = begin
            return len(text)
        if self._opens(begin):
            self._step = TagParser._in_thought
            self._blank.clear()
            return len(text) - len(begin) + len(self._thought_tag) + 2
        self._step = TagParser._in_text
        whole = "".join([*self._blank, text])
        self._blank.clear()
        pieces += self.feed(whole)
        return len(text)

    def _in_thought(self, text: str, at: int, pieces: list[TaggedText]) -> int:
        inner, at, is_found = self._until(f"</{self._thought_tag}>", text, at)
        if inner:
            pieces.append(TaggedText(inner, THINK))
        if is_found:
            self._step = TagParser._after_thought
        return at

    def _after_thought(self, text: str, at: int, pieces: list[TaggedText]) -> int:
        """Behind a thought there may be white space, and another thought: some servers put each piece in tags."""
        begin = text[at:].lstrip()
        if self._may_open(begin):
            self._held = begin
            return len(text)
        is_thought = self._opens(begin)
        self._step = TagParser._in_thought if is_thought else TagParser._in_text
        return len(text) - len(begin) + (len(self._thought_tag) + 2) * is_thought

    def _may_open(self, begin: str) -> bool:
        """Whether more is needed to see if a thought begins here."""
        return any(f"<{tag}>".startswith(begin) and len(begin) < len(tag) + 2 for tag in self._thought_tags)

    def _opens(self, begin: str) -> bool:
        """Whether a thought begins here; its tag is the open one then."""
        tag = next((tag for tag in self._thought_tags if begin.startswith(f"<{tag}>")), None)
        self._thought_tag = tag or self._thought_tag
        return tag is not None

    def _in_text(self, text: str, at: int, pieces: list[TaggedText]) -> int:
        if not self._has_calls:
            pieces.append(TaggedText(text[at:]))
            return len(text)
        before, at, is_found = self._until(f"<{CALL}>", text, at)
        if before:
            pieces.append(TaggedText(before))
        if is_found:
            self._step = TagParser._in_call
        return at

    def _in_call(self, text: str, at: int, pieces: list[TaggedText]) -> int:
        inner, at, is_found = self._until(f"</{CALL}>", text, at)
        self._call.append(inner)
        if is_found:
            call, self._call = "".join(self._call), []
            pieces.append(TaggedText(call, CALL, f"<{CALL}>{call}</{CALL}>"))
            self._step = TagParser._in_text
        return at

    def _until(self, tag: str, text: str, at: int) -> tuple[str, int, bool]:
        """Return the text up to *tag*, the place behind it, and whether it is there.

        Where it is not, the end of the text that may be its start is held back.
        """
        place = text.find(tag, at)
        if place >= 0:
            return text[at:place], place + len(tag), True
        longest = min(len(tag) - 1, len(text) - at)
        size = next((n for n in range(longest, 0, -1) if tag.startswith(text[-n:])), 0)
        self._held = text[len(text) - size :]
        return text[at : len(text) - size], len(text), False
