"""An ASGI application that is somewhere else: it forwards every request to an upstream URL over HTTP."""

from __future__ import annotations

import re
from base64 import b64encode
from urllib.parse import SplitResult, quote, unquote, urlsplit

from ...translator import RequestError
from ..asgi.types import ONCE, Headers, Receive, Scope, Send, declared_length, hang_up, send_error, without
from ..asgi.websocket import is_websocket, refuse
from ..limits import Limits
from .choice import adapted, check_installed, new_client
from .client import Client, Clients
from .pass_through import PassThrough

_NOT_SENT = frozenset({b"host", b"expect", b"content-length"})
"""What is sent on is counted anew: a client's own word on its length would end up before other bytes than it meant."""
_NOT_FORWARDED = ("CONNECT", "TRACE")
_LITERAL = "%!$&'()*+,/:;=?@[]^|\\"
"""Besides letters, digits and `-._~`: what may stand in a path or query as it is."""


class Upstream:
    """Forwards what is asked for below ``/v1`` to *base_url*, over one pool of connections.

    A *base_url* without a path means its ``/v1``, because that is how people paste it. *client* is a
    `ClientSession` of aiohttp or an `AsyncClient` of httpx2 or httpx, with settings of its own (proxies, certificates,
    default headers); the caller closes it. Credentials in the URL replace those of the clients.
    """

    def __init__(self, base_url: str, *, client: object | None = None, limits: Limits | None = None) -> None:
        parts = _split(base_url)
        self.limits: Limits = limits or Limits()
        user, _, self._place = parts.netloc.rpartition("@")
        self._base = f"{parts.scheme}://{self._place}{quote(parts.path.rstrip('/'), _LITERAL) or '/v1'}"
        self._places = urlsplit(self._base).path.strip("/").split("/")
        self._query = parts.query.encode()
        self._credentials = [(b"authorization", _basic(user))] if user else []
        self._not_sent = _NOT_SENT | dict(self._credentials).keys()
        if client is None:
            check_installed()
        self._given = adapted(client, self.limits) if client is not None else None
        self._own = Clients(lambda: new_client(self._base, self.limits))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif is_websocket(scope):
            await refuse(scope, receive, send)
        else:
            await self._forward(scope, receive, send)

    async def aclose(self) -> None:
        """Close the pool of this event loop, unless it is the caller's; other loops close theirs when they end."""
        await self._own.aclose()

    async def _live(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.shutdown":
                await self.aclose()
            await send({"type": message["type"] + ".complete"})
            if message["type"] == "lifespan.shutdown":
                return

    async def _client(self) -> Client:
        return self._given if self._given is not None else await self._own.get()

    async def _forward(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            _expect_forwardable(scope["method"])
            url, declared = self._url(scope), declared_length(scope)
        except RequestError as error:
            await send_error(send, error, [*hang_up(scope), *_allow(error)])
            return
        exchange = PassThrough(scope, receive, send, self.limits, declared, self._place)
        await exchange.run(await self._client(), url, self._headers(scope))

    def _url(self, scope: Scope) -> str:
        """The URL of the same thing at the upstream; raises RequestError for paths that try to get above it."""
        path = (scope.get("raw_path") or b"").decode("ascii", "replace") or quote(scope["path"])
        path = path.removeprefix(quote(scope.get("root_path", "")))
        if not path.startswith("/") or _leads_above(path):
            raise RequestError("There is no such path.", code="not_found", status=404)
        path = path[len(self._repeated(path)) :]
        query = b"&".join(part for part in (self._query, scope.get("query_string", b"")) if part)
        return self._base + quote(path, _LITERAL) + (f"?{quote(query, _LITERAL)}" if query else "")

    def _repeated(self, path: str) -> str:
        """How *path* begins where that only says where the API is: `/v1`, or as the URL ends (`/openai/v1`)."""
        ends = ["/v1", *("/" + "/".join(self._places[i:]) for i in range(len(self._places) - 1))]
        return next((end for end in ends if path == end or path.startswith(end + "/")), "")

    def _headers(self, scope: Scope) -> Headers:
        headers = without(scope["headers"], self._not_sent) + self._credentials
        if not any(name == b"accept-encoding" for name, _ in headers):
            headers.append((b"accept-encoding", b"identity"))  # else some clients would add what they can decode
        if ONCE in (scope.get("extensions") or {}):
            headers.append((b"connection", b"close"))
        return headers


def _split(url: str) -> SplitResult:
    """The parts of a URL that can be called; raises ValueError for any other."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or _NO_HOST.search(parts.netloc):
        raise ValueError("the upstream must be an http:// or https:// URL")
    _ = parts.port  # raises ValueError for what is none
    return parts


def _leads_above(path: str) -> bool:
    """Whether some server reads a path with a `..` in it: decoded more than once, or with parameters (`..;x`)."""
    plain = unquote(_PERCENT.sub("%", path))
    return ".." in plain and any(name.partition(";")[0] == ".." for name in re.split(r"[/\\]", plain))


_PERCENT = re.compile("%(?:25)+")
_NO_HOST = re.compile(r"[\s\\^`{|}\x00-\x1f]")


def _expect_forwardable(method: str) -> None:
    """TRACE would show a client what was added to its request (RFC 9110, 9.3.8), CONNECT asks for a tunnel."""
    if method in _NOT_FORWARDED:
        raise RequestError(f"{method} is not served here.", code="method_not_allowed", status=405)


def _allow(error: RequestError) -> Headers:
    return [(b"allow", b"GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS")] if error.status == 405 else []


def _basic(user: str) -> bytes:
    name, _, password = user.partition(":")
    return b"Basic " + b64encode(f"{unquote(name)}:{unquote(password)}".encode())
