"""The text of an answer: texts, refusals, and the annotations and log-probabilities of texts (5.4, D37, D38, D42)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ...context import Context
from ...parts import annotations, logprobs
from ...wire import json
from . import repeats
from .items import Message
from .output import Body, Output
from .tags import TaggedText, TagParser


class TextWriter:
    """Writes texts into messages. Annotations and log-probabilities that arrive before their text wait for it.

    *tag_readers* take the content of a tag by its name, and return whether they could read it; see `Profile.markup`.
    """

    def __init__(
        self,
        out: Output,
        context: Context,
        new_message: Callable[[], Message],
        tag_readers: Mapping[str, Callable[[str], bool]],
    ) -> None:
        self.has_refusal: bool = False
        self._out = out
        self._report = context.report
        self._new_message = new_message
        self._tag_readers = tag_readers
        self._tag_parser = TagParser(context.profile.markup) if context.profile.markup else None
        self._annotations: list[Body] = []  # that wait for their text
        self._logprobs: list[Body] = []  # that wait for their text
        self._seen: set[bytes] = set()  # annotations, as JSON
        self._texts: list[Message] = []  # the messages that have such a part
        self._refusals: list[Message] = []

    @property
    def is_plain(self) -> bool:
        """Whether a piece of text simply becomes a piece of text: nothing waits for it, no tags are supported."""
        return self._tag_parser is None and not (self._annotations or self._logprobs)

    def add(self, part: Any) -> None:
        """Add a text, or one member of a content that is a list."""
        if isinstance(part, str):
            self._add_text(part)
        elif isinstance(part, dict) and isinstance(part.get("text"), str):
            self._add_text(part["text"])
        elif isinstance(part, dict) and isinstance(part.get("refusal"), str):
            self.add_refusal(part["refusal"])
        else:
            self._report.dropped("content", "a Response is text only", part)

    def add_refusal(self, piece: Any) -> None:
        """Add a piece of a refusal."""
        if isinstance(piece, str) and piece:
            self.has_refusal = True
            message = self._message(self._refusals)
            message.when_live(message.add_refusal, piece)

    def add_whole(self, parts: list[Any], loose: bool) -> None:
        """Add what is new of a whole content. What differs is more of it where that is *loose*."""
        texts: dict[str, list[str]] = {"text": [], "refusal": []}
        for part in parts:
            part = {"text": part} if isinstance(part, str) else part
            kind = next((k for k in texts if isinstance(part, dict) and isinstance(part.get(k), str)), None)
            if kind is None:
                self._report.dropped("content", "a Response is text only", part)
            else:
                texts[kind].append(part[kind])
        whole = "".join(texts["text"])
        rest = _rest_of(whole, self._texts, "output_text")
        self._add_text(repeats.new_of(rest, whole, loose, self._report, "content"))
        self.add_whole_refusal("".join(texts["refusal"]), loose)

    def add_whole_refusal(self, whole: Any, loose: bool) -> None:
        """Add what is new of a whole refusal."""
        whole = whole if isinstance(whole, str) else ""
        rest = _rest_of(whole, self._refusals, "refusal")
        self.add_refusal(repeats.new_of(rest, whole, loose, self._report, "refusal"))

    def add_logprobs(self, value: Any) -> None:
        """Add the log-probabilities of a choice: they wait for its text."""
        self._logprobs += logprobs.to_responses(value)

    def add_annotations(self, value: Any, again: bool = False) -> None:
        """Add annotations of a chat message; *again*: those that are there already are not added."""
        citations = annotations.to_responses(value)
        if not isinstance(value, list) or len(citations) < len(value):
            self._report.dropped("annotations", "only URL citations are supported")
        self.cite([citation for citation in citations if not (again and json.encode(citation) in self._seen)])

    def cite(self, citations: list[Body]) -> None:
        """Add annotations: they belong to the text before them, or wait for one."""
        self._seen.update(map(json.encode, citations))
        self._annotations += citations
        last = self._out.last
        if isinstance(last, Message) and (not last.live or last.has_text):
            self._write_annotations(last)

    def flush(self) -> None:
        """The answer is over: write what was held back."""
        if self._tag_parser is not None:
            self._add_tagged(self._tag_parser.flush())
        if self._annotations:
            self._annotations = []
            self._report.dropped("annotations", "there is no text that they belong to")
        if self._logprobs:
            self._logprobs = []
            self._report.dropped("logprobs", "there is no text that they belong to")

    def _add_text(self, text: str) -> None:
        if self._tag_parser is None:
            self._write(text)
        else:
            self._add_tagged(self._tag_parser.feed(text))

    def _add_tagged(self, pieces: list[TaggedText]) -> None:
        """Hand on what stood in tags; what cannot be read is text after all."""
        for piece in pieces:
            if not (piece.tag and self._tag_readers[piece.tag](piece.text)):
                self._write(piece.raw or piece.text)

    def _write(self, piece: str) -> None:
        if not piece:
            return
        tokens, self._logprobs = self._logprobs, []
        message = self._message(self._texts)
        message.when_live(message.add_text, piece, tokens)
        if self._annotations:
            self._write_annotations(message)

    def _write_annotations(self, message: Message) -> None:
        ready, self._annotations = self._annotations, []
        for annotation in ready:
            message.when_live(message.add_annotation, annotation)

    def _message(self, messages: list[Message]) -> Message:
        """Return the message of now, which is one of *messages* from now on."""
        last = self._out.last
        if not isinstance(last, Message):
            last = self._new_message()
            self._out.add(last)
        if not messages or messages[-1] is not last:
            messages.append(last)
        return last


def _rest_of(whole: str, messages: list[Message], kind: str) -> str | None:
    """What a whole text has beyond all messages; where it differs from them, beyond the last one."""
    rest = repeats.rest_of(whole, (text for message in messages for text in message.texts(kind)))
    if rest is None and len(messages) > 1:
        rest = repeats.rest_of(whole, messages[-1].texts(kind))
    return rest
