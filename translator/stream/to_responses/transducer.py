"""Chat Completions chunks in, Responses events out (protocol 5.4).

A finished answer takes the same path, as one chunk: whole and streamed answers cannot disagree.
There is no I/O, clock or randomness here: ids and time are passed in.
"""

from __future__ import annotations

from typing import Any

from ... import fields
from ...errors import ProtocolMisuse, TranslationError, UpstreamError
from ...parts import endings, upstream_errors, usage
from ...wire import json
from .choice_writer import ChoiceWriter
from .chunk_choices import in_order
from .fast_path import ChunkFastPath
from .metadata import AnswerMetadata
from .output import Body, Output
from .response_context import ResponseContext

_ENDED = "The answer has ended."


class ToResponses:
    """One answer. Call ``feed`` with every chunk and ``finish`` at the end; all return the events that follow.

    ``start`` may be called ahead of the first chunk. Before anything has started, an error of the upstream is raised as
    UpstreamError; afterwards it ends the answer as failed. A call after the end raises ProtocolMisuse. If *quiet*,
    there are no events, only the answer. The caller may change the events; unless *apart*, they share objects with
    each other and with the answer.
    """

    cut_short: bool = False
    """Always false: there are no stop sequences to apply here."""
    failing: bool = False
    """Always false: a failure comes with its reason."""

    def __init__(self, about: ResponseContext, quiet: bool = False, apart: bool = True) -> None:
        self.answer: Body = fields.own_answer(about.blank)
        self.answer["id"] = about.new_id("resp")
        self.started: bool = False
        self.ended: bool = False
        self.failure: TranslationError | None = None
        """The error in the upstream's answer; the client of a stream gets it in `response.failed`."""
        self._about = about
        self._out = Output(self.answer, about.new_id, about.context.profile.events, quiet, apart)
        self._metadata = AnswerMetadata(self.answer, about.context.report, about.keeps_model)
        self._writer = ChoiceWriter(self._out, about, self._metadata)

    @property
    def finishing(self) -> bool:
        """The model is done; only usage and the end of the stream are outstanding."""
        return self._metadata.finish_reason is not None and not self.ended

    def start(self) -> list[Body]:
        """Begin the answer now: `response.created` and `response.in_progress`; nothing if that happened before."""
        if self.ended:
            raise ProtocolMisuse(_ENDED)
        self._begin()
        return self._out.take_events()

    def feed(self, chunk: Any) -> list[Body]:
        """Take one chunk of the upstream's stream."""
        if self.ended:
            raise ProtocolMisuse(_ENDED)
        if upstream_errors.is_error(chunk):
            if isinstance(chunk, dict):
                self._metadata.read_usage(chunk)  # what was used before the error is paid all the same (W7)
            return self._fail_upstream(chunk)
        if not isinstance(chunk, dict):
            self.garbled("a chunk that is not an object")
            return []
        if citations := self._metadata.read(chunk, self.started):
            self._writer.text.cite(citations)
        is_finished = chunk.get("object") == "chat.completion"
        for choice in in_order(chunk.get("choices")):
            self._begin()
            self._writer.add(choice, is_finished)
            if error := choice.get("error") or self._writer.error:  # OpenRouter
                return self._fail_upstream({"error": error})
        return self._out.take_events()

    def fast_path(self) -> ChunkFastPath | None:
        """Return the fast path for pieces of text, from bytes to frames."""
        if self._about.context.profile.cumulative_deltas:
            return None
        return ChunkFastPath(self._out, self._writer.text, self._writer.calls.index, self._writer.selector)

    def release(self) -> None:
        """Keep of the request only what the answer repeats, as JSON: objects take several times as much memory."""
        for name in fields.REPEATED:
            value = self.answer.get(name)
            if value and isinstance(value, (dict, list)):
                self.answer[name] = json.as_raw(value)
        self._about = self._about.released()
        self._writer.calls.release(self._about.catalog)

    def garbled(self, what: str) -> None:
        """Something came that cannot be read, so content is lost: the answer must not end as completed."""
        self._metadata.add_damage(what)

    def finish(self, clean: bool = False) -> list[Body]:
        """The stream is over; *clean*: the upstream said so itself (`[DONE]`)."""
        if self.ended:
            raise ProtocolMisuse(_ENDED)
        if not self.started:
            raise UpstreamError(self._metadata.damage or "The upstream ended its stream before it began an answer.")
        self._writer.text.flush()
        if problem := self._writer.problem():
            return self.fail(UpstreamError(problem))
        is_summarized = self._about.summary is not None  # that is no answer
        has_output = len(self.answer["output"]) > is_summarized or self._out.last is not None
        ending = self._metadata.ending(clean, has_output)
        if ending is endings.FAILED:
            return self.fail(UpstreamError(self._metadata.why_failed()))
        self._out.close_all("completed" if ending.status == "completed" else "incomplete")
        if ending.reason:
            self.answer["incomplete_details"] = {"reason": ending.reason}
        return self._conclude(ending.status)

    def fail(self, error: TranslationError) -> list[Body]:
        """End the answer as failed; what arrived before stays in it. Raises *error* if nothing had started."""
        if self.ended:
            raise ProtocolMisuse(_ENDED)
        if not self.started:
            raise error
        self._writer.text.flush()
        self._out.close_all("incomplete")
        body = upstream_errors.to_responses(error)
        self.answer["error"] = body
        if self._about.context.profile.events == "openresponses":
            details = {"type": error.type, "code": body["code"], "message": error.message, "param": None}
            self._out.emit("error", error=details)
        return self._conclude("failed")

    def _fail_upstream(self, value: Any) -> list[Body]:
        """End the answer with the upstream's own error."""
        self.failure = upstream_errors.with_caller_path(upstream_errors.from_value(value), self._about.caller_path)
        return self.fail(self.failure)

    def _begin(self) -> None:
        if self.started:
            return
        self.started = True
        if self.answer["created_at"] is None:
            self.answer["created_at"] = int(self._about.clock())
        if not self._out.quiet:
            snapshot = {**self.answer, "output": [], "usage": None}
            self._out.emit("response.created", response=snapshot)
            self._out.emit("response.in_progress", response=snapshot)
        if self._about.summary is not None:
            self._out.place(self._about.summary.item)

    def _conclude(self, status: str) -> list[Body]:
        self.ended = True
        if self._about.summary is not None:
            self.answer["usage"] = usage.summed(self._about.summary.usage, self.answer["usage"])
        self.answer["status"] = status
        if status == "completed":
            self.answer["completed_at"] = int(self._about.clock()) or self.answer["created_at"]
        self._out.emit(f"response.{status}", response=self.answer)
        return self._out.take_events()
