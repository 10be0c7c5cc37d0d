"""The order of texts: a chat message has only one text, one refusal and one reasoning text (protocol 5.5).

Items and their parts take turns. The text of a later one waits until those before it are complete, so the answer is
the same however its events were interleaved.
"""

from __future__ import annotations

from typing import Any

from ...losses import Report
from ...parts import logprobs
from ..growing import InitialText
from .item_parts import ReceivedItem
from .received_part import ReceivedPart, Tokens
from .text_output import TextOutput
from .turn_order import TurnQueue

TextTurn = tuple[ReceivedItem, list[ReceivedPart]]


class TextQueue(TurnQueue[TextTurn]):
    """Items that take turns: the first one is written, part by part."""

    def __init__(self, output: TextOutput, report: Report, between_items: str, between_parts: str) -> None:
        super().__init__()
        self._output = output
        self._report = report
        self._between_items = between_items
        self._between_parts = between_parts
        self._turns = 0
        self._at = 0  # the part of the first item whose turn it is
        self._current: dict[str, tuple[ReceivedItem, ReceivedPart]] = {}  # what was written last, by field

    def add(self, item: ReceivedItem) -> None:
        """A new item stands behind the others."""
        self._queue.append((item, item.parts))

    def is_current(self, item: ReceivedItem, part: ReceivedPart) -> bool:
        """Whether what comes of *part* can be written at once, without another thought."""
        current = self._current.get(part.field)
        return current is not None and current[1] is part and not (part.done or item.done)

    def announce(self, item: ReceivedItem, part: ReceivedPart, text: Any) -> None:
        """*part* is announced with *text*, which its pieces may repeat."""
        if part.early is None and text and isinstance(text, str) and not (part.text or part.done or item.done):
            part.announce(text)

    def feed(self, item: ReceivedItem, part: ReceivedPart, piece: str, tokens: Tokens) -> None:
        """Take a piece of a text: it is written now, or when its turn comes."""
        if part.done or item.done:
            self._report_difference(part)
        elif part.early is not None:
            self._feed_early(item, part, part.early, piece, tokens)
        else:
            self._take(item, part, piece, tokens)

    def finish_part(self, item: ReceivedItem, part: ReceivedPart, text: Any, tokens: Any = None) -> None:
        """*part* is whole: write what is missing of *text*; its *tokens* count if none came before."""
        early, repeated = part.take_early(), []
        if early is not None:
            text, repeated = early.with_end(text), early.tokens
        rest = part.text.rest_of(text) if text and isinstance(text, str) else ""
        if rest is None:
            self._report_difference(part)
        late: Tokens = []
        if part.field == "content" and not part.has_tokens:  # of others chat has none
            late = repeated or (logprobs.to_chat(tokens) if tokens else [])
        if rest or late:
            self._take(item, part, rest or "", late)
        part.finish()
        self.advance()

    def close(self) -> None:
        """Nothing more will come: let everybody finish."""
        if self._queue:
            for item, _ in self._queue:
                item.finish()
            self.advance()

    def _feed_early(
        self, item: ReceivedItem, part: ReceivedPart, early: InitialText, piece: str, tokens: Tokens
    ) -> None:
        early.tokens.extend(tokens)
        text = early.add(piece)
        if text is not None:
            part.take_early()
            self._take(item, part, text, early.tokens)

    def _take(self, item: ReceivedItem, part: ReceivedPart, piece: str, tokens: Tokens) -> None:
        current = self._current.get(part.field)
        if current is not None and 0 < part.turn < current[1].turn:  # another one was written since
            if part.text or not item.left:
                self._report_difference(part)
                return
            part.withdraw_turn()
        if item.left and not part.turn:
            self._queue.append((item, [part]))
        if item.done:
            item.reopen()
        part.text.add(piece)
        if tokens:
            part.mark_tokens()
        if part.turn:
            self._write(item, part, piece, tokens)
        else:
            part.pending.append((piece, tokens))
            self.advance()

    def _take_turn(self, member: TextTurn) -> bool:
        item, parts = member
        while self._at < len(parts):
            part = parts[self._at]
            if not part.turn:
                self._start(item, part)
            if not (part.done or item.done):
                return False
            if part.early is not None:
                self.finish_part(item, part, None)
                return False  # that went on from here
            self._at += 1
        if not item.done:
            return False
        self._at = 0
        item.leave()
        return True

    def _start(self, item: ReceivedItem, part: ReceivedPart) -> None:
        self._turns += 1
        pending = part.start_turn(self._turns)
        if part.annotations:
            self._output.out.citations.add(part)
        for piece, tokens in pending:
            self._write(item, part, piece, tokens)

    def _write(self, item: ReceivedItem, part: ReceivedPart, piece: str, tokens: Tokens) -> None:
        current = self._current.get(part.field)
        if current is None:
            self._current[part.field] = item, part
        elif current[1] is not part:
            self._separate(item, part, *current)
        self._output.write(part.field, piece, tokens, part.text)

    def _separate(
        self, item: ReceivedItem, part: ReceivedPart, last_item: ReceivedItem, last_part: ReceivedPart
    ) -> None:
        """Begin a text behind another one."""
        self._current[part.field] = item, part
        separator = self._between_parts if item is last_item else self._between_items
        part.follow(last_part, separator)
        if separator or item is not last_item:
            self._output.separate(part.field, separator)

    def _report_difference(self, part: ReceivedPart) -> None:
        self._report.approximated(part.field, "the finished text differs from the streamed one")
