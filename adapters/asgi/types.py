"""The types of ASGI, and functions to read and drop headers and to send JSON."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Iterable, MutableMapping
from typing import Any

from ...translator import RequestError, TranslationError, encode_json

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]

LAST_ON_CONNECTION = "diglot.once"
"""Our own ASGI extension: the connection to the upstream is closed after a request that carries it."""

BESIDE_API = "diglot.beside"
"""Our own ASGI extension: a request that is not below the base of the API (`/v1`), but beside it, at its `path`."""

KEY_NAME = "diglot.key"
"""The entry of a scope with the name of the client's key, where the server checks keys; never the key itself."""

CREDENTIALS = (b"authorization", b"api-key", b"x-api-key")
"""The headers in which clients show a key."""

DECODED_BODY = "diglot.decoded"
"""Our own member of an `http.request` message that has the whole body: the `RequestBody` that it was decoded to."""

MODEL_ROUTE = "diglot.route"
"""Our own member of a scope: the `ModelRoute` of a request, where there are several models or upstreams."""

CLIENT_GONE = 499
"""The status of an answer to a client that disconnected before it got one."""

HOP_BY_HOP = frozenset(
    {
        b"connection",
        b"keep-alive",
        b"proxy-authenticate",
        b"proxy-authorization",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
    }
)
"""Headers that apply to one connection only (RFC 9110, 7.6.1)."""

ABOUT_THE_BODY = frozenset(
    {
        b"content-length",
        b"content-type",
        b"content-encoding",
        b"content-md5",
        b"content-digest",
        b"repr-digest",
        b"digest",
        b"etag",
        b"last-modified",
        b"accept-ranges",
        b"content-range",
    }
)
"""Headers that no longer hold when the body is replaced."""


def header(scope: Scope, name: bytes) -> bytes:
    """Return the value of a request header (lower-case *name*), or an empty one."""
    for key, value in scope["headers"]:
        if key == name:
            return value
    return b""


def declared_length(scope: Scope) -> int | None:
    """Return the length of the body that the headers of a request declare, or None.

    Raises RequestError when the headers contradict each other (RFC 9112, 6.3), as in request smuggling.
    """
    declared: bytes | None = None
    is_ambiguous = False
    for key, value in scope["headers"]:
        if key == b"content-length":
            is_ambiguous |= declared is not None and declared != value
            declared = value
    if declared is None:
        return None
    if is_ambiguous or not declared.isdigit() or header(scope, b"transfer-encoding"):
        raise RequestError("The length of the request body is ambiguous.", code="invalid_content_length")
    return int(declared)


def wrong_length(declared: int, size: int) -> RequestError:
    """Return the error for a body of the wrong length: some servers lose the body when an upgrade is offered."""
    return RequestError(
        f"The request body has {size} bytes, but its Content-Length is {declared}.", code="invalid_content_length"
    )


def connection_close(scope: Scope) -> Headers:
    """Return the header that closes the connection after the answer; only HTTP/1 has it."""
    return [(b"connection", b"close")] if str(scope.get("http_version", "")).startswith("1") else []


def without(headers: Iterable[tuple[bytes, bytes]], names: Collection[bytes]) -> Headers:
    """Return the headers that are not in *names* (lower case) and not hop-by-hop, names in lower case.

    `_` in a name counts as `-`: CGI and WSGI do not tell them apart.
    """
    result: Headers = []
    named = b""  # further hop-by-hop headers, by the value of `connection`
    for key, value in headers:
        name = bytes(key).lower()
        if name == b"connection":
            named += b"," + bytes(value)
        plain = name.replace(b"_", b"-")
        if not (name in HOP_BY_HOP or plain in HOP_BY_HOP or name in names or plain in names):
            result.append((name, bytes(value)))
    if not named:
        return result
    out = {token.strip() for token in named.lower().split(b",")}
    return [(name, value) for name, value in result if name not in out and name.replace(b"_", b"-") not in out]


def beginning_with(messages: list[Message], receive: Receive) -> Receive:
    """Return a `receive` that begins with these messages, the last one first."""

    async def received() -> Message:
        return messages.pop() if messages else await receive()

    return received


async def send_json(send: Send, status: int, value: object, headers: Iterable[tuple[bytes, bytes]] = ()) -> None:
    """Send a whole JSON answer."""
    await send_body(send, status, encode_json(value), headers)


async def send_body(send: Send, status: int, body: bytes, headers: Iterable[tuple[bytes, bytes]] = ()) -> None:
    """Send a whole JSON answer that is already encoded."""
    own = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": status, "headers": [*headers, *own]})
    await send({"type": "http.response.body", "body": body, "more_body": False})


async def send_error(send: Send, error: TranslationError, headers: Iterable[tuple[bytes, bytes]] = ()) -> None:
    """Send an error as both APIs do over HTTP."""
    await send_json(send, error.status, error.body(), headers)
