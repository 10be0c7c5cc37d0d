"""Messages and reasoning as output items, and the order of events in each (protocol 5.2, I6-I13)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from ...parts import reasoning
from ...seals import COMPACTION, Seals
from ...wire import json
from ..growing import JsonListBuffer, TextBuffer
from .output import Body, Output, OutputItem


class Message(OutputItem):
    """A message with text and refusals; each kind is a part of its own."""

    _out: Output

    def __init__(self) -> None:
        super().__init__()
        self.tokens: JsonListBuffer = JsonListBuffer()
        """The log-probabilities of the open part."""
        self._part: Body | None = None
        self._at = -1  # its place in the content

    def open(self, out: Output) -> None:
        self._out = out
        blank = {"type": "message", "role": "assistant", "status": "in_progress", "content": []}
        self._announce(out, "msg", blank)

    def add_text(self, piece: str, logprobs: list[Body]) -> None:
        """Add a piece of text and the log-probabilities of its tokens."""
        self._open_part("output_text")
        self.buffer.add(piece)
        if logprobs:
            self.tokens.add(json.encode(logprobs))
        self._out.emit_for(self, "response.output_text.delta", content_index=self._at, delta=piece, logprobs=logprobs)

    def add_refusal(self, piece: str) -> None:
        """Add a piece of a refusal."""
        self._open_part("refusal")
        self.buffer.add(piece)
        self._out.emit_for(self, "response.refusal.delta", content_index=self._at, delta=piece)

    def add_annotation(self, annotation: Body) -> None:
        """Add an annotation to the text."""
        part = self._open_part("output_text")
        index = len(part["annotations"])
        part["annotations"].append(annotation)
        self._out.emit_for(
            self,
            "response.output_text.annotation.added",
            content_index=self._at,
            annotation_index=index,
            annotation=annotation,
        )

    def delta_event(self) -> tuple[str, Body] | None:
        if self._part is None or self._part["type"] != "output_text":
            return None
        return "response.output_text.delta", {"content_index": self._at, "delta": "", "logprobs": []}

    @property
    def has_text(self) -> bool:
        """Whether its open part is a text."""
        return self._part is not None and self._part["type"] == "output_text"

    def texts(self, kind: str) -> Iterator[str | TextBuffer]:
        """Return all that came of the text, or of the refusal: what was sent, and what waits for its turn."""
        for part in self.body.get("content", ()):
            if part["type"] == kind:
                yield self.buffer if part is self._part else part["text" if kind == "output_text" else kind]
        yield from self.pending(self.add_text if kind == "output_text" else self.add_refusal)

    def _open_part(self, kind: str) -> Body:
        """Return the open part of that kind, a new one if another kind is open."""
        if self._part is not None and self._part["type"] == kind:
            return self._part
        if self._part is not None:
            self._close_part(self._part)
        self._part = part = _blank(kind)
        self.body["content"].append(part)
        self._at += 1
        self._out.emit_for(self, "response.content_part.added", content_index=self._at, part=_blank(kind))
        return part

    def _close_part(self, part: Body) -> None:
        text, self._part = self.buffer.whole(), None
        self.buffer.clear()
        if part["type"] == "output_text":
            part["text"] = text
            if self.tokens:
                part["logprobs"] = self.tokens.whole()
                self.tokens.clear()
            self._out.emit_for(
                self, "response.output_text.done", content_index=self._at, text=text, logprobs=part["logprobs"]
            )
        else:
            part["refusal"] = text
            self._out.emit_for(self, "response.refusal.done", content_index=self._at, refusal=text)
        self._out.emit_for(self, "response.content_part.done", content_index=self._at, part=part)

    def close(self, status: str) -> None:
        if self._part is not None:
            self._close_part(self._part)
        self.body["status"] = status
        self._out.conclude(self)


def _blank(kind: str) -> Body:
    if kind == "output_text":
        return {"type": kind, "text": "", "annotations": [], "logprobs": []}
    return {"type": kind, "refusal": ""}


class Compaction(Message):
    """A summary, whose text is sealed and not shown (protocol 2.7)."""

    def __init__(self, seals: Seals) -> None:
        super().__init__()
        self._seals = seals

    def open(self, out: Output) -> None:
        self._out = out
        self._announce(out, "cmp", {"type": "compaction", "encrypted_content": ""})
        out.emit_for(self, "response.compaction.compacting")

    def add_text(self, piece: str, logprobs: list[Body]) -> None:
        self.buffer.add(piece)

    def add_refusal(self, piece: str) -> None:
        self.buffer.add(piece)

    @property
    def has_text(self) -> bool:
        return True

    def texts(self, kind: str) -> Iterator[str | TextBuffer]:
        yield self.buffer
        yield from self.pending(self.add_text)

    def add_annotation(self, annotation: Body) -> None:
        """A summary cites nothing."""

    def close(self, status: str) -> None:
        self.body["encrypted_content"] = reasoning.seal({"summary": self.buffer.whole()}, self._seals, COMPACTION)
        self._out.conclude(self)


class Reasoning(OutputItem):
    """Reasoning, shown as content, as a summary, as both or not at all, with sealed provider state."""

    _out: Output

    def __init__(self, show: str, seal: Callable[[Body], str | None]) -> None:
        super().__init__()
        self._in_summary = show in ("summary", "both")
        self._in_content = show in ("content", "both")
        self._seal = seal
        self._details: dict[str, reasoning.DetailsBuffer] = {}
        self._state: Body = {}  # what goes back with the text

    def open(self, out: Output) -> None:
        self._out = out
        body: Body = {"type": "reasoning", "status": "in_progress", "summary": []}
        if self._in_content:
            body["content"] = []
        self._announce(out, "rs", body)

    def add_text(self, piece: str) -> None:
        """Add a piece of thoughts."""
        if not self.buffer:
            self._open_parts()
        self.buffer.add(piece)
        if self._in_summary:
            self._out.emit_for(self, "response.reasoning_summary_text.delta", summary_index=0, delta=piece)
        if self._in_content:
            self._out.emit_for(self, "response.reasoning_text.delta", content_index=0, delta=piece)

    def delta_event(self) -> tuple[str, Body] | None:
        if not self.buffer or self._in_summary is self._in_content:  # nothing grows; every piece is no event, or two
            return None
        if self._in_summary:
            return "response.reasoning_summary_text.delta", {"summary_index": 0, "delta": ""}
        return "response.reasoning_text.delta", {"content_index": 0, "delta": ""}

    def texts(self) -> Iterator[str | TextBuffer]:
        """Return all that came of the thoughts: what was sent, and what waits for its turn."""
        yield self.buffer
        yield from self.pending(self.add_text)

    def add_details(self, name: str, entries: Any) -> None:
        """Add entries of a provider's own structure."""
        self._details.setdefault(name, reasoning.DetailsBuffer()).add(entries)

    @property
    def field(self) -> str | None:
        """The name under which the text came, if it has to go back under it."""
        return self._state.get("field")

    def keep(self, name: str, value: str) -> None:
        """Remember what goes back with the text: under which name it came (`field`), or what is beside it."""
        self._state[name] = value

    def sign(self, call_id: str, signature: Body) -> None:
        """Remember what goes back with a call."""
        self._state.setdefault("calls", {})[call_id] = signature

    def _open_parts(self) -> None:
        if self._in_summary:
            part = {"type": "summary_text", "text": ""}
            self._out.emit_for(self, "response.reasoning_summary_part.added", summary_index=0, part=part)
        if self._in_content:
            part = {"type": "reasoning_text", "text": ""}
            self._out.emit_for(self, "response.content_part.added", content_index=0, part=part)

    def close(self, status: str) -> None:
        text = self.buffer.whole()
        if text and self._in_summary:
            self._close_summary({"type": "summary_text", "text": text})
        if text and self._in_content:
            self._close_content({"type": "reasoning_text", "text": text})
        fields = {"text": text, **self._state}
        for name, details in self._details.items():
            fields[name] = details.joined()
        sealed = self._seal(fields)
        if sealed is not None:
            self.body["encrypted_content"] = sealed
        self.body["status"] = status
        self._out.conclude(self)

    def _close_summary(self, part: Body) -> None:
        self.body["summary"].append(part)
        self._out.emit_for(self, "response.reasoning_summary_text.done", summary_index=0, text=part["text"])
        self._out.emit_for(self, "response.reasoning_summary_part.done", summary_index=0, part=part)

    def _close_content(self, part: Body) -> None:
        self.body["content"].append(part)
        self._out.emit_for(self, "response.reasoning_text.done", content_index=0, text=part["text"])
        self._out.emit_for(self, "response.content_part.done", content_index=0, part=part)
