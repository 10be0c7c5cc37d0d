"""A Chat Completions client and a Responses upstream."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property, partial
from typing import Any

from .. import additions, answer, fast_path, request
from ..context import Context
from ..errors import RequestError, UpstreamError
from ..losses import Report
from ..parts import formats, upstream_errors
from ..profiles import Profile
from ..seals import PLAIN, Seals
from ..stream.to_chat.context import CompletionContext
from ..stream.to_chat.transducer import ToChat
from ..wire import plain, sse, validate
from . import derived, paths, refusals
from .base import AnswerFastPath, Exchange
from .frames import EventStream, FrameStream
from .response_fast_path import ResponseFastPath

_ADDED = {"store": {"store"}, "include": {"include", "logprobs"}}
"""The fields that are added here, unless the client sent one of these."""


class ServeChat(Exchange):
    """A Chat Completions request served by a Responses upstream.

    *body* is the decoded request; *profile* is a Profile or the name of a preset; *new_id* makes an id for a prefix
    (``call`` -> ``call_...``); *clock* returns Unix seconds. Without them, ids and times are derived from the input:
    servers should pass random ids. If not *live*, the answer will not come back here, so what would be emulated in it
    is dropped. *seals* encrypts what only comes back through the client. Raises RequestError for a body that is not a
    chat request, and UntranslatableError if *strict* and something would be lost. Send ``responses`` to
    the upstream, ``copies`` times; hand what comes back to ``answer``, ``stream`` or ``error``. The losses are in
    ``report``.

    If the completion is kept here (*keeps*), the upstream need not store it, its id is a new one, and ``to_keep`` are
    its messages. With an *answer_model*, answers carry this name instead of the one that the upstream says.

    >>> exchange = ServeChat({"model": "m", "messages": [{"role": "user", "content": "Hi"}]})
    >>> exchange.responses["input"]
    [{'type': 'message', 'role': 'user', 'content': 'Hi'}]
    >>> message = {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Hello."}]}
    >>> finished = {"id": "resp_1", "object": "response", "status": "completed", "output": [message]}
    >>> exchange.answer(finished)["choices"][0]["message"]["content"]
    'Hello.'
    """

    endpoint = "/responses"
    answer_kind = "a Response"

    _usual_body: dict[str, Any] | None = None  # the client's request, if the fast path has translated it

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
        keeps: bool = False,
        answer_model: str = "",
    ) -> None:
        if not isinstance(body, dict):
            body = plain.read(body, "request", RequestError)
        new_id = new_id or derived.Ids(body)
        if keeps:
            self.to_keep: list[Any] | None = validate.optional_array(body.get("messages"), "messages")
            body = {**body, "store": False}
            self.own_id: str = new_id("chatcmpl").replace("_", "-", 1)
        context = Context.of(profile, None, live, seals)
        self.profile: Profile = context.profile
        self._new_id = new_id
        self._clock = clock
        usual = fast_path.to_responses(body, context, strict)
        if usual is not None:
            self._translation = usual
            self._usual_body = {**body}
        else:
            context = context._replace(report=Report())
            self._translation = request.translate_to_responses(body, context, strict=strict)
            self.copies: int = self._translation.copies
        self.request: dict[str, Any] = self._translation.body
        self._context = context
        self.report: Report = context.report
        self.streaming: bool = body.get("stream") is True
        self._model: str = answer_model or body["model"]
        self._keeps_model = bool(answer_model)

    @cached_property
    def _completion_context(self) -> CompletionContext:
        """What reading an answer needs; nothing of it is needed before."""
        translation, usual_body, limit = self._translation, self._usual_body, self.request.get("max_output_tokens")
        return CompletionContext(
            model=self._model,
            keeps_model=self._keeps_model,
            context=self._context,
            include_usage=translation.include_usage,
            legacy=translation.legacy,
            stops=translation.stops,
            new_id=self._new_id,
            own_id=self.own_id,
            clock=self._clock,
            caller_path=partial(paths.in_chat, translation=translation)
            if usual_body is None
            else partial(_in_usual, body=usual_body, context=self._context),
            caller_name=translation.names.caller_name,
            has_format=formats.asks_for_json(self.request),
            limit=limit if isinstance(limit, int) else None,
        )

    @cached_property
    def fast_path(self) -> AnswerFastPath | None:
        """What takes plain Responses, if the client wants no stream."""
        return None if self.streaming else ResponseFastPath.of(self._completion_context)

    @property
    def responses(self) -> dict[str, Any]:
        """The Responses request: what ``request`` is here."""
        return self.request

    def answer(self, finished: Any) -> dict[str, Any]:
        """Return the chat completion for a finished Response; raises UpstreamError, also when the Response failed."""
        if not isinstance(finished, dict):
            finished = plain.read(finished, "answer", UpstreamError)
        return answer.to_chat(finished, self._completion_context)

    def transducer(self) -> ToChat:
        """Return the transducer for decoded events."""
        return ToChat(self._completion_context)

    def stream(self, max_line: int = sse.MAX_LINE) -> FrameStream:
        """Return the transducer from the upstream's bytes to the client's frames."""
        return FrameStream(
            ToChat(self._completion_context, apart=False), sse.Decoder(max_line), sse.data, done_mark=True
        )

    def events(self, max_line: int = sse.MAX_LINE) -> EventStream:
        """Return the transducer from the upstream's bytes to the client's events, not encoded."""
        return EventStream(ToChat(self._completion_context, apart=False), sse.Decoder(max_line))

    def release(self) -> None:
        self._completion_context = self._completion_context._replace(caller_path=upstream_errors.no_path)
        super().release()
        self._usual_body = None
        self._translation = self._translation._replace(body={}, origins=[], declared=[], source={})

    @property
    def caller_path(self) -> Callable[[str], str | None]:
        """Turns `input[5].content` into `messages[3].content`, and so on."""
        return self._completion_context.caller_path

    def learned(self, status: int, body: bytes) -> Profile | None:
        """Return a profile that avoids what the upstream refused; None if nothing was learned."""
        less = additions.refused(self._translation.added, self.profile, status, body)
        if less is not None:
            return less
        present = {name for name, value in self._translation.source.items() if value is not None}
        if self.own_id:  # it is kept here, and the client's `store` was not sent
            present.discard("store")
        added = [name for name, causes in _ADDED.items() if name in self.request and present.isdisjoint(causes)]
        return refusals.learned_of(added, self.profile, self.request, status, body)


def _in_usual(path: str, body: dict[str, Any], context: Context) -> str | None:
    """The caller's path for one in what the fast path made, which notes no places: the general path does."""
    try:
        translation = request.translate_to_responses(body, context._replace(report=Report()))
    except RequestError:  # the caller has changed it since
        return None
    return paths.in_chat(path, translation)
