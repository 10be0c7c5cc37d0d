"""Convert requests and finished answers into the other dialect: each function is named after what it returns.

Bodies are mappings, or objects of the OpenAI SDK (read with `model_dump`). The result shares nothing with the input,
and comes with its losses. Ids and times are derived from the input unless they are passed in: the same input gives the
same bytes. For streams, see `convert_stream.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from . import request as requests
from .context import Context
from .errors import RequestError, UntranslatableError, UpstreamError
from .exchange import derived
from .exchange.base import Exchange
from .exchange.serve_chat import ServeChat
from .exchange.serve_responses import ServeResponses
from .losses import REFUSED_WHEN_STRICT, Loss
from .profiles import Profile
from .wire import plain
from .wire.chat_types import ChatAnswer, ChatRequest
from .wire.responses_types import ResponsesAnswer, ResponsesRequest

Body = Mapping[str, Any] | plain.SupportsModelDump
"""A request or an answer: decoded JSON, or an SDK object."""


def chat_request(
    request: Body, /, *, profile: Profile | str | None = None, strict: bool = False
) -> tuple[ChatRequest, list[Loss]]:
    """Return the Chat Completions request for a Responses request, and what was lost.

    *profile* describes the upstream: the name of a preset, or a Profile. What only a live exchange (`ServeResponses`)
    emulates is dropped. Raises RequestError if *body* is not a Responses request or asks for stored state,
    UntranslatableError if *strict* and something would be dropped or approximated, and TypeError if it is not JSON.
    Rules: protocol 1.2.

    >>> body, losses = chat_request({"model": "m", "input": "Hi", "truncation": "auto"})
    >>> body
    {'model': 'm', 'messages': [{'role': 'user', 'content': 'Hi'}]}
    >>> print(*losses)
    dropped truncation: chat requests have no `truncation`; only a live exchange tries again
    """
    context = Context.of(profile, None)
    body: Any = requests.translate_to_chat(plain.read(request, "request", RequestError), context, strict=strict).body
    return body, list(context.report)


def responses_request(
    request: Body, /, *, profile: Profile | str | None = None, strict: bool = False
) -> tuple[ResponsesRequest, list[Loss]]:
    """Return the Responses request for a Chat Completions request, and what was lost.

    *profile* describes the upstream: the name of a preset, or a Profile. What only a live exchange (`ServeChat`)
    emulates is dropped, for example `stop` and `n`. Raises RequestError if *body* is not a chat request or asks for
    something that Responses does not have (audio), UntranslatableError if *strict* and something would be dropped or
    approximated, and TypeError if it is not JSON. Rules: protocol 1.1.

    >>> body, losses = responses_request({"model": "m", "messages": [{"role": "user", "content": "Hi"}], "seed": 1})
    >>> body
    {'model': 'm', 'input': [{'type': 'message', 'role': 'user', 'content': 'Hi'}], 'store': False}
    >>> print(*losses)
    dropped seed: Responses requests have no `seed`
    """
    context = Context.of(profile, None)
    body: Any = requests.translate_to_responses(
        plain.read(request, "request", RequestError), context, strict=strict
    ).body
    return body, list(context.report)


def responses_answer(
    completion: Body,
    /,
    *,
    request: Body | None = None,
    profile: Profile | str | None = None,
    strict: bool = False,
    new_id: Callable[[str], str] | None = None,
    clock: Callable[[], float] | None = None,
) -> tuple[ResponsesAnswer, list[Loss]]:
    """Return the Response object for a finished chat completion, and what was lost.

    *request* is the Responses request that it answers: its settings are repeated in the answer, and its tools decide
    which item a call becomes. *new_id* makes an id for a prefix (``resp`` -> ``resp_...``), *clock* returns Unix
    seconds; without them, ids are hashes, and times are the completion's own (0 if it has none). Raises UpstreamError
    if the body is an error or not a chat completion, RequestError if *request* is invalid, UntranslatableError if
    *strict* and something would be dropped or approximated, and TypeError if something is not JSON. Rules: protocol 3
    and 4.

    >>> message = {"role": "assistant", "content": "Hello."}
    >>> answer, losses = responses_answer({"model": "m", "choices": [{"message": message, "finish_reason": "stop"}]})
    >>> answer["status"], answer["output"][0]["content"][0]["text"], losses
    ('completed', 'Hello.', [])
    """
    return _answer(ServeResponses, completion, request, profile, strict, new_id, clock)


def chat_answer(
    finished: Body,
    /,
    *,
    request: Body | None = None,
    profile: Profile | str | None = None,
    strict: bool = False,
    new_id: Callable[[str], str] | None = None,
    clock: Callable[[], float] | None = None,
) -> tuple[ChatAnswer, list[Loss]]:
    """Return the chat completion for a finished Response object, and what was lost.

    *request* is the chat request that it answers: its `stop` sequences are applied, and the older `functions` get a
    `function_call`. *new_id* makes an id for a prefix (``call`` -> ``call_...``), *clock* returns Unix seconds; without
    them, ids are hashes, and times are the Response's own (0 if it has none). Raises UpstreamError if the body is an
    error, is not a Response or did not end well, RequestError if *request* is invalid, UntranslatableError if *strict*
    and something would be dropped or approximated, and TypeError if something is not JSON. Rules: protocol 3 and 4.

    >>> message = {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Hello."}]}
    >>> answer, losses = chat_answer({"id": "resp_1", "model": "m", "status": "completed", "output": [message]})
    >>> answer["choices"][0]["message"]["content"], answer["choices"][0]["finish_reason"], losses
    ('Hello.', 'stop', [])
    """
    return _answer(ServeChat, finished, request, profile, strict, new_id, clock)


def convert(
    body: Body, /, *, profile: Profile | str | None = None, strict: bool = False
) -> tuple[dict[str, Any], list[Loss]]:
    """Convert a request or a finished answer of either dialect into the other one; return it, and what was lost.

    Its fields tell what it is: a chat request has `messages`, a chat completion `choices`, a Response `output`;
    anything else is a Responses request. This is what `diglot convert` runs; arguments and errors are those of the
    four functions.

    >>> convert({"model": "m", "input": "Hi"})
    ({'model': 'm', 'messages': [{'role': 'user', 'content': 'Hi'}]}, [])
    """
    body = plain.read(body, "body", RequestError)
    if not isinstance(body, dict):
        raise RequestError("A request or an answer must be a JSON object.")
    to_other = next((to_other for field, to_other in _BY_FIELD.items() if field in body), chat_request)
    made: tuple[Any, list[Loss]] = to_other(body, profile=profile, strict=strict)
    return made


_BY_FIELD: dict[str, Callable[..., tuple[Any, list[Loss]]]] = {
    "messages": responses_request,
    "choices": responses_answer,
    "output": chat_answer,
}


def _answer(
    serve: Callable[..., Exchange],
    answer: Body,
    request: Body | None,
    profile: Profile | str | None,
    strict: bool,
    new_id: Callable[[str], str] | None,
    clock: Callable[[], float] | None,
) -> tuple[Any, list[Loss]]:
    finished = plain.read(answer, "answer", UpstreamError)
    body = None if request is None else plain.read(request, "request", RequestError)
    exchange = serve(
        unknown_request(finished) if body is None else body,
        profile=profile,
        new_id=new_id or derived.Ids(body, derived.identity(finished)),
        clock=clock or derived.no_time,
    )
    of_request = len(exchange.report)
    made = exchange.answer(finished)
    losses = list(exchange.report)[of_request:]
    if strict and (refused := [loss for loss in losses if loss.kind in REFUSED_WHEN_STRICT]):
        raise UntranslatableError(refused)
    return made, losses


def unknown_request(answer: Any) -> dict[str, Any]:
    """Return a stand-in, valid in both dialects, for the unknown request of *answer* or of the first event of one."""
    body = {"model": derived.model_of(answer), "stream": True, "stream_options": {"include_usage": True}}
    return {**body, "input": "", "messages": [{"role": "user", "content": ""}]}
