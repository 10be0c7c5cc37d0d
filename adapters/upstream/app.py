"""An ASGI application that forwards every request to an upstream URL over HTTP."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Sequence
from urllib.parse import SplitResult, quote, unquote, urlsplit

from ...translator import RequestError
from ..asgi.types import (
    BESIDE_API,
    LAST_ON_CONNECTION,
    Headers,
    Receive,
    Scope,
    Send,
    connection_close,
    declared_length,
    send_error,
    without,
)
from ..asgi.websocket import is_websocket, refuse
from ..limits import Limits
from .choice import check_installed, new_client, wrap_client
from .client import Client, Clients
from .masking import Masking
from .pass_through import PassThrough

_DROPPED_HEADERS = frozenset({b"host", b"expect", b"content-length"})
"""Headers that are not forwarded; the length is counted, because a wrong one would enable request smuggling."""
_CREDENTIALS = frozenset({b"authorization", b"api-key", b"x-api-key", b"x-goog-api-key"})
"""Where clients send keys."""
_NOT_FORWARDED = ("CONNECT", "TRACE")
_LITERAL = "%!$&'()*+,/:;=?@[]^|\\"
"""Characters that need no quoting in a path or query, besides letters, digits and `-._~`."""


class Upstream:
    """Forwards every request to *base_url*, which takes the place of ``/v1``, over one connection pool.

    A *base_url* without a path means its ``/v1``, because that is how people paste it. *client* is a
    `ClientSession` of aiohttp or an `AsyncClient` of httpx2 or httpx, with settings of its own (proxies, certificates,
    default headers); the caller closes it. Credentials in the URL replace those of the clients, and so do
    *credentials*: headers, such as ``[(b"authorization", b"Bearer ...")]``. *name* stands in logs and metrics, instead
    of its host and port.
    """

    def __init__(
        self,
        base_url: str,
        *,
        client: object | None = None,
        limits: Limits | None = None,
        credentials: Sequence[tuple[bytes, bytes]] = (),
        name: str = "",
    ) -> None:
        parts = _split(base_url)
        self.limits: Limits = limits or Limits()
        user, _, self._netloc = parts.netloc.rpartition("@")
        self._name = name or self._netloc
        self._base = f"{parts.scheme}://{self._netloc}{quote(parts.path.rstrip('/'), _LITERAL) or '/v1'}"
        self._root = _VERSION.sub("", self._base)
        self._base_segments = urlsplit(self._base).path.strip("/").split("/")
        self._query = parts.query.encode()
        self._credentials = [*credentials] or ([(b"authorization", _basic(user))] if user else [])
        self._masking = Masking(self._credentials, parts.query)
        clients_own = _CREDENTIALS if credentials else {name for name, _ in self._credentials}
        self._dropped_headers = _DROPPED_HEADERS | clients_own
        if self._masking.looks:  # nothing is found in errors that are compressed
            self._dropped_headers |= {b"accept-encoding"}
        if client is None:
            check_installed()
        self._callers_client = wrap_client(client, self.limits) if client is not None else None
        self._clients = Clients(lambda: new_client(self._base, self.limits))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] == "lifespan":
            await self._serve_lifespan(receive, send)
        elif is_websocket(scope):
            await refuse(scope, receive, send)
        else:
            await self._forward(scope, receive, send)

    async def aclose(self) -> None:
        """Close the connections of this event loop, but not the caller's client; other loops close theirs on exit."""
        await self._clients.aclose()

    async def _serve_lifespan(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.shutdown":
                await self.aclose()
            await send({"type": message["type"] + ".complete"})
            if message["type"] == "lifespan.shutdown":
                return

    async def _client(self) -> Client:
        return self._callers_client if self._callers_client is not None else await self._clients.get()

    async def _forward(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            _expect_forwardable(scope["method"])
            url, declared = self._url(scope), declared_length(scope)
        except RequestError as error:
            await send_error(send, error, [*connection_close(scope), *_allow(error)])
            return
        names = self._name, self._netloc
        exchange = PassThrough(scope, receive, send, self.limits, declared, names, self._masking)
        await exchange.run(await self._client(), url, self._headers(scope))

    def _url(self, scope: Scope) -> str:
        """Return the URL at the upstream; raises RequestError for a path that leads above it."""
        path = (scope.get("raw_path") or b"").decode("ascii", "replace") or quote(scope["path"])
        path = path.removeprefix(quote(scope.get("root_path", "")))
        if not path.startswith("/") or _has_parent_segment(path):
            raise RequestError("There is no such path.", code="not_found", status=404)
        beside = (scope.get("extensions") or {}).get(BESIDE_API)
        base, path = (self._root, beside["path"]) if beside else (self._base, path[len(self._api_prefix(path)) :])
        query = b"&".join(part for part in (self._query, scope.get("query_string", b"")) if part)
        return base + quote(path, _LITERAL) + (f"?{quote(query, _LITERAL)}" if query else "")

    def _api_prefix(self, path: str) -> str:
        """Return the prefix of *path* that only names the API: `/v1`, or the end of the base URL (`/openai/v1`)."""
        ends = ["/v1", *("/" + "/".join(self._base_segments[i:]) for i in range(len(self._base_segments) - 1))]
        return next((end for end in ends if path == end or path.startswith(end + "/")), "")

    def _headers(self, scope: Scope) -> Headers:
        headers = without(scope["headers"], self._dropped_headers) + self._credentials
        if not any(name == b"accept-encoding" for name, _ in headers):
            headers.append((b"accept-encoding", b"identity"))  # otherwise HTTP clients add what they can decode
        if LAST_ON_CONNECTION in (scope.get("extensions") or {}):
            headers.append((b"connection", b"close"))
        return headers


def _split(url: str) -> SplitResult:
    """Split an http or https URL; raises ValueError for any other."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or _NO_HOST.search(parts.netloc):
        raise ValueError("the upstream must be an http:// or https:// URL")
    _ = parts.port  # raises ValueError if it is invalid
    return parts


def _has_parent_segment(path: str) -> bool:
    """Whether some server may see a `..` in the path: decoded more than once, or with parameters (`..;x`)."""
    plain = unquote(_PERCENT.sub("%", path))
    return ".." in plain and any(name.partition(";")[0] == ".." for name in re.split(r"[/\\]", plain))


_VERSION = re.compile(r"/v\d[a-z\d.]*\Z")
_PERCENT = re.compile("%(?:25)+")
_NO_HOST = re.compile(r"[\s\\^`{|}\x00-\x1f]")


def _expect_forwardable(method: str) -> None:
    """Refuse TRACE, which would echo added headers (RFC 9110, 9.3.8), and CONNECT, which asks for a tunnel."""
    if method in _NOT_FORWARDED:
        raise RequestError(f"{method} is not served here.", code="method_not_allowed", status=405)


def _allow(error: RequestError) -> Headers:
    return [(b"allow", b"GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS")] if error.status == 405 else []


def _basic(user: str) -> bytes:
    name, _, password = user.partition(":")
    return b"Basic " + b64encode(f"{unquote(name)}:{unquote(password)}".encode())
