"""OpenAI's two text APIs, Chat Completions and Responses, each from the other.

A function is named by what it returns, and returns its losses: ``chat_request``, ``responses_request``,
``responses_answer``, ``chat_answer``; ``responses_stream`` and ``chat_stream`` are iterators; ``convert`` takes any
body. One live call, from the request to the end of its answer, is a ``ServeResponses`` or a ``ServeChat``.
All of this is pure. `diglot.types` names the shapes of what comes out. For authors of servers, `diglot.translator` has
the verbs beneath; `diglot.adapters` is ASGI middleware and a server.
"""

from diglot.translator import (
    Loss,
    Profile,
    ProtocolMisuse,
    RequestError,
    ServeChat,
    ServeResponses,
    TranslationError,
    UntranslatableError,
    UpstreamError,
    chat_answer,
    chat_request,
    chat_stream,
    convert,
    preset,
    responses_answer,
    responses_request,
    responses_stream,
)

__version__ = "0.1.0"

__all__ = [
    "Loss",
    "Profile",
    "ProtocolMisuse",
    "RequestError",
    "ServeChat",
    "ServeResponses",
    "TranslationError",
    "UntranslatableError",
    "UpstreamError",
    "__version__",
    "chat_answer",
    "chat_request",
    "chat_stream",
    "convert",
    "preset",
    "responses_answer",
    "responses_request",
    "responses_stream",
]
