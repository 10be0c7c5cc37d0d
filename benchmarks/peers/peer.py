"""What a contestant can do; not everybody does all of it, and not in both directions."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

Body = dict[str, Any]
Mapper = Callable[[Body], Any]

loop = asyncio.new_event_loop()
"""The asynchronous ones run here, on one loop that stays."""


class Peer(NamedTuple):
    name: str
    requester: Callable[[Body], Callable[[Body], Body]]
    """Returns what maps a request; it may prepare from an example what is not its cost."""
    answerer: Callable[[Body], Mapper]
    """Returns what maps a finished answer to a request, which is given in the client's dialect."""
    to_json: Callable[[Any], bytes]
    """Writes a mapped answer."""
    stream: Callable[[Body, list[bytes]], list[bytes]]
    """Maps a whole stream, one event per read; the request is given in the client's dialect."""


def stdlib_json(body: Body) -> bytes:
    """As the OpenAI SDK writes its requests."""
    return json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode()


def payloads(events: Iterable[bytes]) -> Iterable[bytes]:
    """The data of events that stand one in each read: what a peer's own SSE decoder costs is spared it."""
    for event in events:
        if event != b"data: [DONE]\n\n":
            yield event[event.index(b"data: ") + 6 : -2]
