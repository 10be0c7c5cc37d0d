"""What an answer says to the user: texts, refusals, and what is said about them (5.4, D37, D38, D42)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...context import Context
from ...parts import annotations
from ...wire import json
from . import repeats
from .items import Message
from .output import Body, Output
from .tags import TagParser


class TextWriter:
    """Puts words into messages. Annotations and log-probabilities that come ahead of their text wait for it.

    *marked* takes what stood in a tag (its name and its text) and says whether it could; see `markup` of a profile.
    """

    def __init__(
        self, out: Output, context: Context, new_message: Callable[[], Message], marked: Callable[[str, str], bool]
    ) -> None:
        self.logprobs: list[Body] = []
        self.refused = False
        self._out = out
        self._report = context.report
        self._new_message = new_message
        self._marked = marked
        self._markup = TagParser(context.profile.markup) if context.profile.markup else None
        self._annotations: list[Body] = []
        self._cited: set[bytes] = set()
        self._told: dict[str, list[Message]] = {"output_text": [], "refusal": []}  # which of them have such words

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
            message = self._message("refusal")
            message.take(message.refusal, value)

    def take_again(self, parts: list[Any], loose: bool) -> None:
        """Take a whole content: only what is new of its text. What differs is more of it where that is *loose*."""
        texts: dict[str, list[str]] = {"text": [], "refusal": []}
        for part in parts:
            part = {"text": part} if isinstance(part, str) else part
            kind = next((k for k in texts if isinstance(part, dict) and isinstance(part.get(k), str)), None)
            if kind is None:
                self._report.dropped("content", "a Response is text", part)
            else:
                texts[kind].append(part[kind])
        whole = "".join(texts["text"])
        self._text(repeats.new_of(self._rest_of(whole, "output_text"), whole, loose, self._report, "content"))
        self.refuse_again("".join(texts["refusal"]), loose)

    def refuse_again(self, whole: Any, loose: bool) -> None:
        """Take a whole refusal: only what is new of it."""
        whole = whole if isinstance(whole, str) else ""
        self.refuse(repeats.new_of(self._rest_of(whole, "refusal"), whole, loose, self._report, "refusal"))

    def _rest_of(self, whole: str, kind: str) -> str | None:
        told = self._told[kind]
        rest = repeats.rest_of(whole, (text for message in told for text in message.said(kind)))
        if rest is None and len(told) > 1:
            rest = repeats.rest_of(whole, told[-1].said(kind))
        return rest

    def annotate(self, value: Any, again: bool = False) -> None:
        """Take annotations of a chat message; *again*: those that are there already are not added."""
        found = annotations.to_responses(value)
        if not isinstance(value, list) or len(found) < len(value):
            self._report.dropped("annotations", "only citations of URLs are known")
        self.cite([annotation for annotation in found if not (again and json.encode(annotation) in self._cited)])

    def cite(self, found: list[Body]) -> None:
        """Take annotations: they belong to the text before them, or wait for one."""
        self._cited.update(map(json.encode, found))
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
        message = self._message("output_text")
        message.take(message.text, piece, tokens)
        if self._annotations:
            self._say_annotations(message)

    def _say_annotations(self, message: Message) -> None:
        found, self._annotations = self._annotations, []
        for annotation in found:
            message.take(message.annotation, annotation)

    def _message(self, kind: str) -> Message:
        last = self._out.last
        if not isinstance(last, Message):
            last = self._new_message()
            self._out.add(last)
        told = self._told[kind]
        if not told or told[-1] is not last:
            told.append(last)
        return last
