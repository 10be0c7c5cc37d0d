"""A Responses client and a Chat Completions upstream."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property, partial
from typing import Any

from .. import answer, compaction, fast_path, fields, request
from ..compaction import Summary
from ..context import Context
from ..errors import RequestError, UntranslatableError, UpstreamError
from ..losses import Report
from ..parts import upstream_errors
from ..parts.catalog import Catalog
from ..profiles import Profile
from ..seals import PLAIN, Seals
from ..state import tokens, truncation
from ..state.continuation import Continuation
from ..state.history import Expanded, unexpanded
from ..stream.to_responses.response_context import ResponseContext
from ..stream.to_responses.transducer import ToResponses
from ..wire import plain, sse, validate
from . import derived, paths
from .base import AnswerFastPath, Exchange
from .completion_fast_path import CompletionFastPath
from .frames import EventStream, FrameStream


class ServeResponses(Exchange):
    """A Responses request served by a Chat Completions upstream.

    *body* is the decoded request; *profile* is a Profile or the name of a preset; *new_id* makes an id for a prefix
    (``resp`` -> ``resp_...``); *clock* returns Unix seconds. Without them, ids and times are derived from the input:
    servers should pass random ids. If not *live*, the answer will not come back here, so what would be emulated in it
    is dropped. *seals* encrypts what only comes back through the client. Raises RequestError for a body that is not a
    Responses request, and UntranslatableError if *strict* and something would be lost. Send
    ``chat`` to the upstream; hand what comes back to ``answer``, ``stream`` or ``error``. The losses are in
    ``report``.

    With a *continuation*, the request stands for all that was fetched for it; ``to_keep`` is then its own resolved
    input, and *new_id* is not used. *left_out* are places in the input of which an earlier try has said that they are
    too much (`truncation: auto`); a *summary* is what was made of the history first (`context_management`). With an
    *answer_model*, answers carry this name instead of the one that the upstream says.

    >>> exchange = ServeResponses({"model": "m", "input": "Hi"}, profile="vllm")
    >>> exchange.chat
    {'model': 'm', 'messages': [{'role': 'user', 'content': 'Hi'}]}
    >>> completion = {"choices": [{"message": {"role": "assistant", "content": "Hello."}, "finish_reason": "stop"}]}
    >>> exchange.answer(completion)["output"][0]["content"][0]["text"]
    'Hello.'
    """

    endpoint = "/chat/completions"
    answer_kind = "a chat completion"

    _has_fast_path: bool = True
    _inherited: int = 0
    _left_out: frozenset[int] = frozenset()

    def __init__(
        self,
        body: Any,
        *,
        profile: Profile | str | None = None,
        strict: bool = False,
        live: bool = True,
        new_id: Callable[[str], str] | None = None,
        clock: Callable[[], float] = derived.no_time,
        seals: Seals = PLAIN,
        continuation: Continuation | None = None,
        left_out: frozenset[int] = frozenset(),
        summary: Summary | None = None,
        answer_model: str = "",
    ) -> None:
        if not isinstance(body, dict):
            body = plain.read(body, "request", RequestError)
        context = Context.of(profile, None, live, seals)
        self.profile: Profile = context.profile
        self._clock = clock
        self._answer_model = answer_model
        is_whole = continuation is None and summary is None and not left_out
        if is_whole and self._has_fast_path and self._take(body, context, strict, new_id):
            return
        expanded = None
        if continuation is not None:
            new_id = item_ids = continuation.item_ids()
            expanded = continuation.expand(body, item_ids)
            body = expanded.body
            self.to_keep: list[Any] | None = expanded.own if continuation.is_stored else None
        self._inherited = 0 if expanded is None else len(expanded.inherited)
        if summary is not None:
            expanded = (expanded or unexpanded(body)).behind(summary.item, *compaction.kept_places(body["input"]))
            body = expanded.body
        self._left_out = left_out
        if left_out:
            expanded = (expanded or unexpanded(body)).without(left_out)
            body = expanded.body
        self._body = body = self._responses_request(body)
        self._context = context = context._replace(report=Report())
        self.report: Report = context.report
        self._new_id = new_id or derived.Ids(body)
        compacts = compaction.has_trigger(body)
        self._translation = _translated(compaction.request(body) if compacts else body, context, strict, expanded)
        self.request: dict[str, Any] = self._translation.body
        if left_out:
            self.report.emulated(
                "truncation", f"the oldest {len(left_out)} items were left out: the context is too long"
            )
        self.streaming: bool = body.get("stream") is True
        if body.get("context_management"):
            self.manages_context: bool = summary is None
        self._response_context = self._about_answer(
            _blank(body, self._translation.transformations, continuation, answer_model),
            partial(paths.in_responses, translation=self._translation, profile=self.profile, expanded=expanded),
            compacts,
            summary,
        )

    def _take(self, body: dict[str, Any], context: Context, strict: bool, new_id: Callable[[str], str] | None) -> bool:
        """Let the fast path translate the request; return whether it did."""
        made = fast_path.to_chat(body, context, strict)
        if made is None:
            return False
        self._translation, self._context, self._body = made, context, {**body}
        self.report, self.request = context.report, made.body
        self._new_id = new_id or derived.Ids(body)
        self.streaming = body.get("stream") is True
        if body.get("context_management"):
            self.manages_context = True
        return True

    @cached_property
    def _response_context(self) -> ResponseContext:
        """Of what the fast path made: nothing of it is needed before an answer is read."""
        blank = _blank(self._body, self._translation.transformations, None, self._answer_model)
        return self._about_answer(blank, partial(_in_usual, body=self._body, context=self._context))

    def _about_answer(
        self,
        blank: dict[str, Any],
        caller_path: Callable[[str], str | None],
        compacts: bool = False,
        summary: Summary | None = None,
    ) -> ResponseContext:
        body = self._body
        return ResponseContext(
            blank=blank,
            model=body["model"],
            keeps_model=bool(self._answer_model),
            catalog=self._translation.catalog,
            context=self._context,
            show_reasoning="off" if compacts else _reasoning_place(self.profile, body),
            compacts=compacts,
            summary=summary,
            seal_reasoning=request.SEALED in validate.optional_array(body.get("include"), "include"),
            new_id=self._new_id,
            clock=self._clock,
            caller_path=caller_path,
        )

    @cached_property
    def fast_path(self) -> AnswerFastPath | None:
        """What takes plain completions, if the client wants no stream."""
        return None if self.streaming else CompletionFastPath.of(self._response_context)

    def _responses_request(self, body: Any) -> Any:
        """The Responses request that *body* stands for."""
        return body

    @property
    def chat(self) -> dict[str, Any]:
        """The chat request: what ``request`` is here."""
        return self.request

    def answer(self, finished: Any) -> dict[str, Any]:
        """Return the Response object for a finished chat completion; raises UpstreamError."""
        if not isinstance(finished, dict):
            finished = plain.read(finished, "answer", UpstreamError)
        return answer.to_responses(finished, self._response_context)

    def transducer(self) -> ToResponses:
        """Return the transducer for decoded chunks."""
        return ToResponses(self._response_context)

    def stream(self, max_line: int = sse.MAX_LINE) -> FrameStream:
        """Return the transducer from the upstream's bytes to the client's frames."""
        done_mark = self.profile.events == "openresponses"
        return FrameStream(
            ToResponses(self._response_context, apart=False), sse.Decoder(max_line), sse.event, done_mark
        )

    def events(self, max_line: int = sse.MAX_LINE) -> EventStream:
        """Return the transducer from the upstream's bytes to the client's events, not encoded."""
        return EventStream(ToResponses(self._response_context, apart=False), sse.Decoder(max_line))

    def echoed_values(self) -> list[Any]:
        return [*super().echoed_values(), self._response_context.blank]

    def not_stored(self, answer: dict[str, Any]) -> dict[str, Any]:
        """Return an answer that could not be stored: it says so."""
        return {**answer, "store": False}

    def summary_request(self, usage_before: Callable[[], dict[str, Any] | None]) -> dict[str, Any] | None:
        """Return the request for a summary that must come first; the usage is that of the answer that it continues."""
        limit = compaction.threshold(self._body)
        if limit is None or self._response_context.summary is not None or not isinstance(self._body["input"], list):
            return None
        own = self._body["input"][self._inherited :]
        count = tokens.estimate_after(usage_before(), own) or tokens.estimate(self.request)
        return compaction.summary_request(self._body) if count.tokens > limit else None

    def shortened(self, status: int, body: bytes) -> frozenset[int] | None:
        """Return the places of input items to leave out, if the context is too long and the client allows it."""
        if self._body.get("truncation") != "auto":
            return None
        error = self.error(status, body)
        is_too_long = error.code == upstream_errors.CONTEXT_LENGTH_EXCEEDED
        shorter = truncation.shortened(self._body, error.message) if is_too_long else None
        if shorter is None:
            return None
        count = len(self._body["input"]) + len(self._left_out)
        here = [place for place in range(count) if place not in self._left_out]
        return self._left_out.union(here[place] for place in shorter.dropped)

    def release(self) -> None:
        self._response_context = self._response_context._replace(
            blank={}, catalog=Catalog({}), caller_path=upstream_errors.no_path
        )
        super().release()
        self._body, self._translation = {}, request.ChatTranslation({}, self._response_context.catalog, [], {}, [], [])

    @property
    def caller_path(self) -> Callable[[str], str | None]:
        """Turns `messages[3].content` into `input[5].content`, and so on."""
        return self._response_context.caller_path


class ServeCompact(ServeResponses):
    """A `POST /responses/compact` served by a Chat Completions upstream: the model writes the summary."""

    can_collect_stream = False
    _has_fast_path = False

    def _responses_request(self, body: Any) -> Any:
        return {**compaction.with_trigger(body), "stream": None}

    def echoed_values(self) -> list[Any]:
        return [*super().echoed_values(), self._body]

    def answer(self, finished: Any) -> dict[str, Any]:
        """Return the `response.compaction` object; raises UpstreamError, also when there is no whole summary."""
        summary = super().answer(finished)
        if summary["status"] != "completed":
            cause = (summary["error"] or {}).get("message", "The upstream did not finish the summary.")
            raise UpstreamError(cause)
        return compaction.answer(self._body, summary, self._response_context.new_id)


def _blank(
    body: dict[str, Any],
    transformations: list[dict[str, Any]],
    continuation: Continuation | None,
    answer_model: str,
) -> dict[str, Any]:
    """Return the answer before anything of it is known; `input_transformations` is there only if it lists something."""
    blank = {**fields.blank_answer(body), "model": answer_model or body["model"]}
    if transformations:
        blank["input_transformations"] = transformations
    return blank if continuation is None else {**blank, **continuation.echo()}


def _in_usual(path: str, body: dict[str, Any], context: Context) -> str | None:
    """The caller's path for one in what the fast path made, which notes no places: the general path does."""
    try:
        translation = request.translate_to_chat(body, context._replace(report=Report()))
    except RequestError:  # the caller has changed it since
        return None
    return paths.in_responses(path, translation, context.profile)


def _translated(
    body: dict[str, Any], context: Context, strict: bool, expanded: Expanded | None
) -> request.ChatTranslation:
    """Translate a request; places in its history are the client's `input`."""
    if expanded is None or not expanded.is_moved:
        return request.translate_to_chat(body, context, strict=strict)
    try:
        translation = request.translate_to_chat(body, context, strict=strict)
    except UntranslatableError as error:
        losses = [loss._replace(path=expanded.path(loss.path)) for loss in error.losses]
        raise UntranslatableError(losses) from None
    except RequestError as error:
        raise expanded.error(error) from None
    context.report.move(expanded.path)
    return translation


def _reasoning_place(profile: Profile, body: dict[str, Any]) -> str:
    if profile.reasoning_expose != "auto":
        return profile.reasoning_expose
    reasoning = body.get("reasoning") or {}
    return "summary" if reasoning.get("summary") or reasoning.get("generate_summary") else "content"
