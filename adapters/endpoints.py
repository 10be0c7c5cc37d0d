"""Which paths are served, and by what."""

from __future__ import annotations

from typing import Literal

from ..translator import ServeChat, ServeCompact, ServeResponses
from .asgi_types import Scope

Api = Literal["chat", "responses"]
Exchanges = type[ServeResponses] | type[ServeChat]

SERVED: dict[str, Exchanges] = {
    "/responses": ServeResponses,
    "/responses/compact": ServeCompact,
    "/chat/completions": ServeChat,
}
"""What a request is served by when it is translated, by the end of its path."""
PATHS: dict[str, str] = {"chat": ServeResponses.endpoint, "responses": ServeChat.endpoint}
"""Where an upstream has each API."""


def asked(scope: Scope) -> str | None:
    """Return the end of the path if it is one that may have to be translated."""
    if scope["type"] != "http" or scope["method"] != "POST":
        return None
    path: str = scope["path"]
    return next((endpoint for endpoint in SERVED if path.endswith(endpoint)), None)
