"""OpenAI's two text APIs, Chat Completions and Responses, each from the other.

A function is named by what it returns, and returns its losses: ``chat_request``, ``responses_request``,
``responses_answer``, ``chat_answer``; ``responses_stream`` and ``chat_stream`` are iterators; ``convert`` takes any
body. One live call, from the request to the end of its answer, is a ``ServeResponses`` or a ``ServeChat``.
All of this is pure. `diglot.types` names the shapes of what comes out. For authors of servers, `diglot.translator` has
the verbs beneath; `diglot.adapters` is ASGI middleware and a server.

``http_client`` and ``async_http_client`` make clients for an SDK that translate by themselves; ``Transport`` and
``AsyncTransport`` are beneath. They are imported when they are first used, and need the extra `httpx`.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

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

if TYPE_CHECKING:
    from diglot.adapters import AsyncTransport, Transport, async_http_client, http_client

__version__ = "0.1.0"

__all__ = [
    "AsyncTransport",
    "Loss",
    "Profile",
    "ProtocolMisuse",
    "RequestError",
    "ServeChat",
    "ServeResponses",
    "TranslationError",
    "Transport",
    "UntranslatableError",
    "UpstreamError",
    "__version__",
    "async_http_client",
    "chat_answer",
    "chat_request",
    "chat_stream",
    "convert",
    "http_client",
    "preset",
    "responses_answer",
    "responses_request",
    "responses_stream",
]

_OF_ADAPTERS = ("AsyncTransport", "Transport", "async_http_client", "http_client")


def _imported(name: str) -> Any:
    """Return a name of `diglot.adapters`, whose packages nobody needs for conversions."""
    if name not in _OF_ADAPTERS:
        raise AttributeError(f"module 'diglot' has no attribute {name!r}")
    try:
        return getattr(import_module("diglot.adapters"), name)
    except ModuleNotFoundError as error:
        if str(error.name).startswith("diglot"):
            raise
        message = f"{name} needs {error.name}: pip install 'diglot[httpx]'"
        raise ModuleNotFoundError(message, name=error.name) from None


globals()["__getattr__"] = _imported  # unseen by type checkers, which would allow any name
