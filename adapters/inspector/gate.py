"""Who may see the inspector: somebody on this machine who has the token that was printed at the start."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Collection
from ipaddress import ip_address

from starlette.requests import HTTPConnection, Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response

from ..asgi import origins

HEADERS = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; base-uri 'none'; "
        "form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
    ),
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}
"""Of every answer of the inspector. What it shows was written by strangers: nothing of it may run."""
_OWN_SITES = ("same-origin", "none")


class Gate:
    """Lets those in who open the page with *token*, and later have the cookie that they got for it.

    *hosts* are host names that browsers may use besides those of the machine itself (DNS rebinding: a page of
    strangers has another one); *anywhere* lets in other machines, too.
    """

    def __init__(self, token: str, hosts: Collection[str] = (), anywhere: bool = False) -> None:
        self._token, self._anywhere = token, anywhere
        self._names = origins.LOCAL | {found.name for found in map(origins.host, hosts) if found is not None}
        self._cookie = f"diglot_inspector_{hashlib.sha256(token.encode()).hexdigest()[:8]}"  # ports share cookies
        self._pass = hmac.new(token.encode(), b"inspector", "sha256").hexdigest()

    def refusal(self, request: Request) -> Response | None:
        """Return the answer to a request that may not see anything; None if it may."""
        if not (self._anywhere or _is_local(request)):
            return refused(403, "The inspector is for browsers on this machine only.")
        if not self._is_own_host(request):
            return refused(403, "The inspector is not served under this host name; --allow-host adds one.")
        if _is_foreign(request):
            return refused(403, "The inspector is not for other web pages.")
        if not hmac.compare_digest(request.cookies.get(self._cookie, "").encode(), self._pass.encode()):
            return refused(401, "Open the inspector with the link that was printed when the server started.")
        return None

    def exchange(self, request: Request, path: str) -> Response | None:
        """Return the answer that gives a cookie for the token in the query; None if there is no token in it."""
        token = request.query_params.get("token")
        if token is None or not hmac.compare_digest(token.encode(), self._token.encode()):
            return None
        welcome = RedirectResponse(path, 303, HEADERS)
        welcome.set_cookie(
            self._cookie, self._pass, path=path, httponly=True, samesite="strict", secure=request.url.scheme == "https"
        )
        return welcome

    def may_exchange(self, request: Request) -> bool:
        """Whether a request without a cookie may bring a token."""
        return (self._anywhere or _is_local(request)) and self._is_own_host(request)

    def _is_own_host(self, request: HTTPConnection) -> bool:
        hosts = request.headers.getlist("host")
        found = origins.host(hosts[0]) if len(hosts) == 1 else None
        return found is not None and (found.name in self._names or (self._anywhere and _is_address(found.name)))


def new_token() -> str:
    """Return a token that nobody can guess."""
    return secrets.token_urlsafe(24)


def refused(status: int, text: str) -> Response:
    """Return a refusal that says why."""
    return PlainTextResponse(f"{text}\n", status, HEADERS)


def _is_address(name: str) -> bool:
    """Whether a host is an IP address, which no DNS server can point elsewhere."""
    try:
        ip_address(name.strip("[]"))
    except ValueError:
        return False
    return True


def _is_local(request: HTTPConnection) -> bool:
    """Whether the client is on this machine; one without an address came through a socket in the file system."""
    if request.client is None:
        return True
    try:
        address = ip_address(request.client.host.partition("%")[0])
    except ValueError:
        return False
    return (getattr(address, "ipv4_mapped", None) or address).is_loopback


def _is_foreign(request: HTTPConnection) -> bool:
    """Whether another web page makes the request, even one of another port of this machine."""
    headers = request.headers
    if headers.get("sec-fetch-site", "none") not in _OWN_SITES:
        return True
    origin = headers.get("origin")
    found = origins.origin(origin) if origin is not None else None
    return origin is not None and (found is None or not found.is_at(origins.host(headers["host"])))
