"""The headers of a translated answer: the upstream's but for those about its body, and the losses."""

from __future__ import annotations

from .types import ABOUT_THE_BODY, Headers

STREAM_HEADERS: Headers = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-cache"),
    (b"x-accel-buffering", b"no"),
]
_ABOUT_THE_STREAM = ABOUT_THE_BODY | {name for name, _ in STREAM_HEADERS}
_LOSSES = b"diglot-losses"


def of_body(headers: Headers, losses: str) -> Headers:
    """Return the headers of an answer that is not streamed, without its type and length.

    *headers* are the upstream's, in lower case; *losses* is `Report.header()`.
    """
    return _headers(headers, losses, ABOUT_THE_BODY)


def of_stream(headers: Headers, losses: str) -> Headers:
    """Return the headers of an event stream."""
    return [*_headers(headers, losses, _ABOUT_THE_STREAM), *STREAM_HEADERS]


def _headers(headers: Headers, losses: str, replaced: frozenset[bytes]) -> Headers:
    """`_` in a name counts as `-`."""
    own: Headers = [(_LOSSES, losses.encode("latin-1", "replace"))] if losses else []
    out = replaced | {_LOSSES} if losses else replaced
    return [*[pair for pair in headers if pair[0].replace(b"_", b"-") not in out], *own]
