"""Streams that arrive line by line without line ends, as from `iter_lines()` of HTTP clients."""

from __future__ import annotations

from . import json, sse

_FIELDS = (b"data:", b"event:", b"id:", b"retry:", b":")


def are_lines(before: bytes, piece: bytes) -> bool:
    """Whether *piece*, which follows *before*, must be a line of its own: then something stripped the ends of lines.

    No cut of an SSE text looks so: behind a name of an event, or behind a whole object, there is the end of a line, and
    not another field.
    """
    if b"\n" in before or b"\r" in before:
        return False
    name, _, value = before.partition(b":")
    if name == b"event":
        return piece.startswith(b"data:") and value.strip() != b""
    return name == b"data" and piece.startswith(_FIELDS) and _is_whole(value.strip(b" "))


def _is_whole(value: bytes) -> bool:
    return value in sse.DONE_WORDS or _is_object(value)


def _is_object(value: bytes) -> bool:
    if value[:1] != b"{" or value[-1:] != b"}":
        return False
    try:
        json.decode(value)
    except ValueError:
        return False
    return True
