"""Chat Completions chunks in, Responses events out (protocol 5.4).

A finished answer takes the same way, as one chunk: whole and streamed answers cannot disagree.
Nothing is read, written, timed or made up here: ids and time are handed in.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from ... import fields
from ...context import Context
from ...errors import ProtocolMisuse, TranslationError, UpstreamError
from ...parts import content, endings, logprobs, reasoning, upstream_errors
from ...parts.catalog import Catalog
from ...wire import json
from . import call_deltas, repeats
from .call_deltas import LEGACY
from .call_item import Call
from .chunk_choices import Choices, in_order, read
from .fast_path import ChunkFastPath
from .items import Compaction, Message
from .metadata import Facts
from .output import Body, Output
from .reasoning import Thinking
from .tags import THINK
from .text_writer import Words


class Asked(NamedTuple):
    """What reading an answer needs to know of its request."""

    blank: Body  # the Response object before anything is known of the answer
    catalog: Catalog
    context: Context
    show_reasoning: str  # content | summary | both | off
    seal_reasoning: bool  # the client asked for encrypted reasoning
    compacts: bool  # the answer is a summary
    new_id: Callable[[str], str]
    clock: Callable[[], float]
    caller_path: Callable[[str], str | None] = str  # turns a place in the upstream's request into the client's


class ToResponses:
    """One answer. Call ``feed`` with every chunk and ``finish`` at the end; all return the events that follow.

    ``start`` may be called ahead of the first chunk. Before anything has started, an error of the upstream is raised as
    UpstreamError; afterwards it ends the answer as failed. ProtocolMisuse is raised for a call after the end. When
    *quiet*, there are no events, only the answer. Events are the caller's, to be changed at will; unless they are
    *apart*, they share objects with each other and with the answer.
    """

    def __init__(self, asked: Asked, quiet: bool = False, apart: bool = True) -> None:
        self.answer: Body = fields.own_answer(asked.blank)
        self.answer["id"] = asked.new_id("resp")
        self.started: bool = False
        self.ended: bool = False
        self.failure: TranslationError | None = None
        """The error that the upstream sent in its answer; the client of a stream reads it in `response.failed`."""
        self._asked = asked
        self._report = asked.context.report
        self._out = Output(self.answer, asked.new_id, asked.context.profile.events, quiet, apart)
        self._calls = call_deltas.Calls(self._new_call, asked.catalog)
        self._facts = Facts(self.answer, self._report)
        self._broken: str | None = None
        self._tags = 0
        self._choices = Choices()
        self._loose = False  # what differs from what was said before is not a summary of it, but more
        self._words = Words(self._out, asked.context, Compaction if asked.compacts else Message, self._marked)
        self._thinking = Thinking(self._out, self._report, asked.show_reasoning, self._seal, self._fits)

    cut_short = False
    """Never ended from here: there is nothing to cut."""
    failing = False
    """Never: a failure comes with its reason."""

    @property
    def finishing(self) -> bool:
        """The model is done; only usage and the end of the stream are outstanding."""
        return self._facts.finish_reason is not None and not self.ended

    def start(self) -> list[Body]:
        """Begin the answer now: `response.created` and `response.in_progress`; nothing if that happened before."""
        self._expect_open()
        self._begin()
        return self._out.take_events()

    def feed(self, chunk: Any) -> list[Body]:
        """Take one chunk of the upstream's stream."""
        self._expect_open()
        self._out.cause = chunk
        if upstream_errors.is_error(chunk):
            return self._broke(chunk)
        if not isinstance(chunk, dict):
            self.garbled("a chunk that is not an object")
            return []
        if citations := self._facts.take(chunk, self.started):
            self._words.cite(citations)
        for choice in in_order(chunk.get("choices")):
            self._begin()
            self._choice(choice)
            if choice.get("error"):  # OpenRouter
                self._error(choice["error"])
            if self.failure is not None:
                return self._out.take_events() + self.fail(self.failure)
        return self._out.take_events()

    def fast_path(self) -> ChunkFastPath | None:
        """Return the fast path for pieces of text, from bytes to frames."""
        cumulative = self._asked.context.profile.cumulative_deltas
        return None if cumulative else ChunkFastPath(self._out, self._words, self._calls, self._choices)

    def release(self) -> None:
        """Keep of the request only what the answer repeats, as JSON: objects take several times as much memory."""
        for name in fields.REPEATED:
            value = self.answer[name]
            if value and isinstance(value, (dict, list)):
                self.answer[name] = json.as_raw(value)
        about = {"model": self._asked.blank["model"]}
        catalog = self._asked.catalog.without_declarations()
        self._asked = self._asked._replace(blank=about, catalog=catalog, caller_path=upstream_errors.no_path)
        self._calls.release(catalog)

    def garbled(self, what: str) -> None:
        """Something came that cannot be read: what it said is lost, so the answer must not end as completed."""
        self._broken = self._broken or f"The upstream sent {what}."

    def finish(self, clean: bool = False) -> list[Body]:
        """The stream is over; *clean*: the upstream said so itself (`[DONE]`)."""
        self._expect_open()
        if not self.started:
            raise UpstreamError(self._broken or "The upstream ended its stream before it began an answer.")
        self._words.flush()
        if problem := self._problem():
            return self.fail(UpstreamError(problem))
        ending = self._facts.ending(clean, said=bool(self.answer["output"]) or self._out.last is not None)
        if ending is endings.FAILED:
            return self.fail(UpstreamError(self._facts.why_failed()))
        self._end(ending)
        return self._out.take_events()

    def _problem(self) -> str | None:
        """Why the answer must not end well although its end came."""
        if self._broken:
            return self._broken
        if self._calls.came:
            if problem := self._problem_of_calls():
                return problem
        elif self._facts.finish_reason in endings.CALLS:  # D15
            return "The upstream announced tool calls and sent none."
        if self._asked.compacts and not self._is_summary():
            return "The upstream wrote no summary."
        return None

    def _problem_of_calls(self) -> str | None:
        if self._calls.are_broken():
            return "The upstream sent more arguments for a tool call that was whole."
        if not self._calls.are_named():
            return "The upstream sent a tool call without a name."
        if self._facts.finish_reason is None and not self._calls.are_whole():  # D19, but this one was cut
            return self._facts.why_failed()
        if self._facts.announced.status != "incomplete" and self._calls.have_open_input():
            return "The upstream left the input of a tool call unfinished."
        return None

    def _is_summary(self) -> bool:
        """Whether the answer to a compaction is one summary and nothing that only looks like it."""
        items = [item for item in self.answer["output"] if item["type"] != "reasoning"]
        return [item["type"] for item in items] == ["compaction"] and not self._words.refused

    def fail(self, error: TranslationError) -> list[Body]:
        """End the answer as failed; what arrived before stays in it. Raises *error* if nothing had started."""
        self._expect_open()
        if not self.started:
            raise error
        self._words.flush()
        self._out.close_all("incomplete")
        said = upstream_errors.to_responses(error)
        self.answer["error"] = said
        if self._asked.context.profile.events == "openresponses":
            shown = {"type": error.type, "code": said["code"], "message": error.message, "param": None}
            self._out.say("error", error=shown)
        self._conclude("failed")
        return self._out.take_events()

    def _seal(self, fields: Body) -> str | None:
        """What must go back unread: always for a provider's own structures, texts only when asked for."""
        owned = any(name in fields for name in (*reasoning.DETAIL_FIELDS, reasoning.OPAQUE_FIELD, "calls"))
        if not owned and not (self._asked.seal_reasoning and fields["text"]):
            return None
        return reasoning.seal({**fields, "model": self._asked.blank["model"]})

    def _new_call(self) -> Call:
        catalog = self._asked.catalog
        return Call(catalog.declared_or_known, lambda: self._asked.new_id("call"), catalog.may_go_on)

    # the frame of the answer

    def _expect_open(self) -> None:
        if self.ended:
            raise ProtocolMisuse("The answer has ended.")

    def _begin(self) -> None:
        if self.started:
            return
        self.started = True
        if self.answer["created_at"] is None:
            self.answer["created_at"] = int(self._asked.clock())
        if self._out.quiet:
            return
        snapshot = {**self.answer, "output": [], "usage": None}
        self._out.say("response.created", response=snapshot)
        self._out.say("response.in_progress", response=snapshot)

    def _end(self, ending: endings.Ending) -> None:
        self._out.close_all("completed" if ending.status == "completed" else "incomplete")
        if ending.reason:
            self.answer["incomplete_details"] = {"reason": ending.reason}
        self._conclude(ending.status)

    def _conclude(self, status: str) -> None:
        self.ended = True
        self.answer["status"] = status
        if status == "completed":
            self.answer["completed_at"] = int(self._asked.clock()) or self.answer["created_at"]
        self._out.say(f"response.{status}", response=self.answer)

    # the choice

    def _choice(self, choice: Body) -> None:
        self._facts.take_usage(choice)
        sayings, begins = read(choice), not (self.answer["output"] or self._out.last)
        owned = [(saying, *self._choices.own(choice, saying)) for saying in sayings]
        if any(len(words) < len(saying.words) and not others for saying, words, others in owned):
            self._report.dropped("choices", "a Response is one answer; the first choice is taken")  # D40
        if self._choices.is_copy(choice):
            return
        if choice.get("logprobs") and (begins or not (sayings and sayings[0].whole)):
            self._words.logprobs += logprobs.to_responses(choice["logprobs"])
        cumulative = self._asked.context.profile.cumulative_deltas
        is_summary = len(sayings) > 1 or self._out.cause.get("object") == "chat.completion"
        self._loose = cumulative or not is_summary
        for saying, words, others in owned:
            self._take(words, again=cumulative or (saying.whole and not (begins and saying is sayings[0])))
            if others:
                self._tool_calls(others, again=True)
        reason = endings.normalize(choice.get("finish_reason"))
        if reason is not None and self._facts.take_reason(reason):
            self._close_items()

    def _take(self, words: Body, again: bool) -> None:
        """Take words; *again*: what was said before is in them once more."""
        if again:
            self._thinking.take_again(words, self._loose)
        elif not reasoning.FIELDS.isdisjoint(words):
            self._thinking.take(words)
        for name, value in words.items():
            if take := DELTAS.get(name):
                take(self, value, again)
            elif name not in reasoning.FIELDS:
                self._report.dropped(name, "no such part of an answer is known", value)

    def _close_items(self) -> None:
        """Clients run tools as soon as a call is done: do not wait for the usage. A text may still go on (W1)."""
        last = self._out.last
        if self._facts.announced == endings.COMPLETED and isinstance(last, Call) and last.is_complete():
            self._words.flush()
            if not self._problem():
                self._out.close_all("completed")  # a cut item must be the last one (I19): it waits for the end

    # words

    def _marked(self, tag: str, text: str) -> bool:
        """Take what stood in a tag of the text; False: it is none of ours, and text after all."""
        if tag == THINK:
            self._thinking.take_text(text)
            return True
        call = call_deltas.from_markup(text, self._asked.catalog)
        if call is None:
            return False
        self._tags += 1
        self._tool_call({"index": f"tag {self._tags}", **call})
        return True

    def _content(self, value: Any, again: bool) -> None:
        parts = value if isinstance(value, list) else [value]  # some servers send parts
        if again:
            thoughts = "".join([reasoning.thoughts_text(part) for part in parts if content.is_thought(part)])
            self._thinking.take_text_again(thoughts, self._loose, reasoning.AMONG_PARTS)
            self._words.take_again([part for part in parts if not content.is_thought(part)], self._loose)
            return
        for part in parts:
            if content.is_thought(part):
                self._thinking.take_text(reasoning.thoughts_text(part), reasoning.AMONG_PARTS)
            else:
                self._words.take(part)

    def _refusal(self, value: Any, again: bool) -> None:
        if again:
            self._words.refuse_again(value, self._loose)
        else:
            self._words.refuse(value)

    def _broke(self, chunk: Any) -> list[Body]:
        """The upstream's own error instead of an answer; what was used before it is paid all the same (W7)."""
        if isinstance(chunk, dict):
            self._facts.take_usage(chunk)
        self.failure = upstream_errors.with_caller_path(upstream_errors.from_value(chunk), self._asked.caller_path)
        return self.fail(self.failure)

    def _error(self, value: Any, again: bool = False) -> None:
        """The upstream's own error, inside of its answer."""
        self.failure = upstream_errors.with_caller_path(
            upstream_errors.from_value({"error": value}), self._asked.caller_path
        )

    def _annotate(self, value: Any, again: bool) -> None:
        self._words.annotate(value, again)

    def _fits(self, value: Any) -> bool:
        """Whether a provider's own structure can be carried unread."""
        if json.is_deep(value):
            self.garbled("a value that is nested too deeply")
            return False
        return True

    # calls

    def _tool_calls(self, deltas: Any, again: bool) -> None:
        is_message = again and not self._asked.context.profile.cumulative_deltas
        for at, delta in enumerate(deltas if isinstance(deltas, list) else [deltas]):
            if isinstance(delta, dict):
                self._tool_call(delta, again, at if is_message else None)

    def _tool_call(self, delta: Body, again: bool = False, position: int | None = None) -> None:
        fragment = call_deltas.read(delta)
        if not any(fragment[1:4]) and fragment.extra is None:  # says nothing
            return
        call, is_new = self._calls.find(fragment, position)
        if is_new:
            self._sign(call, fragment.extra)
        elif fragment.extra is not None and not again:
            self._report.dropped("tool_calls", "a signature came too late for its call")
        if again and not call.hear_again(fragment.piece):
            self._report.approximated("tool_calls", repeats.DIFFERS)
        elif not again and fragment.piece:
            call.hear(fragment.piece)
        if is_new:
            self._out.add(call)
        else:
            self._out.begin_first()

    def _sign(self, call: Call, extra: Body | None) -> None:
        """D5: what a provider wants back with this call travels in the reasoning item before it."""
        if extra is not None and self._fits(extra):
            call.settle()
            item = self._thinking.item()
            item.take(item.sign, call.call_id, extra)

    def _legacy_call(self, value: Any, again: bool) -> None:
        if not self._calls.has_twin(value):
            self._tool_calls([{"index": LEGACY, "function": value}], again)


DELTAS: dict[str, Callable[[ToResponses, Any, bool], None]] = {
    "content": ToResponses._content,
    "annotations": ToResponses._annotate,
    "refusal": ToResponses._refusal,
    "error": ToResponses._error,
    "tool_calls": ToResponses._tool_calls,
    "function_call": ToResponses._legacy_call,
}
