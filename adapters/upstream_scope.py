"""The connection as the upstream sees it: the client's, with another path and another body."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from .asgi_types import ABOUT_THE_BODY, Scope, without

_REPLACED = ABOUT_THE_BODY | {b"accept", b"accept-encoding", b"expect"}


def upstream_scope(scope: Scope, ours: str, theirs: str, size: int, streams: bool) -> Scope:
    """Return *scope* with a path that ends in *theirs* instead of *ours*, for a JSON body of *size* bytes."""
    path: str = scope["path"].removesuffix(ours) + theirs
    raw: bytes = scope.get("raw_path") or b""
    end = ours.encode()
    raw = raw.removesuffix(end) + theirs.encode() if raw.endswith(end) else quote(path).encode()
    headers = [
        *without(scope["headers"], _REPLACED),
        (b"content-type", b"application/json"),
        (b"content-length", b"%d" % size),
        (b"accept", b"text/event-stream" if streams else b"application/json"),
        (b"accept-encoding", b"identity"),
    ]
    offered: dict[str, Any] = scope.get("extensions") or {}
    extensions = {name: value for name, value in offered.items() if not name.startswith("http.response.")}
    return {**scope, "path": path, "raw_path": raw, "headers": headers, "extensions": extensions}
