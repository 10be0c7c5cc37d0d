"""Responses events in, Chat Completions chunks out (protocol 5.5).

A finished Response takes the same path, as the event that ends a stream: whole and streamed answers cannot disagree.
There is no I/O, clock or randomness here: ids and time are passed in.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...errors import ProtocolMisuse, TranslationError, UpstreamError
from ...parts import endings, upstream_errors
from .completion import Body, Completion
from .context import CompletionContext
from .events import EventReader
from .fast_path import EventFastPath
from .output_reader import OutputReader


class ToChat:
    """One answer. Call ``feed`` with every event and ``finish`` at the end; all return the chunks that follow.

    ``start`` may be called ahead of the first event. Before anything has started, an error of the upstream is raised as
    UpstreamError; afterwards it ends the answer as an error chunk. If ``cut_short``, a stop sequence ended the answer
    while the upstream is still working. A call after the end raises ProtocolMisuse. If *quiet*, there are no chunks,
    only the answer. The caller may change the chunks; unless *apart*, they share objects with each other and with the
    answer.
    """

    def __init__(self, context: CompletionContext, quiet: bool = False, apart: bool = True) -> None:
        self.ended: bool = False
        self.cut_short: bool = False
        self.failure: TranslationError | None = None
        """Why the answer failed, if it did."""
        self._awaited: TranslationError | None = None  # the failure that has no reason yet
        self._profile = context.context.profile
        self._limit = context.limit
        self._caller_path = context.caller_path
        self._report = context.context.report
        self._out = Completion(context, quiet, apart)
        self._output = OutputReader(self._out, context)
        self._reader = EventReader(self._output, self._report)

    @property
    def answer(self) -> Body:
        """The chat completion as far as it has grown."""
        return self._out.answer

    @property
    def started(self) -> bool:
        return self._out.started

    @property
    def finishing(self) -> bool:
        """Whether only the reason of a failure may still come (W34): Azure sends it behind its last event."""
        return self._awaited is not None and not self.ended

    failing = finishing

    def start(self) -> list[Body]:
        """Begin the answer now, with the chunk that has the role; nothing if that happened before."""
        self._expect_open()
        self._out.begin()
        return self._out.take_chunks()

    def feed(self, event: Any) -> list[Body]:
        """Take one event of the upstream's stream, or a whole Response."""
        self._expect_open()
        if not isinstance(event, dict):
            if upstream_errors.is_error(event):
                self._fail_upstream(upstream_errors.from_value(event))
            else:
                self.garbled("an event that is not an object")
            return self._out.take_chunks()
        if self._awaited is not None:
            self._take_reason(event)
        elif not self._reader.read(event):
            self._take(event)
        elif self._output.error is not None:
            self._fail_upstream(self._output.error)
        if self._out.stopped and not self.ended and self._output.calls.are_whole():
            self.cut_short = True
            self._stop()
        chunks = self._out.take_chunks()
        if chunks and self.failure is None and isinstance(event.get("obfuscation"), str):
            chunks[-1]["obfuscation"] = event["obfuscation"]
        return chunks

    def fast_path(self) -> EventFastPath:
        """Return the fast path for pieces of text, from bytes to frames."""
        return EventFastPath(self._reader)

    def release(self) -> None:
        """Let go of the request: nobody asks for its paths any more."""
        self._caller_path = upstream_errors.no_path

    def garbled(self, what: str) -> None:
        """Something came that cannot be read: what it said is lost, so the answer must not end well."""
        self._output.mark_broken(what)

    def finish(self, clean: bool = False) -> list[Body]:
        """The stream is over; *clean*: the upstream said so itself (`[DONE]`)."""
        self._expect_open()
        if self._awaited is not None:
            self._fail(self._awaited)
            return self._out.take_chunks()
        if self._output.is_empty() and not self.started:
            raise UpstreamError(self._output.broken or "The upstream ended its stream before it began an answer.")
        are_whole = self._output.is_done() and not (self._output.is_cut() or self._output.broken)
        if are_whole and (clean or not self._profile.terminal_event):  # R2
            self._report.defaulted("finish_reason", "the upstream did not say how its answer ended")
            self._conclude("completed", None)
        else:
            self._fail(UpstreamError(self._output.broken or "The upstream's stream was cut off."))
        return self._out.take_chunks()

    def fail(self, error: TranslationError) -> list[Body]:
        """End the answer with an error; what arrived before stays in it. Raises *error* if nothing had started."""
        self._expect_open()
        self._fail(error)
        return self._out.take_chunks()

    def _expect_open(self) -> None:
        if self.ended:
            raise ProtocolMisuse("The answer has ended.")

    # what events say

    def _take(self, event: Body) -> None:
        kind = event.get("type")
        take = EVENTS.get(kind) if isinstance(kind, str) else None
        if take is not None:
            take(self, event)
        elif event.get("object") == "response" or (kind is None and _has_output(event)):
            self._finish_whole(event, None)
        elif not (isinstance(kind, str) and kind.startswith("response.")) and upstream_errors.is_error(event):
            self._break(upstream_errors.from_value(event), event)

    def _take_reason(self, event: Body) -> None:
        """The answer failed, and nobody has said why: only errors count."""
        body = event.get("response")
        if event.get("type") == "error" or upstream_errors.is_set(event.get("error")):
            self._read_error(event)
        elif isinstance(body, dict) and upstream_errors.is_set(body.get("error")):
            self._read_end({"type": "response.failed", "response": body})

    def _read_snapshot(self, event: Body) -> None:
        if isinstance(event.get("response"), dict):
            self._out.read_snapshot(event["response"])

    def _read_end(self, event: Body) -> None:
        body = event.get("response")
        self._finish_whole(body if isinstance(body, dict) else {}, event["type"].removeprefix("response."))

    def _read_error(self, event: Body) -> None:
        self._break(upstream_errors.of_event(event), event)

    def _break(self, error: UpstreamError, event: Body) -> None:
        """The upstream's own error; what was used before it is paid all the same (W7)."""
        self._out.read_snapshot({"usage": event.get("usage")})
        self._fail_upstream(error)

    # the end

    def _finish_whole(self, body: Body, event_status: str | None) -> None:
        """The whole Response came, in an event with that status or without one."""
        self._out.read_snapshot(body)
        status = self._status(body, event_status)
        if status not in ("completed", "incomplete"):
            error = upstream_errors.of_response({**body, "status": status})
            if status == "failed" and event_status is not None and not upstream_errors.is_set(body.get("error")):
                self._awaited = upstream_errors.with_caller_path(error, self._caller_path)
            else:
                self._fail_upstream(error)
            return
        self._output.read_output(body.get("output"), body.get("output_text"))
        if self._output.error is not None:
            self._fail_upstream(self._output.error)
            return
        if status == "completed" and self._output.is_empty() and not _has_output(body):
            self._fail(UpstreamError(self._output.broken or "The upstream's response has no output."))
            return
        reason = _incomplete_reason(body, status)
        self._conclude("incomplete" if reason else status, reason if reason and isinstance(reason, str) else None)

    def _status(self, body: Body, event_status: str | None) -> str:
        """Return the worse of the two endings that an event and its Response have."""
        error, word = body.get("error"), body.get("status")
        if error is not None and upstream_errors.is_set(error):
            return "failed"
        status = endings.status(word)
        if status is None and event_status is None:
            self._report.defaulted("finish_reason", "the upstream did not say how its answer ended")
        if status is None:
            return event_status or "completed"
        if status not in endings.STATUSES and (event_status or body.get("output") or body.get("output_text")):
            self._report.approximated("finish_reason", "unknown status; treated as a normal end", word)
            status = "completed"
        return status if event_status is None else max(event_status, status, key=lambda word: _RANKS.get(word, 0))

    def _conclude(self, status: str, reason: str | None) -> None:
        """End well, unless something is missing."""
        has_cut_items = self._output.is_cut()
        is_cut = status == "incomplete" or has_cut_items
        if not (is_cut or self._output.calls.are_complete()):
            is_cut = self._is_used_up()
            if not is_cut:
                self._fail(UpstreamError("The upstream ended its answer in the middle of a tool call."))
                return
        self._output.flush(whole=not is_cut)
        if self._output.broken or (self._out.stopped and self._output.calls.are_whole()):
            self._stop()
        elif self._output.calls.is_nameless and not is_cut:
            self._fail(UpstreamError("The upstream sent a tool call without a name."))
        else:
            status = "incomplete" if is_cut or self._is_full() else "completed"
            self._end(self._finish_reason(status, reason, has_cut_items))

    def _is_full(self) -> bool:
        """Whether a text is as long as it may be: llama-server and transformers serve call that completed."""
        if not self._is_used_up() or self._out.call_reason or self._profile.reports_truncation:
            return False
        self._report.approximated("finish_reason", "the answer is as long as its limit, so it is treated as cut off")
        return True

    def _is_used_up(self) -> bool:
        """Whether the answer has as many tokens as the client allows."""
        used = self._out.used
        return self._limit is not None and used is not None and used >= self._limit

    def _stop(self) -> None:
        """A stop sequence came; what could not be read before it counts all the same."""
        if self._output.broken:
            self._fail(UpstreamError(self._output.broken))
        else:
            self._output.flush(whole=True)
            self._end(self._out.call_reason or "stop")

    def _finish_reason(self, status: str, reason: str | None, has_cut_items: bool) -> str:
        finish = endings.to_chat(status, reason)
        if finish.why is not None:
            self._report.approximated("finish_reason", finish.why, reason)
        if finish.reason != "stop":
            return finish.reason
        is_half = has_cut_items or not self._output.calls.are_whole()
        return "length" if is_half else self._out.call_reason or "stop"

    def _end(self, reason: str) -> None:
        self.ended = True
        self._out.end(reason)

    def _fail_upstream(self, error: UpstreamError) -> None:
        """The upstream's own error, which may name a place in its request."""
        self._fail(upstream_errors.with_caller_path(error, self._caller_path))

    def _fail(self, error: TranslationError) -> None:
        if not self.started:
            raise error
        self._output.flush(whole=False)
        self.ended = True
        self.failure = error
        self._out.fail(error)


def _incomplete_reason(body: Body, status: str) -> Any:
    """Return why a Response is incomplete, if it is: some servers say that by its status."""
    details = body.get("incomplete_details")
    if reason := details.get("reason") if isinstance(details, dict) else details:
        return reason
    word = body.get("status")
    return word if status == "incomplete" and endings.normalize(word) not in endings.STATUSES else None


def _has_output(body: Body) -> bool:
    return isinstance(body.get("output"), list) or isinstance(body.get("output_text"), str)


_RANKS = {"completed": 1, "incomplete": 2, "failed": 3, "cancelled": 3}

EVENTS: dict[str, Callable[[ToChat, Body], None]] = {
    **dict.fromkeys(("response.created", "response.queued", "response.in_progress"), ToChat._read_snapshot),
    **{f"response.{end}": ToChat._read_end for end in ("completed", "incomplete", "failed", "cancelled")},
    "error": ToChat._read_error,
}
