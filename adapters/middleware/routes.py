"""Which paths are translated, and by which exchange."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Literal

from ...translator import ServeChat, ServeCompact, ServeResponses
from ..asgi.types import Scope
from ..stateful.routes import BEGINNINGS, Target, target_of

Api = Literal["chat", "responses"]
ExchangeClass = type[ServeResponses] | type[ServeChat]

EXCHANGES: dict[str, ExchangeClass] = {
    "/responses": ServeResponses,
    "/responses/compact": ServeCompact,
    "/chat/completions": ServeChat,
}
"""The exchange that serves a translated request, by the end of its path."""
ENDPOINTS: dict[str, str] = {"chat": ServeResponses.endpoint, "responses": ServeChat.endpoint}
"""The endpoint of each API."""

_BASES = r"(?:.*/)?(?:v\d+[a-z\d.]*|openai|openai/deployments/[^/]+)"
"""Where the endpoints are served: below a version (`/v1`, `/v1beta`), `/openai`, or a deployment of Azure."""


def endpoint_of_path(path: str) -> str | None:
    """Return the endpoint that a path ends with, or None; a trailing slash is ignored."""
    path = path.rstrip("/")
    for endpoint in EXCHANGES:
        if path.endswith(endpoint):
            return endpoint
    return None


def path_base(path: str, endpoint: str) -> str:
    """Return what comes before the *endpoint* in a path that ends with it."""
    return path.rstrip("/").removesuffix(endpoint)


class ServedPaths:
    """Which requests may be translated: `responses` is a common word, and applications have routes of their own (W44).

    *paths* are served in addition to the usual ones: bases of endpoints (`/ai`) or whole paths (`/ai/responses`), with
    `*` for any one segment.
    """

    def __init__(self, paths: Iterable[str] = ()) -> None:
        own = ["/" + path.strip("/") for path in ([paths] if isinstance(paths, str) else paths)]
        whole = [path for path in own if endpoint_of_path(path)]
        bases = ["", _BASES, *(_pattern(path) for path in own if path not in whole)]
        places = [f"(?:{'|'.join(bases)})(?:{'|'.join(EXCHANGES)})", *map(_pattern, whole)]
        self._path = re.compile("|".join(places))
        self._stateful_path = re.compile("|".join(_stateful(bases, whole)))

    def endpoint_of(self, scope: Scope) -> str | None:
        """Return the endpoint of a request that may have to be translated, or None."""
        if scope["type"] != "http" or scope["method"] != "POST":
            return None
        path = scope["path"].rstrip("/")
        return endpoint_of_path(path) if path.endswith(_ENDINGS) and _match(self._path, path, scope) else None

    def target_of(self, scope: Scope) -> Target | None:
        """Return what a request is about that is one for stored state, or None."""
        below = self._below_base(scope)
        return target_of(below, scope["method"]) if below else None

    def counts_tokens(self, scope: Scope) -> bool:
        """Whether a request asks how many tokens another one would have."""
        return self._below_base(scope).rstrip("/") == TOKEN_COUNT and scope["method"] == "POST"

    def api_scope(self, scope: Scope, endpoint: str) -> Scope:
        """Return the scope that a request to an API's *endpoint* would have beside one for stored state."""
        path = scope["path"].removesuffix(self._below_base(scope)) + endpoint
        query = b"&".join(pair for pair in scope["query_string"].split(b"&") if pair.startswith(b"api-version="))
        return {**scope, "path": path, "raw_path": path.encode(), "query_string": query, "method": "POST"}

    def _below_base(self, scope: Scope) -> str:
        """The path below the base of the API, for what may be a request for stored state; otherwise empty."""
        match = _match(self._stateful_path, scope["path"], scope) if scope["type"] == "http" else None
        return match[match.lastindex or 0] if match else ""


def models_path(paths: Iterable[str] = ()) -> re.Pattern[str]:
    """Return the pattern of the paths at which models are listed; its group is the id of one, if there is one."""
    own = [_pattern(f"/{path.strip('/')}") for path in ([paths] if isinstance(paths, str) else paths)]
    return re.compile(f"(?:{'|'.join(['', _BASES, *own])})/models(?:/(.+))?/?", re.S)


_ENDINGS = tuple(EXCHANGES)
TOKEN_COUNT = "/responses/input_tokens"


def _match(pattern: re.Pattern[str], path: str, scope: Scope) -> re.Match[str] | None:
    """Match a path as a whole, as it was sent or as the mounted application sees it."""
    match = pattern.fullmatch(path)
    if match is None and (root := scope.get("root_path", "")):
        match = pattern.fullmatch(_below(path, root))
    return match


def _stateful(bases: Iterable[str], whole: Iterable[str]) -> Iterator[str]:
    """The pattern of each API: what follows the base is a group. Where it has a *whole* path is a base of it, too."""
    for beginnings in BEGINNINGS.values():
        own = [path_base(path, end) for path in whole if (end := endpoint_of_path(path)) and end.startswith(beginnings)]
        yield f"(?:{'|'.join([*bases, *map(_pattern, own)])})((?:{'|'.join(beginnings)})(?:/(?s:.*))?)"


def _pattern(path: str) -> str:
    return re.escape(path).replace(r"\*", "[^/]+")


def _below(path: str, root: str) -> str:
    """Return *path* as the mounted application sees it."""
    root = root.rstrip("/")
    return path[len(root) :] if path == root or path.startswith(root + "/") else path
