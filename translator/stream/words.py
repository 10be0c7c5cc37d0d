"""What an answer says to the user: texts, refusals, and what is said about them (5.4, D37, D38, D42)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..parts import annotations
from ..profiles import Terms
from .items import Message
from .markup import Markup
from .output import Body, Output


class Words:
    """Puts words into messages. Annotations and log-probabilities that come ahead of their text wait for it.

    *marked* takes what stood in a tag (its name and its text) and says whether it could; see `markup` of a profile.
    """

    def __init__(
        self, out: Output, terms: Terms, new_message: Callable[[], Message], marked: Callable[[str, str], bool]
    ) -> None:
        self.logprobs: list[Body] = []
        self.refused = False
        self._out = out
        self._report = terms.report
        self._new_message = new_message
        self._marked = marked
        self._markup = Markup(terms.profile.markup) if terms.profile.markup else None
        self._annotations: list[Body] = []

    @property
    def idle(self) -> bool:
        """Whether a piece of text simply becomes a piece of text: nothing waits for it, no tags are looked for."""
        return self._markup is None and not (self._annotations or self.logprobs)

    def take(self, part: Any) -> None:
        """Take a text, or one member of a content that is a list."""
        if isinstance(part, str):
            self._text(part)
        elif isinstance(part, dict) and isinstance(part.get("text"), str):
            self._text(part["text"])
        elif isinstance(part, dict) and isinstance(part.get("refusal"), str):
            self.refuse(part["refusal"])
        else:
            self._report.dropped("content", "a Response is text", part)

    def refuse(self, value: Any) -> None:
        """Take a piece of a refusal."""
        if isinstance(value, str) and value:
            self.refused = True
            message = self._message()
            message.take(message.refusal, value)

    def annotate(self, value: Any) -> None:
        """Take annotations of a chat message."""
        found = annotations.to_responses(value)
        if not isinstance(value, list) or len(found) < len(value):
            self._report.dropped("annotations", "only citations of URLs are known")
        self.cite(found)

    def cite(self, found: list[Body]) -> None:
        """Take annotations: they belong to the text before them, or wait for one."""
        self._annotations += found
        last = self._out.last
        if isinstance(last, Message) and (not last.live or last.has_text):
            self._say_annotations(last)

    def flush(self) -> None:
        """The answer is over: say what was held back."""
        for piece in self._markup.flush() if self._markup else []:
            if not (piece.tag and self._marked(piece.tag, piece.text)):
                self._say(piece.raw or piece.text)
        if self._annotations:
            self._annotations = []
            self._report.dropped("annotations", "there is no text that they could belong to")
        if self.logprobs:
            self.logprobs = []
            self._report.dropped("logprobs", "there is no text that they could belong to")

    def _text(self, text: str) -> None:
        if self._markup is None:
            self._say(text)
            return
        for piece in self._markup.feed(text):
            if not (piece.tag and self._marked(piece.tag, piece.text)):
                self._say(piece.raw or piece.text)

    def _say(self, piece: str) -> None:
        if not piece:
            return
        tokens, self.logprobs = self.logprobs, []
        message = self._message()
        message.take(message.text, piece, tokens)
        if self._annotations:
            self._say_annotations(message)

    def _say_annotations(self, message: Message) -> None:
        found, self._annotations = self._annotations, []
        for annotation in found:
            message.take(message.annotation, annotation)

    def _message(self) -> Message:
        last = self._out.last
        if isinstance(last, Message):
            return last
        message = self._new_message()
        self._out.add(message)
        return message
