"""The events about the items of a Response: each goes to the reader of its kind (protocol 5.5, R4-R9)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...losses import Report
from ...wire import json, validate
from ..growing import ChunkWriter
from .item_parts import TEXTS, Body
from .output_reader import TOO_DEEP, OutputReader

_REASONING_KINDS = {"reasoning_text": "content", "summary_text": "summary"}


class EventReader:
    """Reads the events that are about items."""

    def __init__(self, output: OutputReader, report: Report) -> None:
        self.last: Body | None = None
        """The event that was read last."""
        self._output = output
        self._messages = output.messages
        self._reasoning = output.reasoning
        self._calls = output.calls
        self._report = report

    def read(self, event: Body) -> bool:
        """Take an event; return whether it is one of those that are about items."""
        self.last = event
        kind = event.get("type")
        read = EVENTS.get(kind) if isinstance(kind, str) else None
        if read is not EventReader._add_text:
            self._messages.forget_address()
        if read is not None:
            read(self, event)
        return read is not None

    def appender(self) -> ChunkWriter | None:
        """Return what sends another piece of the text that the last event was about.

        None if the next piece has to be looked at first.
        """
        event = self.last or {}
        kind = event.get("type")
        find = APPENDERS.get(kind) if isinstance(kind, str) else None
        return find(self, event) if find else None

    def add_tokens(self, encoded: bytes) -> None:
        """Take the tokens, as JSON, of another piece of the text that grows."""
        self._messages.add_tokens(encoded)

    def _text_appender(self, event: Body) -> ChunkWriter | None:
        return self._messages.appender()

    def _reasoning_appender(self, event: Body) -> ChunkWriter | None:
        return self._reasoning.appender()

    def _payload_appender(self, event: Body) -> ChunkWriter | None:
        delta = event.get("delta")
        return self._calls.appender(self._calls.call_of(event)) if delta and isinstance(delta, str) else None

    # items

    def _announce_item(self, event: Body) -> None:
        body = event.get("item")
        if isinstance(body, dict):
            self._output.announce(body, validate.list_index(event.get("output_index")))

    def _finish_item(self, event: Body) -> None:
        body = event.get("item")
        if isinstance(body, dict):
            self._output.finish(body, validate.list_index(event.get("output_index")), event.get("item_id"))

    # messages and reasoning

    def _delta_of(self, event: Body) -> str:
        delta = event.get("delta")
        if isinstance(delta, str):
            return delta
        self._output.mark_broken("a delta that is not text")
        return ""

    def _add_text(self, event: Body) -> None:
        delta = event.get("delta")
        if isinstance(delta, str):
            self._messages.add_text(event, delta)
        else:
            self._messages.forget_address()  # nothing grows at the place that it names
            self._delta_of(event)

    def _finish_text(self, event: Body) -> None:
        self._messages.finish_part(event, {**event, "type": "output_text"})

    def _add_refusal(self, event: Body) -> None:
        self._messages.add_refusal(event, self._delta_of(event))

    def _finish_refusal(self, event: Body) -> None:
        self._messages.finish_part(event, {**event, "type": "refusal"})

    def _cite(self, event: Body) -> None:
        self._messages.cite(event)

    def _add_content(self, event: Body) -> None:
        self._reasoning.add("content", event, self._delta_of(event))

    def _finish_content(self, event: Body) -> None:
        self._reasoning.finish_part("content", event, event.get("text"))

    def _add_summary(self, event: Body) -> None:
        self._reasoning.add("summary", event, self._delta_of(event))

    def _finish_summary(self, event: Body) -> None:
        self._reasoning.finish_part("summary", event, event.get("text"))

    def _announce_part(self, event: Body) -> None:
        kind, part = self._part_of(event)
        if kind in TEXTS:
            self._messages.announce_part(event, part)
        elif kind in _REASONING_KINDS:
            self._reasoning.announce_part(_REASONING_KINDS[kind], event, part.get("text"))

    def _finish_part(self, event: Body) -> None:
        kind, part = self._part_of(event)
        if kind in TEXTS:
            self._messages.finish_part(event, part)
        elif kind in _REASONING_KINDS:
            self._reasoning.finish_part(_REASONING_KINDS[kind], event, part.get("text"))

    def _part_of(self, event: Body) -> tuple[str, Body]:
        """Return the type of a part, and the part; what is in a reasoning item is reasoning, whatever it is called."""
        part = event.get("part")
        kind = part.get("type") if isinstance(part, dict) else None
        if not isinstance(part, dict) or not isinstance(kind, str):
            return "", {}
        items = self._output.items
        if kind in TEXTS and items.is_named(event, "reasoning") and not items.is_named(event, "message"):
            kind = "reasoning_text"
        return kind, part

    # calls

    def _add_payload(self, event: Body) -> None:
        if piece := self._delta_of(event):
            self._calls.add(self._calls.call_of(event), piece)

    def _finish_call(self, event: Body) -> None:
        if json.is_deep(event):
            self._output.mark_broken(TOO_DEEP)
            return
        payload: Any = event.get("input") if event.get("arguments") is None else event["arguments"]
        call = self._calls.call_of(event, lambda item: item.begins(payload))
        self._calls.end_payload(call, payload)

    def _report_audio(self, event: Body) -> None:
        self._report.dropped("audio", "spoken audio is left out")


EVENTS: dict[str, Callable[[EventReader, Body], None]] = {
    "response.output_item.added": EventReader._announce_item,
    "response.output_item.done": EventReader._finish_item,
    **dict.fromkeys(
        ("response.content_part.added", "response.reasoning_summary_part.added", "response.reasoning_part.added"),
        EventReader._announce_part,
    ),
    **dict.fromkeys(
        ("response.content_part.done", "response.reasoning_summary_part.done", "response.reasoning_part.done"),
        EventReader._finish_part,
    ),
    "response.output_text.delta": EventReader._add_text,
    "response.output_text.done": EventReader._finish_text,
    "response.output_text.annotation.added": EventReader._cite,
    "response.refusal.delta": EventReader._add_refusal,
    "response.refusal.done": EventReader._finish_refusal,
    **dict.fromkeys(("response.reasoning_text.delta", "response.reasoning.delta"), EventReader._add_content),  # R9
    **dict.fromkeys(("response.reasoning_text.done", "response.reasoning.done"), EventReader._finish_content),
    "response.reasoning_summary_text.delta": EventReader._add_summary,
    "response.reasoning_summary_text.done": EventReader._finish_summary,
    "response.function_call_arguments.delta": EventReader._add_payload,
    "response.function_call_arguments.done": EventReader._finish_call,
    "response.custom_tool_call_input.delta": EventReader._add_payload,
    "response.custom_tool_call_input.done": EventReader._finish_call,
    **dict.fromkeys(("response.audio.delta", "response.audio.transcript.delta"), EventReader._report_audio),
}

APPENDERS: dict[str, Callable[[EventReader, Body], ChunkWriter | None]] = {
    "response.output_text.delta": EventReader._text_appender,
    **dict.fromkeys(
        ("response.reasoning_text.delta", "response.reasoning.delta", "response.reasoning_summary_text.delta"),
        EventReader._reasoning_appender,
    ),
    **dict.fromkeys(
        ("response.function_call_arguments.delta", "response.custom_tool_call_input.delta"),
        EventReader._payload_appender,
    ),
}
