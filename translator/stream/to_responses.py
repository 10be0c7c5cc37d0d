"""Chat Completions chunks in, Responses events out (protocol 5.4).

A finished answer takes the same way, as one chunk: whole and streamed answers cannot disagree.
Nothing is read, written, timed or made up here: ids and time are handed in.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from ..errors import BadUpstream, Misuse, TranslationError
from ..parts import annotations, endings, errors, logprobs, reasoning
from ..parts.tools import Catalog
from ..profiles import Terms
from ..wire import json
from . import fragments
from .facts import Facts
from .items import Call, Compaction, Message, Reasoning
from .markup import CALL, THINK, Markup, Piece
from .output import Body, Output


class Asked(NamedTuple):
    """What reading an answer needs to know of its request."""

    blank: Body  # the Response object before anything is known of the answer
    catalog: Catalog
    terms: Terms
    show_reasoning: str  # content | summary | both | off
    seal_reasoning: bool  # the client asked for encrypted reasoning
    compacts: bool  # the answer is a summary
    new_id: Callable[[str], str]
    clock: Callable[[], float]


class ToResponses:
    """One answer. Call ``feed`` with every chunk and ``finish`` at the end; all return the events that follow.

    ``start`` may be called ahead of the first chunk. Before anything has started, an error of the upstream is raised as
    BadUpstream; afterwards it ends the answer as failed. Misuse is raised for a call after the end.
    """

    def __init__(self, asked: Asked) -> None:
        self.answer: Body = {**asked.blank, "id": asked.new_id("resp"), "output": []}
        self.started = False
        self.ended = False
        self._asked = asked
        self._report = asked.terms.report
        self._out = Output(self.answer, asked.new_id, asked.terms.profile.events)
        self._calls = fragments.Calls(self._new_call)
        self._facts = Facts(self.answer, self._report)
        self._broken: str | None = None
        self._markup = Markup(tags) if (tags := asked.terms.profile.markup) else None
        self._logprobs: list[Body] = []  # D38: they may come ahead of their text
        self._annotations: list[Body] = []

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
        if not isinstance(chunk, dict):
            self.garbled("a chunk that is not an object")
            return []
        if chunk.get("error"):
            return self.fail(errors.from_value(chunk))
        self._facts.take(chunk, self.started)
        choices = chunk.get("choices")
        for choice in choices if isinstance(choices, list) else []:
            if isinstance(choice, dict):
                self._begin()
                self._choice(choice)
                if choice.get("error"):
                    return self._out.take_events() + self.fail(errors.from_value(choice))
        return self._out.take_events()

    def garbled(self, what: str) -> None:
        """Something came that cannot be read: what it said is lost, so the answer must not end as completed."""
        self._broken = self._broken or f"The upstream sent {what}."

    def finish(self, clean: bool = False) -> list[Body]:
        """The stream is over; *clean*: the upstream said so itself (`[DONE]`)."""
        self._expect_open()
        if not self.started:
            raise BadUpstream(self._broken or "The upstream ended its stream before it began an answer.")
        self._flush()
        if problem := self._problem():
            return self.fail(BadUpstream(problem))
        ending = self._facts.ending(clean, said=bool(self.answer["output"]) or self._out.last is not None)
        if ending is endings.FAILED:
            return self.fail(BadUpstream(self._facts.why_failed()))
        self._end(ending)
        return self._out.take_events()

    def _problem(self) -> str | None:
        """Why the answer must not end well although its end came."""
        if self._broken:
            return self._broken
        if not self._calls.are_named():
            return "The upstream sent a tool call without a name."
        if self._facts.finish_reason in endings.CALLS and not self._calls.came:  # D15
            return "The upstream announced tool calls and sent none."
        if self._asked.compacts and not any(item["type"] == "compaction" for item in self.answer["output"]):
            return "The upstream wrote no summary."
        return None

    def fail(self, error: TranslationError) -> list[Body]:
        """End the answer as failed; what arrived before stays in it. Raises *error* if nothing had started."""
        self._expect_open()
        if not self.started:
            raise error
        self._flush()
        self._out.close_all("incomplete")
        said = errors.to_responses(error)
        self.answer["error"] = said
        if self._asked.terms.profile.events == "openresponses":
            shown = {"type": error.type, "code": said["code"], "message": error.message, "param": None}
            self._out.say("error", error=shown)
        self._conclude("failed")
        return self._out.take_events()

    def _new_call(self) -> Call:
        return Call(self._asked.catalog.by_flat, lambda: self._asked.new_id("call"))

    # the frame of the answer

    def _expect_open(self) -> None:
        if self.ended:
            raise Misuse("The answer has ended.")

    def _begin(self) -> None:
        if self.started:
            return
        self.started = True
        if self.answer["created_at"] is None:
            self.answer["created_at"] = int(self._asked.clock())
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
            self.answer["completed_at"] = int(self._asked.clock())
        self._out.say(f"response.{status}", response=self.answer)

    # the choice

    def _choice(self, choice: Body) -> None:
        if choice.get("index") not in (0, None):
            self._report.dropped("choices", "a Response is one answer; the first choice is taken")  # D40
            return
        delta = choice.get("delta")
        if not isinstance(delta, dict):  # D34; some servers send the message whole
            message = choice["message"] if isinstance(choice.get("message"), dict) else {}
            delta = {name: message[name] for name in (*reasoning.FIELDS, *DELTAS) if name in message}  # protocol 4.4
        if choice.get("logprobs"):
            self._logprobs += logprobs.to_responses(choice["logprobs"])
        if not reasoning.FIELDS.isdisjoint(delta):
            self._reasoning(delta)
        for name, value in delta.items():
            if value and (take := DELTAS.get(name)):
                take(self, value)
        reason = choice.get("finish_reason")
        if reason and isinstance(reason, str) and self._facts.finish_reason is None:  # D18: the first one counts
            self._facts.finish_reason = reason
            self._close_items()

    def _close_items(self) -> None:
        """Clients run tools as soon as a call is done: do not wait for the usage."""
        ending = endings.to_responses(self._facts.finish_reason or "") or endings.COMPLETED
        self._flush()
        if self._broken is None and self._calls.are_named():
            self._out.close_all("completed" if ending.status == "completed" else "incomplete")

    def _message(self) -> Message:
        last = self._out.last
        if isinstance(last, Message):
            return last
        message = Compaction() if self._asked.compacts else Message()
        self._out.add(message)
        return message

    def _content(self, value: Any) -> None:
        if isinstance(value, str):
            self._text(value)
            return
        for part in value if isinstance(value, list) else []:  # some servers send parts
            if isinstance(part, dict) and part.get("type") == "thinking":
                thoughts = part.get("thinking")
                self._reasoning({"thinking": reasoning.joined_text(thoughts)})
            elif isinstance(part, dict) and isinstance(part.get("text"), str):
                self._text(part["text"])

    def _text(self, text: str) -> None:
        if self._markup is None:
            self._say(text)
            return
        for piece in self._markup.feed(text):
            self._say_marked(piece)

    def _say_marked(self, piece: Piece) -> None:
        if piece.tag == THINK:
            self._reasoning({"thinking": piece.text})
        elif piece.tag == CALL and (call := fragments.from_markup(piece.text)):
            self._tool_call(call)
        else:
            self._say(piece.raw or piece.text)

    def _say(self, piece: str) -> None:
        tokens, self._logprobs = self._logprobs, []
        message = self._message()
        message.take(message.text, piece, tokens)

    def _refusal(self, value: Any) -> None:
        if isinstance(value, str):
            message = self._message()
            message.take(message.refusal, value)

    def _annotate(self, value: Any) -> None:
        found = annotations.to_responses(value)
        if not isinstance(value, list) or len(found) < len(value):
            self._report.dropped("annotations", "only citations of URLs are known")
        last = self._out.last
        if not isinstance(last, Message):
            self._annotations += found  # until there is text
            return
        for annotation in found:
            last.take(last.annotation, annotation)

    def _flush(self) -> None:
        """Say what was held back: half a tag, and what was said about the text as a whole."""
        for piece in self._markup.flush() if self._markup else []:
            self._say_marked(piece)
        found = [*self._annotations, *self._facts.citations]
        self._annotations, self._facts.citations = [], []
        last = self._out.last
        if not found:
            return
        if isinstance(last, Message):
            for annotation in found:
                last.take(last.annotation, annotation)
        else:
            self._report.dropped("annotations", "there is no text that they could belong to")

    def _audio(self, value: Any) -> None:
        self._report.dropped("audio", "a Response is text")

    def _images(self, value: Any) -> None:
        self._report.dropped("images", "a Response is text")

    # reasoning

    def _reasoning(self, delta: Body) -> None:
        text = reasoning.text_of(delta)
        details = [name for name in reasoning.DETAIL_FIELDS if delta.get(name) and self._fits(delta[name])]
        if not (text or details) or self._asked.show_reasoning == "off":
            return
        item = self._thinking()
        if text:
            item.take(item.text, text)
        for name in details:
            item.take(item.details, name, delta[name])
        if delta.get("reasoning") and not delta.get("reasoning_content"):
            item.take(item.came_as, "reasoning")

    def _fits(self, value: Any) -> bool:
        """Whether a provider's own structure can be carried unread."""
        if json.is_deep(value):
            self.garbled("a value that is nested too deeply")
            return False
        return True

    def _thinking(self) -> Reasoning:
        last = self._out.last
        if isinstance(last, Reasoning):
            return last
        item = Reasoning(self._asked.show_reasoning, self._seal)
        self._out.add(item)
        return item

    def _seal(self, fields: Body) -> str | None:
        """What must go back unread: always for a provider's own structures, texts only when asked for."""
        owned = any(name in fields for name in (*reasoning.DETAIL_FIELDS, "calls"))
        if not owned and not (self._asked.seal_reasoning and fields["text"]):
            return None
        return reasoning.seal({**fields, "model": self._asked.blank["model"]})

    # calls

    def _tool_calls(self, deltas: Any) -> None:
        for delta in deltas if isinstance(deltas, list) else [deltas]:
            if isinstance(delta, dict):
                self._tool_call(delta)

    def _tool_call(self, delta: Body) -> None:
        fragment = fragments.read(delta)
        call, is_new = self._calls.find(fragment)
        if is_new:
            self._sign(call, fragment.extra)
            self._out.add(call)
        else:
            self._out.begin_first()
            if fragment.extra is not None:
                self._report.dropped("tool_calls", "a signature came too late for its call")
        if not call.closed:
            if fragment.piece:
                call.hear(fragment.piece)
        elif fragment.piece.strip():
            self.garbled("more arguments for a tool call that was whole")

    def _sign(self, call: Call, extra: Body | None) -> None:
        """D5: what a provider wants back with this call travels in the reasoning item before it."""
        if extra is not None and self._fits(extra):
            call.settle()
            item = self._thinking()
            item.take(item.sign, call.call_id, extra)

    def _legacy_call(self, value: Any) -> None:
        self._tool_calls([{"index": "function_call", "function": value}])


DELTAS: dict[str, Callable[[ToResponses, Any], None]] = {
    "content": ToResponses._content,
    "refusal": ToResponses._refusal,
    "annotations": ToResponses._annotate,
    "tool_calls": ToResponses._tool_calls,
    "function_call": ToResponses._legacy_call,
    "audio": ToResponses._audio,
    "images": ToResponses._images,
}
