"""A Responses client and a Chat Completions upstream."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from .. import answer, compaction, fields, request
from ..context import Context
from ..errors import RequestError, UpstreamError
from ..losses import Report
from ..parts import upstream_errors
from ..parts.catalog import Catalog
from ..profiles import Profile
from ..seals import PLAIN, Seals
from ..stream.to_responses.response_context import ResponseContext
from ..stream.to_responses.transducer import ToResponses
from ..wire import plain, sse, validate
from . import derived, paths
from .base import Exchange
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

    >>> exchange = ServeResponses({"model": "m", "input": "Hi"}, profile="vllm")
    >>> exchange.chat
    {'model': 'm', 'messages': [{'role': 'user', 'content': 'Hi'}]}
    >>> completion = {"choices": [{"message": {"role": "assistant", "content": "Hello."}, "finish_reason": "stop"}]}
    >>> exchange.answer(completion)["output"][0]["content"][0]["text"]
    'Hello.'
    """

    endpoint = "/chat/completions"
    answer_kind = "a chat completion"

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
    ) -> None:
        if not isinstance(body, dict):
            body = plain.read(body, "request", RequestError)
        self._body = body = self._responses_request(body)
        context = Context.of(profile, None, live, seals)
        self.profile: Profile = context.profile
        self.report: Report = context.report
        compacts = compaction.has_trigger(body)
        self._translation = request.translate_to_chat(
            compaction.request(body) if compacts else body, context, strict=strict
        )
        self.request: dict[str, Any] = self._translation.body
        self.streaming: bool = body.get("stream") is True
        self._response_context = ResponseContext(
            blank=_blank(body, self._translation.transformations),
            catalog=self._translation.catalog,
            context=context,
            show_reasoning="off" if compacts else _reasoning_place(self.profile, body),
            compacts=compacts,
            seal_reasoning=request.SEALED in validate.optional_array(body.get("include"), "include"),
            new_id=new_id or derived.Ids(body),
            clock=clock,
            caller_path=partial(paths.in_responses, translation=self._translation, profile=self.profile),
        )

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

    def release(self) -> None:
        super().release()
        self._body, self._translation = {}, request.ChatTranslation({}, Catalog({}), [], {}, [], [])
        self._response_context = self._response_context._replace(
            blank={}, catalog=self._translation.catalog, caller_path=upstream_errors.no_path
        )

    @property
    def caller_path(self) -> Callable[[str], str | None]:
        """Turns `messages[3].content` into `input[5].content`, and so on."""
        return self._response_context.caller_path


class ServeCompact(ServeResponses):
    """A `POST /responses/compact` served by a Chat Completions upstream: the model writes the summary."""

    can_collect_stream = False

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
        return compaction.answer(self._body, summary)


def _blank(body: dict[str, Any], transformations: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the answer before anything of it is known; `input_transformations` is there only if it lists something."""
    blank = {**fields.blank_answer(body), "model": body["model"]}
    if transformations:
        blank["input_transformations"] = transformations
    return blank


def _reasoning_place(profile: Profile, body: dict[str, Any]) -> str:
    if profile.reasoning_expose != "auto":
        return profile.reasoning_expose
    reasoning = body.get("reasoning") or {}
    return "summary" if reasoning.get("summary") or reasoning.get("generate_summary") else "content"
