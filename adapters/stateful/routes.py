"""Which paths and methods are endpoints of stored state, below the base of the API."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal, NamedTuple

from . import completions, conversations, responses
from .request import Endpoint


class Route(NamedTuple):
    """A path with its endpoints."""

    api: Literal["chat", "responses"]
    """Whose clients use it."""
    path: str
    endpoints: Mapping[str, Endpoint]
    """By method."""
    elsewhere: tuple[str, ...] = ()
    """Methods that are no business of a store."""

    @property
    def allow(self) -> str:
        """The value of the header that names the methods."""
        return ", ".join(sorted({*self.endpoints, *self.elsewhere}))


class Target(NamedTuple):
    """What a request is about."""

    route: Route
    endpoint: Endpoint | None
    """None for a method that there is not."""
    ids: tuple[str, ...]
    """Those in the path."""


ROUTES = (
    Route("responses", "/responses/{response_id}", {"GET": responses.retrieve, "DELETE": responses.delete}),
    Route("responses", "/responses/{response_id}/input_items", {"GET": responses.input_items}),
    Route("responses", "/responses/{response_id}/cancel", {"POST": responses.cancel}),
    Route("responses", "/conversations", {"POST": conversations.create}),
    Route(
        "responses",
        "/conversations/{conversation_id}",
        {"GET": conversations.retrieve, "POST": conversations.update, "DELETE": conversations.delete},
    ),
    Route(
        "responses",
        "/conversations/{conversation_id}/items",
        {"GET": conversations.list_items, "POST": conversations.add_items},
    ),
    Route(
        "responses",
        "/conversations/{conversation_id}/items/{item_id}",
        {"GET": conversations.retrieve_item, "DELETE": conversations.delete_item},
    ),
    Route("chat", "/chat/completions", {"GET": completions.list_completions}, ("POST",)),
    Route(
        "chat",
        "/chat/completions/{completion_id}",
        {"GET": completions.retrieve, "POST": completions.update, "DELETE": completions.delete},
    ),
    Route("chat", "/chat/completions/{completion_id}/messages", {"GET": completions.messages}),
)
"""All of them. What a new one does for another tenant is in `tests/adapters/stateful/test_routes.py`."""
BEGINNINGS: dict[str, tuple[str, ...]] = {
    "responses": ("/responses", "/conversations"),
    "chat": ("/chat/completions",),
}
"""How the paths of each API begin."""
_OTHERS = ("/responses/compact", "/responses/input_tokens")
"""Endpoints that look like the id of a response."""
_PATTERNS = [(re.compile(re.sub(r"\{\w+\}", "([^/]+)", route.path)), route) for route in ROUTES]


def target_of(path: str, method: str) -> Target | None:
    """Return what a request is about whose *path* begins below the base of the API; None if it is no business of a
    store. `OPTIONS` is left to whoever answers browsers.
    """
    path = path.rstrip("/")
    if path in _OTHERS or method == "OPTIONS":
        return None
    for pattern, route in _PATTERNS:
        match = pattern.fullmatch(path)
        if match is not None:
            is_elsewhere = method in route.elsewhere
            return None if is_elsewhere else Target(route, route.endpoints.get(method), match.groups())
    return None
