"""Turn the choices of chunks into texts, reasoning and calls of the answer (protocol 4.4, 5.4)."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from ...parts import content, endings
from ...parts import reasoning as thoughts
from .call_item import CallItem
from .call_writer import CallWriter
from .chunk_choices import ChoiceSelector, Contribution, index_of, read
from .items import Compaction, Message
from .metadata import AnswerMetadata
from .output import Body, Output
from .reasoning import ReasoningWriter, seal_state
from .response_context import ResponseContext
from .tags import CALL, THINK
from .text_writer import TextWriter


class ChoiceWriter:
    """Passes each member of a choice to the writer of its kind."""

    def __init__(self, out: Output, about: ResponseContext, metadata: AnswerMetadata) -> None:
        report = about.context.report
        seal = partial(seal_state, about.context.seals, about.model, about.seal_reasoning)
        self.selector: ChoiceSelector = ChoiceSelector()
        self.reasoning: ReasoningWriter = ReasoningWriter(out, report, about.show_reasoning, seal, metadata.can_carry)
        self.calls: CallWriter = CallWriter(out, about.context, about.catalog, about.new_id, metadata, self.reasoning)
        tag_readers = {THINK: self.reasoning.add_tagged, CALL: self.calls.add_tagged}
        new_message = partial(Compaction, about.context.seals) if about.compacts else Message
        self.text: TextWriter = TextWriter(out, about.context, new_message, tag_readers)
        self.error: Any = None
        """The upstream's own error, if it is a member of a delta or a message."""
        self._compacts = about.compacts
        self._out = out
        self._report = report
        self._metadata = metadata
        self._cumulative = about.context.profile.cumulative_deltas
        self._loose = False  # what differs from what came before is not a summary of it, but more

    def add(self, choice: Body, is_finished: bool) -> None:
        """Add what a choice holds; *is_finished*: it is a choice of a finished answer."""
        if "usage" in choice or "x_groq" in choice:
            self._metadata.read_usage(choice)
        index, contributions = index_of(choice), read(choice)
        begins = not (self._out.answer["output"] or self._out.last)
        parts: list[tuple[Contribution, Body, list[Any]]] = []
        for contribution in contributions:
            members, calls = self.selector.select(index, contribution)
            parts.append((contribution, members, calls))
            if len(members) < len(contribution.members) and not calls:
                self._report.dropped("choices", "a Response holds one answer; only the first choice is used")  # D40
        if self.selector.is_copy(index):
            return
        if choice.get("logprobs") and (begins or not (contributions and contributions[0].whole)):
            self.text.add_logprobs(choice["logprobs"])
        self._loose = self._cumulative or not (is_finished or len(contributions) > 1)
        for contribution, members, calls in parts:
            is_first = begins and contribution is contributions[0]
            self._add_members(members, again=self._cumulative or (contribution.whole and not is_first))
            if calls:
                self.calls.add(calls, again=True)
        reason = endings.normalize(choice.get("finish_reason"))
        if reason is not None and self._metadata.add_reason(reason):
            self._close_items()

    def problem(self) -> str | None:
        """Return why the answer must not end well although its end came."""
        if problem := self._metadata.damage or self.calls.problem():
            return problem
        return "The upstream wrote no summary." if self._compacts and not self._is_summary() else None

    def _is_summary(self) -> bool:
        """Whether the answer to a compaction is one summary and nothing that only looks like it."""
        kinds = [item["type"] for item in self._out.answer["output"] if item["type"] != "reasoning"]
        return kinds == ["compaction"] and not self.text.has_refusal

    def _add_members(self, members: Body, again: bool) -> None:
        """Add members of a delta or a message; *again*: what came before is in them once more."""
        if not thoughts.FIELDS.isdisjoint(members):
            if again:
                self.reasoning.add_whole(members, self._loose)
            else:
                self.reasoning.add(members)
        for name, value in members.items():
            if add := DELTAS.get(name):
                add(self, value, again)
            elif name not in thoughts.FIELDS:
                self._report.dropped(name, "unknown answer field", value)

    def _close_items(self) -> None:
        """Clients run tools as soon as a call is done: do not wait for the usage. A text may still go on (W1)."""
        last = self._out.last
        if self._metadata.announced == endings.COMPLETED and isinstance(last, CallItem) and last.is_complete():
            self.text.flush()
            if not self.problem():
                self._out.close_all("completed")  # a cut item must be the last one (I19): it waits for the end

    def _add_content(self, value: Any, again: bool) -> None:
        if isinstance(value, str) and not again:  # as nearly always
            self.text.add(value)
            return
        parts = value if isinstance(value, list) else [value]  # some servers send parts
        if again:
            whole = "".join([thoughts.thoughts_text(part) for part in parts if content.is_thought(part)])
            self.reasoning.add_whole_text(whole, self._loose, thoughts.AMONG_PARTS)
            self.text.add_whole([part for part in parts if not content.is_thought(part)], self._loose)
            return
        for part in parts:
            if content.is_thought(part):
                self.reasoning.add_text(thoughts.thoughts_text(part), thoughts.AMONG_PARTS)
            else:
                self.text.add(part)

    def _add_refusal(self, value: Any, again: bool) -> None:
        if again:
            self.text.add_whole_refusal(value, self._loose)
        else:
            self.text.add_refusal(value)

    def _add_annotations(self, value: Any, again: bool) -> None:
        self.text.add_annotations(value, again)

    def _add_error(self, value: Any, again: bool) -> None:
        self.error = value

    def _add_calls(self, value: Any, again: bool) -> None:
        self.calls.add(value, again)

    def _add_legacy_call(self, value: Any, again: bool) -> None:
        self.calls.add_legacy(value, again)


DELTAS: dict[str, Callable[[ChoiceWriter, Any, bool], None]] = {
    "content": ChoiceWriter._add_content,
    "annotations": ChoiceWriter._add_annotations,
    "refusal": ChoiceWriter._add_refusal,
    "error": ChoiceWriter._add_error,
    "tool_calls": ChoiceWriter._add_calls,
    "function_call": ChoiceWriter._add_legacy_call,
}
