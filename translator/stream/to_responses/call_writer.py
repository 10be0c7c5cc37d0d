"""The tool calls of an answer: deltas and whole calls in, items out (D5, W4)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...context import Context
from ...parts import endings
from ...parts.catalog import Catalog
from . import call_deltas, repeats
from .call_deltas import LEGACY, CallIndex
from .call_item import CallItem
from .metadata import AnswerMetadata
from .output import Body, Output
from .reasoning import ReasoningWriter


class CallWriter:
    """Writes calls into items; the provider state of a call goes into the reasoning item before it."""

    def __init__(
        self,
        out: Output,
        context: Context,
        catalog: Catalog,
        new_id: Callable[[str], str],
        metadata: AnswerMetadata,
        reasoning: ReasoningWriter,
    ) -> None:
        self.index: CallIndex = CallIndex(catalog, new_id)
        self._out = out
        self._report = context.report
        self._cumulative = context.profile.cumulative_deltas
        self._catalog = catalog
        self._metadata = metadata
        self._reasoning = reasoning
        self._tags = 0  # calls that stood in a tag

    def release(self, catalog: Catalog) -> None:
        """Know the tools from *catalog*: it has no declarations."""
        self._catalog = catalog
        self.index.release(catalog)

    def add(self, deltas: Any, again: bool) -> None:
        """Add the members of `tool_calls`; *again*: what came before is in them once more."""
        is_message = again and not self._cumulative
        for position, delta in enumerate(deltas if isinstance(deltas, list) else [deltas]):
            if isinstance(delta, dict):
                self._add_one(delta, again, position if is_message else None)

    def add_legacy(self, function: Any, again: bool) -> None:
        """Add the call of the older member, unless it is among the others."""
        if not self.index.has_twin(function):
            self.add([{"index": LEGACY, "function": function}], again)

    def add_tagged(self, text: str) -> bool:
        """Add the call that stood in a tag of the text; False if it is none."""
        call = call_deltas.from_tag(text, self._catalog)
        if call is None:
            return False
        self._tags += 1
        self._add_one({"index": f"tag {self._tags}", **call}, again=False, position=None)
        return True

    def _add_one(self, member: Body, again: bool, position: int | None) -> None:
        delta = call_deltas.read(member)
        if delta.is_empty:
            return
        call, is_new = self.index.find(delta, position)
        if delta.extra is not None:
            self._add_signature(call, delta.extra, is_new, again)
        if again:
            if not call.add_whole(delta.payload):
                self._report.approximated("tool_calls", repeats.DIFFERS)
        elif delta.payload:
            call.add(delta.payload)
        if is_new:
            self._out.add(call)
        else:
            self._out.begin_first()

    def _add_signature(self, call: CallItem, signature: Body, is_new: bool, again: bool) -> None:
        """D5: what a provider wants back with this call travels in the reasoning item before it."""
        if is_new and self._metadata.can_carry(signature):
            call.settle()
            self._reasoning.sign(call.call_id, signature)
        elif not (is_new or again):
            self._report.dropped("tool_calls", "a signature came too late for its call")

    def problem(self) -> str | None:
        """Return why the answer must not end well although its end came: what is wrong with its calls."""
        calls, metadata = self.index.calls, self._metadata
        if not calls:  # D15
            announced = metadata.finish_reason in endings.CALLS
            return "The upstream announced tool calls and sent none." if announced else None
        for call in calls:
            if call.arguments.broken:
                return "The upstream sent more arguments for a tool call that was already complete."
        for call in calls:
            if not call.name:
                return "The upstream sent a tool call without a name."
        if metadata.finish_reason is None:  # D19, but one of these was cut
            for call in calls:
                if not call.is_complete():
                    return metadata.why_failed()
        if metadata.announced.status != "incomplete":
            for call in calls:
                if call.has_open_input():  # a client would run half of it
                    return "The upstream left the input of a tool call unfinished."
        return None
