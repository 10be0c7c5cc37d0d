"""Finished answers: chat completion <-> Response. Each is read like a stream of one chunk or event."""

from __future__ import annotations

from typing import Any

from .errors import UpstreamError
from .stream.to_chat.context import CompletionContext
from .stream.to_chat.transducer import ToChat
from .stream.to_responses.response_context import ResponseContext
from .stream.to_responses.transducer import ToResponses


def to_responses(completion: Any, about: ResponseContext) -> dict[str, Any]:
    """Return the Response object for a chat completion.

    Raises UpstreamError if the body is an error, whatever its HTTP status was, has an error in its choice, or is not a
    chat completion.
    """
    transducer = ToResponses(about, quiet=True, apart=False)
    transducer.feed(completion)
    if transducer.failure is not None:
        raise transducer.failure
    if not transducer.started:
        raise UpstreamError("The upstream's answer is not a chat completion: it has no choices.")
    transducer.finish(clean=True)
    return transducer.answer


def to_chat(finished: Any, context: CompletionContext) -> dict[str, Any]:
    """Return the chat completion for a finished Response.

    Raises UpstreamError if the body is an error, is not a Response, or is a Response that failed or has not ended.
    """
    transducer = ToChat(context, quiet=True, apart=False)
    transducer.feed(finished)
    if not transducer.ended:
        raise UpstreamError("The upstream's answer is not a Response: it has no output.")
    if transducer.failure is not None:
        raise transducer.failure
    return transducer.answer
