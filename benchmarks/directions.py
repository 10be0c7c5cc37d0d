"""The two directions, each named after the API that its client speaks; the upstream has the other one."""

from __future__ import annotations

from typing import Literal

Api = Literal["responses", "chat"]

DIRECTIONS: tuple[Api, ...] = ("responses", "chat")
TITLES: dict[Api, str] = {
    "responses": "Responses client, chat upstream",
    "chat": "chat client, Responses upstream",
}
PATHS: dict[Api, str] = {"responses": "/v1/responses", "chat": "/v1/chat/completions"}


def other(api: Api) -> Api:
    """The API on the other side."""
    return "chat" if api == "responses" else "responses"
