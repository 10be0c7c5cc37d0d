"""Who may talk to the server: no web page that is not named, nobody under a strange name, nobody in doubtful framing.

A server on this machine is open to every page that its owner looks at. Browsers say where a page comes from; a name
that was made to lead here (DNS rebinding) shows in `host`.
"""

from __future__ import annotations

from collections.abc import Collection

from starlette.middleware.cors import CORSMiddleware

from ...translator import BadRequest
from ..asgi.origins import ANY, LOCAL, Host, Origin, host, is_loopback, origin
from ..asgi.types import App, Headers, Message, Receive, Scope, Send
from ..asgi.websocket import deny

_OWN_SITES = (b"same-origin", b"none")
_CLOSE: Headers = [(b"connection", b"close")]
_CORS = b"access-control-"

_WRONG_HOST = BadRequest(
    "This server does not go by that name. Besides localhost, 127.0.0.1 and [::1], names are allowed with "
    "--allow-host (DIGLOT_ALLOW_HOST, allow_host).",
    code="host_not_allowed",
    status=403,
)
_WRONG_ORIGIN = BadRequest(
    "Web pages from elsewhere may not call this server. Their origin is allowed with --allow-origin "
    "(DIGLOT_ALLOW_ORIGIN, allow_origin).",
    code="origin_not_allowed",
    status=403,
)
_WRONG_FRAMING = BadRequest("A request has either content-length or transfer-encoding.", code="invalid_request")


class Guard:
    """Stands in front of an application that listens on *address*.

    *hosts* and *origins* are allowed besides what is the server's own; ``*`` is all of them. Allowed origins get what
    browsers ask for (CORS) with every answer, errors too.
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
            expose_headers=["diglot-losses"],
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
        """Whether no web page asks, or one that may: ours, or one that is named."""
        if self._is_listed(headers):
            return True
        if len(headers.origins) > 1 or any(site not in _OWN_SITES for site in headers.fetch_sites):
            return False
        origin = headers.origin
        return not headers.origins or (origin is not None and origin.is_at(headers.host))

    def _is_listed(self, headers: _RequestHeaders) -> bool:
        return self._all_origins or (headers.origin is not None and headers.origin in self._origins)

    def _refusal(self, headers: _RequestHeaders) -> BadRequest | None:
        """What is wrong with the request, whoever asks."""
        if headers.has_length and headers.has_coding:  # uvicorn with h11 takes both
            return _WRONG_FRAMING
        if self._names is None or (headers.host is not None and headers.host.name in self._names):
            return None
        return _WRONG_HOST

    async def _serve(self, refusal: BadRequest | None, scope: Scope, receive: Receive, send: Send) -> None:
        if refusal is None:
            await self._app(scope, receive, send)
        else:
            await deny(scope, receive, send, refusal, _CLOSE if refusal is _WRONG_FRAMING else ())

    async def _without_cors(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve an allowed page; what the upstream thinks of it does not count."""

        async def ours(message: Message) -> None:
            if message["type"] == "http.response.start":
                kept = [header for header in message["headers"] if not bytes(header[0]).lower().startswith(_CORS)]
                message = {**message, "headers": kept}
            await send(message)

        await self._serve(self._refusal(_RequestHeaders(scope["headers"])), scope, receive, ours)


class _RequestHeaders:
    """What the headers of a request say about who asks, and where."""

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
    """The names of the server; None for any: who listens for everybody may have any, unless they are listed."""
    if ANY in hosts or not (hosts or is_loopback(address)):
        return None
    own = f"[{address}]" if ":" in address else address
    return LOCAL | {found.name for found in map(host, (*hosts, own)) if found is not None}
