"""Stop sequences for an API without them: cut the text before the first one, even across chunks (protocol 1.5a)."""

from __future__ import annotations

from collections import deque
from typing import Any, NamedTuple

Token = dict[str, Any]


class ReleasedText(NamedTuple):
    """The text that may be sent now; nothing follows after a *hit*."""

    text: str
    tokens: list[Token]
    hit: bool


class StopFilter:
    """Text in, the text before the earliest stop sequence out.

    Only text that may begin a stop sequence is held back. *tokens* are the log-probabilities of the text that they come
    with: each is sent with the end of its text; one that overlaps the match is cut with it. Every character is read a
    bounded number of times, however much is held back.
    """

    def __init__(self, stops: tuple[str, ...]) -> None:
        self._stops = [(stop, _borders(stop)) for stop in dict.fromkeys(stops) if stop]
        self.reset()

    def reset(self) -> None:
        """A new text begins: what waited is forgotten, so ``flush`` before."""
        self._searches = [_Search(stop, borders) for stop, borders in self._stops]
        self._pieces: deque[tuple[int, str]] = deque()  # what waits, each with its place in the text
        self._tokens: deque[tuple[int, Token]] = deque()  # each with the place where its text ends
        self._seen = self._released = 0
        self._tokens_end = 0  # where the text of the tokens ends
        self._hit = False

    def feed(self, text: str, tokens: list[Token]) -> ReleasedText:
        """Take more text; return what can be no part of a stop sequence."""
        if not self._searches or self._hit:
            return ReleasedText("", [], True) if self._hit else ReleasedText(text, tokens, False)
        start = self._seen
        self._seen += len(text)
        self._keep(start, text, tokens)
        for search in self._searches:
            search.feed(text, start)
        begun = min(search.begun(self._seen) for search in self._searches)
        found = self._found()
        self._hit = found is not None and found <= begun
        return self._release(begun if found is None else min(found, begun))

    def flush(self) -> ReleasedText:
        """The text is over: return what waited, up to a stop sequence among it."""
        found = self._found()
        self._hit = found is not None
        if found is not None:
            return self._release(found)
        rest = self._release(self._seen)
        tokens = [token for _, token in self._tokens]  # longer than their text: nothing is cut, so they belong to it
        self._tokens.clear()
        return rest._replace(tokens=rest.tokens + tokens)

    def _found(self) -> int | None:
        """Where the earliest match so far begins; an earlier one may still be growing around it."""
        return min((search.found for search in self._searches if search.found is not None), default=None)

    def _keep(self, start: int, text: str, tokens: list[Token]) -> None:
        if text:
            self._pieces.append((start, text))
        self._tokens_end = max(self._tokens_end, start)  # tokens may come ahead of their text
        for token in tokens:
            self._tokens_end += _length(token) if text else 0  # without any, they are about what came before
            self._tokens.append((self._tokens_end, token))

    def _release(self, until: int) -> ReleasedText:
        texts: list[str] = []
        while self._pieces and self._released < until:
            start, piece = self._pieces[0]
            texts.append(piece[self._released - start : until - start])
            self._released = min(until, start + len(piece))
            if self._released == start + len(piece):
                self._pieces.popleft()
        tokens: list[Token] = []
        while self._tokens and self._tokens[0][0] <= until:
            tokens.append(self._tokens.popleft()[1])
        return ReleasedText("".join(texts), tokens, self._hit)


class _Search:
    """Looks for one stop sequence (Knuth-Morris-Pratt: no text is read twice)."""

    def __init__(self, stop: str, borders: list[int]) -> None:
        self._stop = stop
        self._borders = borders
        self._matched = 0  # how much of the sequence the text ends with
        self.found: int | None = None  # where the first match begins

    def feed(self, text: str, start: int) -> None:
        if self.found is not None:
            return
        stop, borders, matched, at = self._stop, self._borders, self._matched, 0
        while at < len(text):
            if not matched:  # the common case, at the speed of C
                at = text.find(stop[0], at)
                if at < 0:
                    break
            while matched and text[at] != stop[matched]:
                matched = borders[matched - 1]
            matched += text[at] == stop[matched]
            at += 1
            if matched == len(stop):
                self.found = start + at - matched
                break
        self._matched = matched

    def begun(self, seen: int) -> int:
        """Where a match may have begun that is not whole yet."""
        return seen if self.found is not None else seen - self._matched


def _borders(stop: str) -> list[int]:
    """For each prefix, the length of its longest proper prefix that is its suffix too."""
    borders, matched = [0], 0
    for char in stop[1:]:
        while matched and char != stop[matched]:
            matched = borders[matched - 1]
        matched += char == stop[matched]
        borders.append(matched)
    return borders


def _length(token: Token) -> int:
    """How many characters begin in a token: one token may be a piece of a character, so its bytes are counted."""
    utf8 = token.get("bytes")
    if isinstance(utf8, list) and utf8:
        return sum(1 for byte in utf8 if not (isinstance(byte, int) and 0x80 <= byte < 0xC0))
    text = token.get("token")
    return len(text) if isinstance(text, str) else 0
