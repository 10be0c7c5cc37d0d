"""Who speaks when: a chat message has one text, one refusal and one line of thoughts (protocol 5.5).

Items and their parts take turns in them. What comes of a later one waits until those before it are whole, so an answer
is the same however its events were interleaved.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

from ...losses import Report
from ..growing import Early, Pieces
from .completion import Completion
from .item_parts import ReceivedItem, ReceivedPart, Tokens
from .stop_sequences import StopFilter


class TextOutput:
    """Says texts, up to a stop sequence."""

    def __init__(self, out: Completion, stops: tuple[str, ...]) -> None:
        self.stopped = False
        """Whether a stop sequence came: nothing more is said."""
        self.out = out
        self.stops = StopFilter(stops) if stops else None

    def say(self, field: str, piece: str, tokens: Tokens, kept: Pieces | None = None) -> None:
        """Say a piece of a text; *kept* has it already, and everything that is said of it."""
        if self.stopped:
            return
        if field != "content":
            self.out.say(field, piece, kept)
        elif self.stops is None:
            self.out.text(piece, tokens, kept)
        else:
            said = self.stops.feed(piece, tokens)
            self._say(said.text, said.tokens, said.hit)

    def pause(self, field: str, separator: str) -> None:
        """Go on with another item: no stop sequence reaches over this."""
        if field == "content":
            self.release()
        if self.stopped or not separator:
            return
        if field == "content":
            self.out.text(separator)
        else:
            self.out.say(field, separator)

    def release(self) -> None:
        """Say what was held back because it could have become a stop sequence."""
        if self.stops is not None and not self.stopped:
            held = self.stops.flush()
            self.stops.reset()
            self._say(held.text, held.tokens, held.hit)

    def _say(self, text: str, tokens: Tokens, hit: bool) -> None:
        if text or tokens:
            self.out.text(text, tokens)
        self.stopped = hit


class TurnQueue:
    """Items that take turns: the first one speaks, in the order of its parts."""

    def __init__(
        self,
        speech: TextOutput,
        report: Report,
        between_items: str,
        between_parts: str,
        begun: Callable[[ReceivedPart], None] = lambda part: None,
    ) -> None:
        self._speech = speech
        self._report = report
        self._between_items = between_items
        self._between_parts = between_parts
        self._queue: deque[ReceivedItem] = deque()
        self._turns = 0
        self._speaking: dict[str, ReceivedPart] = {}  # by field
        self._begun = begun  # is told whose turn it is

    def add(self, item: ReceivedItem) -> None:
        self._queue.append(item)

    def speaks(self, part: ReceivedPart) -> bool:
        """Whether what comes of *part* can be said at once, without another thought."""
        return self._speaking.get(part.field) is part and not (part.done or part.item.done)

    def hear(self, part: ReceivedPart, piece: str, tokens: Tokens) -> None:
        """Take a piece of a text: it is said now, or when its turn comes."""
        if part.done or part.item.done:
            self._differs(part)
        elif part.early is not None:
            self._hear_early(part, part.early, piece, tokens)
        else:
            self._take(part, piece, tokens)

    def foresee(self, part: ReceivedPart, text: Any) -> None:
        """*part* is announced with *text*, which its pieces may repeat."""
        if part.early is None and text and isinstance(text, str) and not (part.text or part.done or part.item.done):
            part.early = Early(text)

    def _hear_early(self, part: ReceivedPart, early: Early, piece: str, tokens: Tokens) -> None:
        early.tokens += tokens
        said = early.hear(piece)
        if said is not None:
            part.early = None
            self._take(part, said, early.tokens)

    def settle(self, part: ReceivedPart, text: Any, tokens: Callable[[], Tokens]) -> None:
        """*part* is whole: say what is missing of *text*; its *tokens* count if none came before."""
        heard: Tokens = []
        if part.early is not None:
            text, heard, part.early = part.early.with_end(text), part.early.tokens, None
        rest = part.text.rest_of(text) if text and isinstance(text, str) else ""
        if rest is None:
            self._differs(part)
        late = [] if part.has_tokens or part.field != "content" else heard or tokens()  # of others chat has none
        if rest or late:
            self._take(part, rest or "", late)
        part.done = True
        self.advance()

    def advance(self) -> None:
        """Something became whole: give the turn to whom it belongs."""
        while self._queue:
            item = self._queue[0]
            while item.at < len(item.parts):
                part = item.parts[item.at]
                self._take_turn(part)
                if not (part.done or item.done):
                    return
                if part.early is not None:
                    self.settle(part, None, list)
                    return  # that went on from here
                item.at += 1
            if not item.done:
                return
            self._queue.popleft()
            item.left = True

    def close(self) -> None:
        """Nothing more will come: let everybody finish."""
        for item in self._queue:
            item.done = True
        self.advance()

    def _take(self, part: ReceivedPart, piece: str, tokens: Tokens) -> None:
        if self._is_late(part):
            if part.text or not part.item.left:
                self._differs(part)
                return
            part.turn, part.text = 0, Pieces()  # it had its turn and said nothing
        if part.item.left and not part.turn:
            self._queue.append(_alone(part))
        if part.item.done:
            part.item.grew()
        part.text.add(piece)
        part.has_tokens = part.has_tokens or bool(tokens)
        if part.turn:
            self._say(part, piece, tokens)
        else:
            part.waiting.append((piece, tokens))
            self.advance()

    def _take_turn(self, part: ReceivedPart) -> None:
        if part.turn:
            return
        self._turns += 1
        part.turn = self._turns
        self._begun(part)
        waiting, part.waiting = part.waiting, []
        for piece, tokens in waiting:
            self._say(part, piece, tokens)

    def _say(self, part: ReceivedPart, piece: str, tokens: Tokens) -> None:
        last = self._speaking.get(part.field)
        if last is not part:
            self._begin(part, last)
        self._speech.say(part.field, piece, tokens, part.text)

    def _is_late(self, part: ReceivedPart) -> bool:
        """Whether another one has the word already."""
        last = self._speaking.get(part.field)
        return last is not None and 0 < part.turn < last.turn

    def _begin(self, part: ReceivedPart, last: ReceivedPart | None) -> None:
        self._speaking[part.field] = part
        if last is None:
            return
        same = last.item is part.item
        separator = self._between_parts if same else self._between_items
        part.offset = last.offset + len(last.text.whole()) + len(separator)
        if separator or not same:
            self._speech.pause(part.field, separator)

    def _differs(self, part: ReceivedPart) -> None:
        self._report.approximated(part.field, "what the upstream streamed differs from its finished text")


def _alone(part: ReceivedPart) -> ReceivedItem:
    """Return an item that has nothing but *part*: its own one had its turn."""
    item = ReceivedItem(part.item.kind)
    item.done = True
    item.parts.append(part)
    return item
