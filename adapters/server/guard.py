"""Protects the server against web pages: foreign origins, unknown host names, and ambiguous framing are refused.

Every page that a user opens could call a server on their machine. Browsers send the origin of the page, and DNS
rebinding shows in the `host` header.
"""

from __future__ import annotations

from collections.abc import Collection

from starlette.middleware.cors import CORSMiddleware

from ...translator import RequestError
from ..asgi.origins import ANY, LOCAL, Host, Origin, host, is_loopback, origin
from ..asgi.types import App, Headers, Message, Receive, Scope, Send
from ..asgi.websocket import deny

_OWN_SITES = (b"same-origin", b"none")
_CLOSE: Headers = [(b"connection", b"close")]
_CORS = b"access-control-"

_WRONG_HOST = RequestError(
    "This host name is not allowed. To allow names other than localhost, 127.0.0.1 and [::1], use "
    "--allow-host (DIGLOT_ALLOW_HOST, allow_host).",
    code="host_not_allowed",
    status=403,
)
_WRONG_ORIGIN = RequestError(
    "Web pages from other origins may not call this server. To allow an origin, use --allow-origin "
    "(DIGLOT_ALLOW_ORIGIN, allow_origin).",
    code="origin_not_allowed",
    status=403,
)
_WRONG_FRAMING = RequestError(
    "A request must not have both Content-Length and Transfer-Encoding.", code="invalid_request"
)


class Guard:
    """Refuses requests before they reach an application that listens on *address*.

    *hosts* and *origins* are allowed besides the server's own; ``*`` allows all. Allowed origins get CORS headers with
    every answer, including errors.
    """

    def __init__(self, app: App, address: str, hosts: Collection[str] = (), origins: Collection[str] = ()) -> None:
        self._app = app
        self._names = _names(address, hosts)
        self._origins = {origin(text) for text in origins if text != ANY}
        self._all_origins = ANY in origins
        named = [ANY] if self._all_origins else [str(origin) for origin in self._origins]
        self._cors = CORSMiddleware(
            self._without_cors,
            allow_origins=named,
            allow_methods=["*"],
            allow_headers=["*"],
            allow_private_network=True,
            expose_headers=["diglot-losses", "x-request-id"],
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        headers = _RequestHeaders(scope["headers"])
        refusal = self._refusal(headers)
        if not self._may_call(headers):
            await deny(scope, receive, send, _WRONG_ORIGIN)
        elif headers.origins and self._is_listed(headers) and not (refusal and scope.get("method") == "OPTIONS"):
            await self._cors(scope, receive, send)
        else:
            await self._serve(refusal, scope, receive, send)

    def _may_call(self, headers: _RequestHeaders) -> bool:
        """Whether the request comes from no web page, from our own, or from one that is allowed."""
        if self._is_listed(headers):
            return True
        if len(headers.origins) > 1 or any(site not in _OWN_SITES for site in headers.fetch_sites):
            return False
        origin = headers.origin
        return not headers.origins or (origin is not None and origin.is_at(headers.host))

    def _is_listed(self, headers: _RequestHeaders) -> bool:
        return self._all_origins or (headers.origin is not None and headers.origin in self._origins)

    def _refusal(self, headers: _RequestHeaders) -> RequestError | None:
        """Return what is wrong with the request, whoever sent it."""
        if headers.has_length and headers.has_coding:  # uvicorn with h11 accepts both
            return _WRONG_FRAMING
        if self._names is None or (headers.host is not None and headers.host.name in self._names):
            return None
        return _WRONG_HOST

    async def _serve(self, refusal: RequestError | None, scope: Scope, receive: Receive, send: Send) -> None:
        if refusal is None:
            await self._app(scope, receive, send)
        else:
            await deny(scope, receive, send, refusal, _CLOSE if refusal is _WRONG_FRAMING else ())

    async def _without_cors(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve an allowed page, without the CORS headers of the upstream."""

        async def ours(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = [pair for pair in message["headers"] if not bytes(pair[0]).lower().startswith(_CORS)]
                message = {**message, "headers": headers}
            await send(message)

        await self._serve(self._refusal(_RequestHeaders(scope["headers"])), scope, receive, ours)


class _RequestHeaders:
    """The headers of a request that say where it comes from, and how its body is framed."""

    def __init__(self, headers: Headers) -> None:
        hosts: list[bytes] = []
        self.origins: list[bytes] = []
        self.fetch_sites: list[bytes] = []
        self.has_length = self.has_coding = False
        for name, value in headers:
            if name == b"host":
                hosts.append(value)
            elif name == b"origin":
                self.origins.append(value)
            elif name == b"sec-fetch-site":
                self.fetch_sites.append(value.strip().lower())
            elif name == b"content-length":
                self.has_length = True
            elif name == b"transfer-encoding":
                self.has_coding = True
        self.host: Host | None = host(hosts[0].decode("latin-1")) if len(hosts) == 1 else None
        self.origin: Origin | None = origin(self.origins[0].decode("latin-1")) if len(self.origins) == 1 else None


def _names(address: str, hosts: Collection[str]) -> frozenset[str] | None:
    """Return the host names of the server; None if any is allowed, as on public addresses unless some are listed."""
    if ANY in hosts or not (hosts or is_loopback(address)):
        return None
    own = f"[{address}]" if ":" in address else address
    return LOCAL | {found.name for found in map(host, (*hosts, own)) if found is not None}
