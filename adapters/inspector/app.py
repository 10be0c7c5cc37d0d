"""The inspector as an ASGI application around another one, whose exchanges it shows."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Collection
from importlib import metadata

from starlette.requests import Request
from starlette.responses import RedirectResponse

from ...translator import Profile
from ..asgi.types import App, Receive, Scope, Send
from ..middleware import access_log
from ..observe.ring import Ring
from ..observe.tap import Tap
from .gate import HEADERS, Gate, new_token
from .routes import routes

_log = logging.getLogger("diglot")
PATH = "/_diglot"
_PATH = re.compile(r"(/[A-Za-z0-9_.~-]+)+")


class Inspector:
    """Serves *app*, and below *path* a page that shows what its clients and its upstream sent.

    Somewhere inside *app* is a `TranslationMiddleware`. What is shown is secret: only browsers on this machine get in
    (with *anywhere*, all), under the names `localhost`, `127.0.0.1` and `[::1]` or one of *hosts*, and only with the
    link that is printed when the inspector is made; with a *token*, nothing is printed. *upstream* and *workers* are
    shown on the page; *profile* decides what its table of fields says.

    Each process keeps its own last 100 exchanges: 64 KiB of each body, 32 MiB in all, never on disk. An application
    that takes the place of another one goes on with its *ring*.

    Raises ValueError for a *path* that is none.
    """

    def __init__(
        self,
        app: App,
        path: str = PATH,
        *,
        hosts: Collection[str] = (),
        anywhere: bool = False,
        token: str | None = None,
        ring: Ring | None = None,
        profile: Profile | str = "default",
        upstream: str = "",
        workers: int = 1,
    ) -> None:
        self.path: str = checked_path(path)
        self.ring: Ring = Ring() if ring is None else ring
        self._app = app
        self._tap = Tap(app, self.ring)
        about = {"version": metadata.version("diglot"), "upstream": upstream, "workers": workers}
        self._router = routes(self.ring, profile, about)
        if token is None:
            token = new_token()
            print(f"Inspector: {link(self.path, token)}", file=sys.stderr)
        self._gate = Gate(token, hosts, anywhere)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if not self.owns(scope):
            await self._tap(scope, receive, send)
            return
        access_log.mark(scope, "here", logging.DEBUG)
        root = scope.get("root_path", "") + self.path
        await self._serve({**scope, "root_path": root}, receive, send, _below_root(scope) == self.path)

    def owns(self, scope: Scope) -> bool:
        """Whether a connection is a request for the page: it is answered here, whatever it is, and never by *app*."""
        if scope["type"] != "http":
            return False
        path = _below_root(scope)
        return path == self.path or path.startswith(f"{self.path}/")

    async def _serve(self, scope: Scope, receive: Receive, send: Send, is_bare: bool) -> None:
        request, gate = Request(scope), self._gate
        home = f"{scope['root_path']}/"
        answer = gate.exchange(request, home) if gate.may_exchange(request) else None
        answer = answer or gate.refusal(request)
        if answer is None and is_bare:
            answer = RedirectResponse(home, 307, HEADERS)
        if answer is None and request.method == "GET" and scope["path"] == home:
            _log.warning("The inspector was opened by %s", request.client.host if request.client else "a local client")
        await (answer or self._router)(scope, receive, send)


def _below_root(scope: Scope) -> str:
    return scope["path"].removeprefix(scope.get("root_path", ""))


def checked_path(path: str) -> str:
    """Return the *path* of an inspector without a `/` at its end; raises ValueError if it is none."""
    plain = path.rstrip("/")
    if not _PATH.fullmatch(plain) or any(part in (".", "..") for part in plain.split("/")):
        raise ValueError(f"{path[:80]!r} is not a path such as {PATH}")
    return plain


def link(base: str, token: str) -> str:
    """Return what opens the inspector at *base*, the URL or path of its page."""
    return f"{base}/?token={token}"
