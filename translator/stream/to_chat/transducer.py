"""Responses events in, Chat Completions chunks out (protocol 5.5).

A finished Response takes the same way, as the event that ends a stream: whole and streamed answers cannot disagree.
Nothing is read, written, timed or made up here: ids and time are handed in.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from ...context import Context
from ...errors import ProtocolMisuse, TranslationError, UpstreamError
from ...parts import endings, upstream_errors
from .completion import Body, Completion
from .events import Listener
from .fast_path import EventFastPath


class Wanted(NamedTuple):
    """What reading an answer needs to know of its request."""

    model: str
    context: Context
    include_usage: bool  # the client asked for usage in its stream
    legacy: bool  # the client knows `function_call` only
    stops: tuple[str, ...]  # where the text is to end
    new_id: Callable[[str], str]
    clock: Callable[[], float]
    limit: int | None = None  # `max_output_tokens`, if the client set it
    caller_path: Callable[[str], str | None] = str  # turns a place in the upstream's request into the client's
    caller_name: Callable[[str], str] = str  # turns the upstream's name of a tool into the client's
    formatted: bool = False  # the client asked for a format: it reads the content as JSON


class ToChat:
    """One answer. Call ``feed`` with every event and ``finish`` at the end; all return the chunks that follow.

    ``start`` may be called ahead of the first event. Before anything has started, an error of the upstream is raised as
    UpstreamError; afterwards it ends the answer as an error chunk. When ``cut_short``, a stop sequence ended the answer
    and the upstream still works. ProtocolMisuse is raised for a call after the end. When *quiet*, there are no chunks,
    only the answer. Chunks are the caller's, to be changed at will; unless they are *apart*, they share objects with
    each other and with the answer.
    """

    def __init__(self, wanted: Wanted, quiet: bool = False, apart: bool = True) -> None:
        self.ended: bool = False
        self.cut_short: bool = False
        self.failure: TranslationError | None = None
        """Why the answer failed, if it did."""
        self._awaited: TranslationError | None = None  # the failure that has no reason yet
        self._profile = wanted.context.profile
        self._limit = wanted.limit
        self._own_path = wanted.caller_path
        self._report = wanted.context.report
        self._out = Completion(
            wanted.model, wanted.include_usage, wanted.legacy, self._report, wanted.new_id, wanted.clock
        )
        self._out.quiet, self._out.apart = quiet, apart
        self._out.caller_name = wanted.caller_name
        self._listener = Listener(self._out, wanted.context, wanted.stops, wanted.new_id, wanted.formatted)

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
                self._fail(upstream_errors.with_caller_path(upstream_errors.from_value(event), self._own_path))
            else:
                self.garbled("an event that is not an object")
            return self._out.take_chunks()
        if self._awaited is not None:
            self._take_reason(event)
        elif not self._listener.hear(event):
            self._take(event)
        elif self._listener.error is not None:
            self._fail(upstream_errors.with_caller_path(self._listener.error, self._own_path))
        if self._listener.stopped and not self.ended and self._listener.has_whole_calls:
            self.cut_short = True
            self._stop()
        chunks = self._out.take_chunks()
        if chunks and self.failure is None and isinstance(event.get("obfuscation"), str):
            chunks[-1]["obfuscation"] = event["obfuscation"]
        return chunks

    def fast_path(self) -> EventFastPath:
        """Return the fast path for pieces of text, from bytes to frames."""
        return EventFastPath(self._listener)

    def release(self) -> None:
        """Nothing of the request is needed but what little is said of it (`Wanted`)."""
        self._own_path = upstream_errors.no_path

    def garbled(self, what: str) -> None:
        """Something came that cannot be read: what it said is lost, so the answer must not end well."""
        self._listener.garbled(what)

    def finish(self, clean: bool = False) -> list[Body]:
        """The stream is over; *clean*: the upstream said so itself (`[DONE]`)."""
        self._expect_open()
        if self._awaited is not None:
            self._fail(self._awaited)
            return self._out.take_chunks()
        if self._listener.is_empty and not self.started:
            raise UpstreamError(self._listener.broken or "The upstream ended its stream before it began an answer.")
        are_whole = self._listener.are_whole and not (self._listener.is_cut or self._listener.broken)
        if are_whole and (clean or not self._profile.terminal_event):  # R2
            self._report.defaulted("finish_reason", "the upstream did not say how its answer ended")
            self._conclude("completed", None)
        else:
            self._fail(UpstreamError(self._listener.broken or "The upstream's stream was cut off."))
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
            self._whole(event, None)
        elif not (isinstance(kind, str) and kind.startswith("response.")) and upstream_errors.is_error(event):
            self._break(upstream_errors.from_value(event), event)

    def _take_reason(self, event: Body) -> None:
        """The answer failed, and nobody has said why: only errors count."""
        response = event.get("response")
        if event.get("type") == "error" or upstream_errors.is_set(event.get("error")):
            self._error(event)
        elif isinstance(response, dict) and upstream_errors.is_set(response.get("error")):
            self._terminal({"type": "response.failed", "response": response})

    def _snapshot(self, event: Body) -> None:
        if isinstance(event.get("response"), dict):
            self._out.learn(event["response"])

    def _terminal(self, event: Body) -> None:
        response = event.get("response")
        self._whole(response if isinstance(response, dict) else {}, event["type"].removeprefix("response."))

    def _error(self, event: Body) -> None:
        self._break(upstream_errors.of_event(event), event)

    def _break(self, error: UpstreamError, event: Body) -> None:
        """The upstream's own error; what was used before it is paid all the same (W7)."""
        self._out.learn({"usage": event.get("usage")})
        self._fail(upstream_errors.with_caller_path(error, self._own_path))

    # the end

    def _whole(self, response: Body, told: str | None) -> None:
        """The whole Response came; *told* is the status that its event says."""
        self._out.learn(response)
        status = self._status(response, told)
        if status not in ("completed", "incomplete"):
            error = upstream_errors.with_caller_path(
                upstream_errors.of_response({**response, "status": status}), self._own_path
            )
            if status == "failed" and told is not None and not upstream_errors.is_set(response.get("error")):
                self._awaited = error
            else:
                self._fail(error)
            return
        self._listener.hear_output(response.get("output"), response.get("output_text"))
        if self._listener.error is not None:
            self._fail(upstream_errors.with_caller_path(self._listener.error, self._own_path))
            return
        if status == "completed" and not _has_output(response) and self._listener.is_empty:
            self._fail(UpstreamError(self._listener.broken or "The upstream's response has no output."))
            return
        reason = self._why(response, status)
        self._conclude("incomplete" if reason else status, reason if reason and isinstance(reason, str) else None)

    def _why(self, response: Body, status: str) -> Any:
        """Why a Response is incomplete, if it is: some servers say that by its status."""
        details, given = response.get("incomplete_details"), response.get("status")
        reason = details.get("reason") if isinstance(details, dict) else details
        is_reason = status == "incomplete" and endings.normalize(given) not in endings.STATUSES
        return reason or (given if is_reason else None)

    def _status(self, response: Body, told: str | None) -> str:
        """The worse of the two endings that an event and its Response tell."""
        if upstream_errors.is_set(response.get("error")):
            return "failed"
        given = endings.status(response.get("status"))
        if given is None and told is None:
            self._report.defaulted("finish_reason", "the upstream did not say how its answer ended")
        if given is None:
            return told or "completed"
        if given not in endings.STATUSES and (told or response.get("output") or response.get("output_text")):
            self._report.approximated("finish_reason", "an unknown status is taken for the end", response["status"])
            given = "completed"
        return given if told is None else max(told, given, key=lambda word: _RANKS.get(word, 0))

    def _conclude(self, status: str, reason: str | None) -> None:
        """End well, unless something is missing."""
        is_cut = status == "incomplete" or self._listener.is_cut
        if not (is_cut or self._listener.calls_have_ends):
            is_cut = self._is_used_up()
            if not is_cut:
                self._fail(UpstreamError("The upstream ended its answer in the middle of a tool call."))
                return
        self._listener.flush(whole=not is_cut)
        if self._listener.broken or (self._listener.stopped and self._listener.has_whole_calls):
            self._stop()
        elif self._listener.is_nameless and not is_cut:
            self._fail(UpstreamError("The upstream sent a tool call without a name."))
        else:
            self._end(self._reason("incomplete" if is_cut or self._is_full() else "completed", reason))

    def _is_full(self) -> bool:
        """Whether a text is as long as it may be: llama-server and transformers serve call that completed."""
        if not self._is_used_up() or self._out.call_reason or self._profile.reports_truncation:
            return False
        self._report.approximated("finish_reason", "the answer is as long as its limit and taken for cut")
        return True

    def _is_used_up(self) -> bool:
        """Whether the answer has as many tokens as the client allows."""
        used = self._out.used
        return self._limit is not None and used is not None and used >= self._limit

    def _stop(self) -> None:
        """A stop sequence came; what could not be read before it counts all the same."""
        if self._listener.broken:
            self._fail(UpstreamError(self._listener.broken))
        else:
            self._listener.flush(whole=True)
            self._end(self._out.call_reason or "stop")

    def _reason(self, status: str, reason: str | None) -> str:
        finish = endings.to_chat(status, reason)
        if finish.why is not None:
            self._report.approximated("finish_reason", finish.why, reason)
        if finish.reason != "stop":
            return finish.reason
        is_half = self._listener.is_cut or not self._listener.has_whole_calls
        return "length" if is_half else self._out.call_reason or "stop"

    def _end(self, reason: str) -> None:
        self.ended = True
        self._out.end(reason)

    def _fail(self, error: TranslationError) -> None:
        if not self.started:
            raise error
        self._listener.flush(whole=False)
        self.ended = True
        self.failure = error
        self._out.fail(error)


def _has_output(body: Body) -> bool:
    return isinstance(body.get("output"), list) or isinstance(body.get("output_text"), str)


_RANKS = {"completed": 1, "incomplete": 2, "failed": 3, "cancelled": 3}

EVENTS: dict[str, Callable[[ToChat, Body], None]] = {
    **dict.fromkeys(("response.created", "response.queued", "response.in_progress"), ToChat._snapshot),
    **{f"response.{end}": ToChat._terminal for end in ("completed", "incomplete", "failed", "cancelled")},
    "error": ToChat._error,
}
