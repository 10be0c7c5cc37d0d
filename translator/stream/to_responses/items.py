"""Messages and reasoning as output items, and the order of events inside each (protocol 5.2, I6-I13)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from ...parts import reasoning
from ...wire import json
from ..growing import Members, Pieces
from .output import Body, Item, Output


class Message(Item):
    """Text and refusals; each kind is a part of its own."""

    prefix = "msg"

    def open(self, out: Output) -> None:
        self._out = out
        self._part: Body | None = None
        self._at = -1  # its place in the content
        self.tokens = Members()  # with their log-probabilities
        out.announce(self, {"type": "message", "role": "assistant", "status": "in_progress", "content": []})

    def text(self, piece: str, logprobs: list[Body]) -> None:
        self._open_part("output_text")
        self.pieces.add(piece)
        if logprobs:
            self.tokens.add(json.encode(logprobs))
        self._out.say_of(self, "response.output_text.delta", content_index=self._at, delta=piece, logprobs=logprobs)

    def refusal(self, piece: str) -> None:
        self._open_part("refusal")
        self.pieces.add(piece)
        self._out.say_of(self, "response.refusal.delta", content_index=self._at, delta=piece)

    def annotation(self, annotation: Body) -> None:
        part = self._open_part("output_text")
        index = len(part["annotations"])
        part["annotations"].append(annotation)
        self._out.say_of(
            self,
            "response.output_text.annotation.added",
            content_index=self._at,
            annotation_index=index,
            annotation=annotation,
        )

    @property
    def has_text(self) -> bool:
        """Whether its open part is a text."""
        return self._part is not None and self._part["type"] == "output_text"

    def said(self, kind: str) -> Iterator[str | Pieces]:
        """Return all that it heard of the text, or of the refusal: what it said, and what waits for its turn."""
        for part in self.body.get("content", ()):
            if part["type"] == kind:
                yield self.pieces if part is self._part else part["text" if kind == "output_text" else kind]
        yield from self.waiting(self.text if kind == "output_text" else self.refusal)

    def _open_part(self, kind: str) -> Body:
        if self._part is not None and self._part["type"] == kind:
            return self._part
        self._close_part()
        self._part = part = _blank(kind)
        self.body["content"].append(part)
        self._at += 1
        self._out.say_of(self, "response.content_part.added", content_index=self._at, part=_blank(kind))
        if kind == "output_text":
            place = {"content_index": self._at, "delta": "", "logprobs": []}
            self.delta = ("response.output_text.delta", place)
        return part

    def _close_part(self) -> None:
        self.delta = None
        part, self._part = self._part, None
        if part is None:
            return
        text, self.pieces = self.pieces.whole(), Pieces()
        if part["type"] == "output_text":
            part["text"] = text
            part["logprobs"], self.tokens = self.tokens.whole(), Members()
            self._out.say_of(
                self, "response.output_text.done", content_index=self._at, text=text, logprobs=part["logprobs"]
            )
        else:
            part["refusal"] = text
            self._out.say_of(self, "response.refusal.done", content_index=self._at, refusal=text)
        self._out.say_of(self, "response.content_part.done", content_index=self._at, part=part)

    def close(self, status: str) -> None:
        self._close_part()
        self.body["status"] = status
        self._out.conclude(self)


def _blank(kind: str) -> Body:
    if kind == "output_text":
        return {"type": kind, "text": "", "annotations": [], "logprobs": []}
    return {"type": kind, "refusal": ""}


class Compaction(Message):
    """A summary: nothing of its text is shown, it is sealed (protocol 2.7)."""

    prefix = "cmp"

    def open(self, out: Output) -> None:
        self._out = out
        out.announce(self, {"type": "compaction", "encrypted_content": ""})
        out.say_of(self, "response.compaction.compacting")

    def text(self, piece: str, logprobs: list[Body]) -> None:
        self.pieces.add(piece)

    def refusal(self, piece: str) -> None:
        self.pieces.add(piece)

    @property
    def has_text(self) -> bool:
        return True

    def said(self, kind: str) -> Iterator[str | Pieces]:
        yield self.pieces
        yield from self.waiting(self.text)

    def annotation(self, annotation: Body) -> None:
        """A summary cites nothing."""

    def close(self, status: str) -> None:
        self.body["encrypted_content"] = reasoning.seal({"summary": self.pieces.whole()})
        self._out.conclude(self)


class Reasoning(Item):
    """Thoughts, shown as content, as a summary, as both or not at all; and what the provider wants back, sealed."""

    prefix = "rs"

    def __init__(self, show: str, seal: Callable[[Body], str | None]) -> None:
        super().__init__()
        self._show = show
        self._seal = seal
        self._details: dict[str, reasoning.DetailsBuffer] = {}
        self._given: Body = {}

    def open(self, out: Output) -> None:
        self._out = out
        body: Body = {"type": "reasoning", "status": "in_progress", "summary": []}
        if self._show in ("content", "both"):
            body["content"] = []
        out.announce(self, body)

    def text(self, piece: str) -> None:
        if not self.pieces:
            self._open_parts()
        self.pieces.add(piece)
        if self._show in ("summary", "both"):
            self._out.say_of(self, "response.reasoning_summary_text.delta", summary_index=0, delta=piece)
        if self._show in ("content", "both"):
            self._out.say_of(self, "response.reasoning_text.delta", content_index=0, delta=piece)

    def said(self) -> Iterator[str | Pieces]:
        """Return all that it heard of the thoughts: what it said, and what waits for its turn."""
        yield self.pieces
        yield from self.waiting(self.text)

    def details(self, name: str, entries: Any) -> None:
        self._details.setdefault(name, reasoning.DetailsBuffer()).add(entries)

    @property
    def field(self) -> str | None:
        """Under which name the text came, if that is a matter."""
        return self._given.get("field")

    def keep(self, name: str, value: str) -> None:
        """Remember what goes back with the text: under which name it came (`field`), or what is beside it."""
        self._given[name] = value

    def sign(self, call_id: str, signature: Body) -> None:
        self._given.setdefault("calls", {})[call_id] = signature

    def _open_parts(self) -> None:
        if self._show in ("summary", "both"):
            part = {"type": "summary_text", "text": ""}
            self._out.say_of(self, "response.reasoning_summary_part.added", summary_index=0, part=part)
            self.delta = ("response.reasoning_summary_text.delta", {"summary_index": 0, "delta": ""})
        if self._show in ("content", "both"):
            part = {"type": "reasoning_text", "text": ""}
            self._out.say_of(self, "response.content_part.added", content_index=0, part=part)
            self.delta = ("response.reasoning_text.delta", {"content_index": 0, "delta": ""})
        if self._show == "both":
            self.delta = None  # every piece is said twice

    def close(self, status: str) -> None:
        text = self.pieces.whole()
        if text and self._show in ("summary", "both"):
            self._close_summary({"type": "summary_text", "text": text})
        if text and self._show in ("content", "both"):
            self._close_content({"type": "reasoning_text", "text": text})
        details = {name: entries.joined() for name, entries in self._details.items()}
        sealed = self._seal({"text": text, **self._given, **details})
        if sealed is not None:
            self.body["encrypted_content"] = sealed
        self.body["status"] = status
        self._out.conclude(self)

    def _close_summary(self, part: Body) -> None:
        self.body["summary"].append(part)
        self._out.say_of(self, "response.reasoning_summary_text.done", summary_index=0, text=part["text"])
        self._out.say_of(self, "response.reasoning_summary_part.done", summary_index=0, part=part)

    def _close_content(self, part: Body) -> None:
        self.body["content"].append(part)
        self._out.say_of(self, "response.reasoning_text.done", content_index=0, text=part["text"])
        self._out.say_of(self, "response.content_part.done", content_index=0, part=part)
