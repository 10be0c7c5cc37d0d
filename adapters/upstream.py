"""An ASGI application that is somewhere else: it forwards every request to an upstream URL over HTTP."""

from __future__ import annotations

import asyncio
import logging
import re
from base64 import b64encode
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import aclosing, asynccontextmanager
from typing import Any
from urllib.parse import quote, unquote, urlsplit

import anyio

from ..translator import BadRequest, BadUpstream, TranslationError
from .asgi_types import ONCE, Headers, Message, Receive, Scope, Send, send_error, without
from .http import Answer, Client, cause, on_asyncio
from .http_choice import adapted, check_installed, new_client
from .limits import Limits
from .websocket import is_websocket, refuse

_log = logging.getLogger("diglot")
_NOT_SENT = frozenset({b"host", b"expect"})
_NOT_KEPT = frozenset({b"date", b"server", b"alt-svc"})  # they are about the other server; ours adds its own
_LITERAL = "%!$&'()*+,/:;=?@[]^|\\"
"""Besides letters, digits and `-._~`: what may stand in a path or query as it is."""


class Upstream:
    """Forwards what is asked for below ``/v1`` to *base_url*, over one pool of connections.

    A *base_url* without a path means its ``/v1``, because that is how people paste it. *client* is a
    `ClientSession` of aiohttp or an `AsyncClient` of httpx2 or httpx, with settings of its own (proxies, certificates,
    default headers); the caller closes it. Credentials in the URL replace those of the clients.
    """

    def __init__(self, base_url: str, *, client: object | None = None, limits: Limits | None = None) -> None:
        parts = urlsplit(base_url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("the upstream must be an http:// or https:// URL")
        self.limits = limits or Limits()
        user, _, self._place = parts.netloc.rpartition("@")
        self._base = f"{parts.scheme}://{self._place}{quote(parts.path.rstrip('/'), _LITERAL) or '/v1'}"
        self._query = parts.query.encode()
        self._credentials = [(b"authorization", _basic(user))] if user else []
        self._not_sent = _NOT_SENT | dict(self._credentials).keys()
        if client is None:
            check_installed()
        self._given = adapted(client, self.limits) if client is not None else None
        self._own: Client | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif is_websocket(scope):
            await refuse(scope, receive, send)
        else:
            await self._forward(scope, receive, send)

    async def aclose(self) -> None:
        """Close the pool, unless it is the caller's."""
        client, self._own = self._own, None
        if client is not None:
            await client.aclose()

    async def _live(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.shutdown":
                await self.aclose()
            await send({"type": message["type"] + ".complete"})
            if message["type"] == "lifespan.shutdown":
                return

    def _client(self) -> Client:
        if self._given is not None:
            return self._given
        if self._own is None:
            self._own = new_client(self._base, self.limits)
        return self._own

    async def _forward(self, scope: Scope, receive: Receive, send: Send) -> None:
        url = self._url(scope)
        if url is None:
            missing = BadRequest("There is no such path.", code="not_found", status=404)
            await send_error(send, missing)
            return
        upload = _Upload(receive, self.limits.max_body)
        failure: BaseException | None = None
        async with _beside(upload.wait_for_disconnect):
            try:
                await self._exchange(scope["method"], url, self._headers(scope), upload, send)
            except Exception as error:  # raised below, outside of the group: nobody wants to unwrap it
                failure = error
        if failure is not None and not upload.gone:
            raise failure

    async def _exchange(self, method: str, url: str, headers: Headers, upload: _Upload, send: Send) -> None:
        """Errors before the answer begins become an answer; later ones are raised: a cut must look like one."""
        try:
            answer = await self._client().open(method, url, headers, await upload.content())
        except TranslationError as error:
            self._tell(error)
            await send_error(send, error)
            return
        except Exception as error:  # what the layers below the client package let through
            _log.error("The upstream call to %s raised %s", self._place, cause(error))
            await send_error(send, BadUpstream("The upstream call failed."))
            return
        try:
            await _pass_on(answer, upload, send)
        except BadUpstream as error:
            self._tell(error)
            raise
        finally:
            await answer.aclose()

    def _tell(self, error: TranslationError) -> None:
        """Let the operator know where the network failed, and how; the client only learns that it did."""
        if error.__cause__ is not None:
            _log.warning("Upstream %s: %s (%s)", self._place, error, cause(error.__cause__))

    def _url(self, scope: Scope) -> str | None:
        """The URL of the same thing at the upstream; None for paths that try to get above it."""
        path = (scope.get("raw_path") or b"").decode("ascii", "replace") or quote(scope["path"])
        path = path.removeprefix(quote(scope.get("root_path", "")))
        plain = unquote(path)
        if not path.startswith("/") or (".." in plain and ".." in re.split(r"[/\\]", plain)):
            return None
        if path == "/v1" or path.startswith("/v1/"):
            path = path[len("/v1") :]
        query = b"&".join(part for part in (self._query, scope.get("query_string", b"")) if part)
        return self._base + quote(path, _LITERAL) + (f"?{quote(query, _LITERAL)}" if query else "")

    def _headers(self, scope: Scope) -> Headers:
        headers = without(scope["headers"], self._not_sent) + self._credentials
        if not any(name == b"accept-encoding" for name, _ in headers):
            headers.append((b"accept-encoding", b"identity"))  # else some clients would add what they can decode
        if ONCE in (scope.get("extensions") or {}):
            headers.append((b"connection", b"close"))
        return headers


class _Upload:
    """The request body on its way, and then the wait for the client to leave."""

    def __init__(self, receive: Receive, limit: int) -> None:
        self.gone = False
        self._receive = receive
        self._room = limit
        self._done = anyio.Event()

    async def content(self) -> bytes | AsyncIterator[bytes] | None:
        """The whole body if it is here at once, as it nearly always is; else an iterator."""
        message = await self._receive()
        data = self._piece(message)
        if message.get("more_body", False):
            return self._pieces(data)
        self._done.set()
        return data or None

    async def _pieces(self, data: bytes) -> AsyncIterator[bytes]:
        more = True
        while True:
            yield data
            if not more:
                break
            message = await self._receive()
            data, more = self._piece(message), message.get("more_body", False)
        self._done.set()

    def _piece(self, message: Message) -> bytes:
        if message["type"] == "http.disconnect":
            self.gone = True
            self._done.set()  # also where the answer has begun before all was sent
            raise BadUpstream("The client has gone.")
        data: bytes = message.get("body", b"")
        self._room -= len(data)
        if self._room < 0:
            raise BadRequest("The request body is too large.", code="request_too_large", status=413)
        return data

    async def wait_for_disconnect(self, scope: anyio.CancelScope) -> None:
        """Cancel *scope* when the client goes away."""
        await self._done.wait()
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self.gone = True
        scope.cancel()


@asynccontextmanager
async def _beside(watch: Callable[[anyio.CancelScope], Coroutine[Any, Any, None]]) -> AsyncIterator[None]:
    """Let *watch* run while the context lasts; it may cancel that."""
    if on_asyncio():  # a task group costs more than all else that is done here for one request
        with anyio.CancelScope() as scope:
            task = asyncio.create_task(watch(scope))
            try:
                yield
            finally:
                task.cancel()
    else:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(watch, tasks.cancel_scope)
            yield
            tasks.cancel_scope.cancel()


async def _pass_on(answer: Answer, upload: _Upload, send: Send) -> None:
    """Hand the bytes on as they are: the headers that describe them stay true."""
    if not 100 <= answer.status <= 599:
        await send_error(send, BadUpstream(f"The upstream answered with {answer.status}, which is no HTTP status."))
        return
    headers = without(answer.headers, _NOT_KEPT)
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    async with aclosing(answer.pieces()) as pieces:
        async for piece in pieces:
            if upload.gone:  # a flood outruns being cancelled, which waits for a pause
                return
            await send({"type": "http.response.body", "body": piece, "more_body": True})
    await send({"type": "http.response.body", "body": b"", "more_body": False})


def _basic(user: str) -> bytes:
    name, _, password = user.partition(":")
    return b"Basic " + b64encode(f"{unquote(name)}:{unquote(password)}".encode())
