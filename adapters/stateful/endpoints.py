"""Serves a request to an endpoint of stored state."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from typing import Any
from urllib.parse import parse_qsl

import anyio

from ...translator import RequestBody, RequestError
from ..asgi import media_type
from ..asgi.request_body import Disconnected, Unreadable, read_object, timeout_error
from ..asgi.types import (
    CLIENT_GONE,
    Headers,
    Receive,
    Scope,
    Send,
    connection_close,
    send_body,
    send_error,
    send_json,
)
from ..limits import Limits
from ..store import Store
from .failures import failure_of, in_time
from .request import Endpoint, StatefulRequest
from .routes import Target

Make = Callable[[dict[str, Any]], Awaitable[tuple[dict[str, Any], Headers]]]
"""Makes the answer to the body of a request, and its headers."""


async def serve(
    target: Target,
    scope: Scope,
    receive: Receive,
    send: Send,
    *,
    store: Store,
    tenant: str,
    limits: Limits,
    clock: Callable[[], float],
) -> None:
    """Answer a request about what *store* has of *tenant*; whatever fails becomes an answer, too."""

    async def make(body: dict[str, Any]) -> tuple[dict[str, Any], Headers]:
        request = StatefulRequest(store, tenant, target.ids, query, body, limits.max_history, clock)
        with in_time():
            return await _endpoint(target)(request), []

    query = parse_qsl(scope.get("query_string", b"").decode("latin-1"), keep_blank_values=True)
    named = [*(("id", ident) for ident in target.ids), *query]
    await reply(make, scope, receive, send, limits, named=named, allow=target.route.allow)


async def reply(
    make: Make,
    scope: Scope,
    receive: Receive,
    send: Send,
    limits: Limits,
    *,
    named: Iterable[tuple[str, str]] = (),
    allow: str = "POST",
) -> None:
    """Read a request, and send what *make* makes of its body; whatever fails becomes an answer, too.

    *named* are the texts in its path and query, *allow* its methods.
    """
    try:
        _expect_text(named)
        body = await _body(scope, receive, limits) if scope["method"] == "POST" else {}
        answer, headers = await make(body)
        sending = send_json(send, 200, answer, headers)
    except Disconnected:
        sending = send_body(send, CLIENT_GONE, b"")  # some hosts raise when nothing at all is sent
    except Unreadable as unreadable:
        sending = send_error(send, unreadable.error, connection_close(scope))
    except Exception as error:
        failure = failure_of(error, limits.max_history)
        methods = [(b"allow", allow.encode())] if failure.error.status == 405 else []
        sending = send_error(send, failure.error, [*failure.headers, *methods])
    with suppress(OSError):
        await sending


def _endpoint(target: Target) -> Endpoint:
    if target.endpoint is None:
        message = f"Not allowed: {target.route.path} takes {target.route.allow}."
        raise RequestError(message, code="method_not_allowed", status=405)
    return target.endpoint


async def _body(scope: Scope, receive: Receive, limits: Limits) -> dict[str, Any]:
    media_type.check(scope)
    received = None
    with anyio.move_on_after(limits.request):
        received = await read_object(scope, receive, limits, empty=RequestBody({}))
    if received is None:
        raise Unreadable(timeout_error(limits))
    return await anyio.to_thread.run_sync(received.whole) if received.is_large else received.whole()


def _expect_text(named: Iterable[tuple[str, str]]) -> None:
    """Raise RequestError for what no database keeps as text."""
    for name, value in named:
        if "\0" in value:
            raise RequestError(f"Invalid '{name}': it contains a null character.", name)
        if any("\ud800" <= character <= "\udfff" for character in value):
            raise RequestError(f"Invalid '{name}': it is no Unicode text.", name)
