"""The ASGI connection that the upstream gets: the client's, with another path and another body."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import quote

import anyio

from ...translator import Buffer
from ..asgi.types import ABOUT_THE_BODY, Message, Receive, Scope, without
from .routes import path_base

_ABOUT_ANOTHER_ANSWER = {
    *(b"if-match", b"if-none-match", b"if-modified-since", b"if-unmodified-since", b"if-range", b"range")
}
_REPLACED = ABOUT_THE_BODY | _ABOUT_ANOTHER_ANSWER | {b"accept", b"accept-encoding", b"expect"}
_REPLACED_IN_COPIES = _REPLACED | {b"idempotency-key"}


_STEP = 2**20  # bytes that are copied at once of a body in several pieces


class DisconnectSignal:
    """Tells an application that its client has disconnected, or needs nothing more."""

    def __init__(self) -> None:
        self.is_set: bool = False
        self._event: anyio.Event | None = None  # made by the first waiter

    def set(self) -> None:
        """Send the signal."""
        self.is_set = True
        if self._event is not None:
            self._event.set()

    async def wait(self) -> None:
        """Wait for the signal."""
        if not self.is_set:
            self._event = self._event or anyio.Event()
            await self._event.wait()


def upstream_receive(request: Sequence[Buffer], disconnect: DisconnectSignal) -> Receive:
    """Return the `receive` that gives an application the translated *request*, and `http.disconnect` at the signal."""
    pieces = iter([b"".join(request)]) if sum(map(len, request)) <= _STEP else _steps(request)
    following = next(pieces, None)

    async def receive() -> Message:
        nonlocal following
        if following is None:
            await disconnect.wait()
            return {"type": "http.disconnect"}
        body, following = following, next(pieces, None)
        return {"type": "http.request", "body": body, "more_body": following is not None}

    return receive


def _steps(request: Sequence[Buffer]) -> Iterator[bytes]:
    for buffer in request:
        for start in range(0, len(buffer), _STEP):
            yield bytes(buffer[start : start + _STEP])


def upstream_scope(
    scope: Scope, endpoint: str, upstream_endpoint: str, size: int, *, streams: bool, is_repeated: bool = False
) -> Scope:
    """Return *scope* for the upstream: another endpoint at the end of the path, and a JSON body of *size* bytes.

    A request that *is repeated* on purpose drops `Idempotency-Key`, which names the client's one request.
    """
    path = path_base(scope["path"], endpoint) + upstream_endpoint
    raw: bytes = (scope.get("raw_path") or b"").rstrip(b"/")
    end = endpoint.encode()
    raw = raw.removesuffix(end) + upstream_endpoint.encode() if raw.endswith(end) else quote(path).encode()
    headers = [
        *without(scope["headers"], _REPLACED_IN_COPIES if is_repeated else _REPLACED),
        (b"content-type", b"application/json"),
        (b"content-length", b"%d" % size),
        (b"accept", b"text/event-stream" if streams else b"application/json"),
        (b"accept-encoding", b"identity"),
    ]
    offered: dict[str, Any] = scope.get("extensions") or {}
    extensions = {name: value for name, value in offered.items() if not name.startswith("http.response.")}
    return {**scope, "path": path, "raw_path": raw, "headers": headers, "extensions": extensions}
