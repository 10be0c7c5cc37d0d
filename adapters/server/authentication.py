"""Lets in only requests with a key, and takes the key away: it is for this server, not for the upstream."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

from ...translator import RequestError
from ..asgi import origins
from ..asgi.types import CREDENTIALS, KEY_NAME, App, Headers, Receive, Scope, Send
from ..asgi.websocket import deny
from ..upstream.masking import secrets_in
from .config import Settings
from .keys import Keys
from .model_settings import UpstreamSettings, upstreams_of
from .setting_values import ConfigError

PROBES = ("/healthz", "/readyz")
"""Paths that anybody may read; without a key they tell nothing."""
_READING = ("GET", "HEAD")
_TAKEN_AWAY = (*CREDENTIALS, b"x-goog-api-key")
_HEADERS: Headers = [(b"www-authenticate", b"Bearer")]

_NO_KEY = RequestError(
    "You didn't provide an API key. You need to provide your API key in an Authorization header using Bearer auth "
    "(i.e. Authorization: Bearer YOUR_KEY).",
    code="",
    status=401,
)
_WRONG_KEY = RequestError("Incorrect API key provided.", code="invalid_api_key", status=401)


class Authentication:
    """Refuses requests without one of the *keys* (`Authorization: Bearer` or `api-key`), but not those of probes.

    The application sees the name of the key in the scope, and no header of a credential. What *has_own_guard* it gets
    as it is: it must answer all of that itself, so that nothing goes on to an upstream.
    """

    def __init__(self, app: App, keys: Keys, has_own_guard: Callable[[Scope], bool] | None = None) -> None:
        self._app = app
        self._keys = keys
        self._has_own_guard = has_own_guard

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] == "lifespan" or (self._has_own_guard is not None and self._has_own_guard(scope)):
            await self._app(scope, receive, send)
            return
        shown = list(_shown(scope["headers"]))
        name = next(filter(None, map(self._keys.name_of, shown)), None)
        if name is None and not (scope["path"] in PROBES and scope.get("method") in _READING):
            await deny(scope, receive, send, _WRONG_KEY if shown else _NO_KEY, _HEADERS)
            return
        if name is not None:
            scope[KEY_NAME] = name
        scope["headers"] = [pair for pair in scope["headers"] if not _is_credential(pair[0])]
        await self._app(scope, receive, send)


def _shown(headers: Headers) -> list[bytes]:
    """Return the keys that a request shows."""
    shown: list[bytes] = []
    for name, value in headers:
        if name == b"api-key":
            shown.append(value.strip())
        elif name == b"authorization":
            scheme, _, key = value.strip().partition(b" ")
            shown += [key.strip()] if scheme.lower() == b"bearer" and key else []
    return shown


def _is_credential(name: bytes) -> bool:
    """Whether a header is one of a credential; `_` counts as `-`, as some servers do not tell them apart."""
    return bytes(name).lower().replace(b"_", b"-") in _TAKEN_AWAY


def check_exposure(settings: Settings, keys: Keys | None) -> None:
    """Refuse to lend the upstream's key to everybody who can reach the server. Raises ConfigError."""
    if keys is None and not settings.open and adds_credentials(settings) and not origins.is_loopback(settings.host):
        raise ConfigError(
            f"open: the server would lend its own key of the upstream to everyone who can reach {settings.host}: "
            "use --api-keys FILE (`diglot keys new NAME` makes one), or --open if that is what you want"
        )


def adds_credentials(settings: Settings) -> bool:
    """Whether the server has a credential for an upstream, which the clients need not know."""
    return any(map(has_credential, upstreams_of(settings).values()))


def has_credential(upstream: UpstreamSettings) -> bool:
    """Whether the server has a credential for this upstream: the variable of a key, or something in a URL."""
    return upstream.key_env is not None or any(map(has_credentials, upstream.url))


def has_credentials(url: str) -> bool:
    """Whether there is a user, a password or a key in the URL of an upstream."""
    parts = urlsplit(url)
    return "@" in parts.netloc or bool(secrets_in(parts.query))
