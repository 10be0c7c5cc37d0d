"""The headers that tie what several servers log of one request: `x-request-id`, and W3C's `traceparent`.

Clients write them, so they are checked before they get into a log. The form of `traceparent` is that of
https://www.w3.org/TR/trace-context/#traceparent-header; later versions may be longer.
"""

from __future__ import annotations

import os
import re

from .types import Headers, Message, Scope

REQUEST_ID = b"x-request-id"
_TRACEPARENT = b"traceparent"
_ID = re.compile(rb"[\w.:/+=@-]{1,128}", re.ASCII)
_PARENT = re.compile(rb"(?!ff)[\da-f]{2}-(?!0{32})([\da-f]{32})-(?!0{16})[\da-f]{16}-[\da-f]{2}")
_FIRST_VERSION = b"00-"
_LONGEST_PARENT = 512


def request_id_of(headers: Headers) -> str:
    """Return the id that a request or an answer has; empty if it has none, several, or one that is no plain word."""
    found = [value for name, value in headers if name.lower() == REQUEST_ID]
    return found[0].decode() if len(found) == 1 and _ID.fullmatch(found[0]) else ""


def new_request_id() -> str:
    """Return an id for a request that came without one."""
    return os.urandom(16).hex()


def with_request_id(headers: Headers, request_id: str) -> Headers:
    """Return the headers with this id in place of any other."""
    return [*(pair for pair in headers if pair[0].lower() != REQUEST_ID), (REQUEST_ID, request_id.encode())]


def answer_with_request_id(message: Message, request_id: str) -> Message:
    """Return the start of an answer with this id in place of any other."""
    headers = [(bytes(name), bytes(value)) for name, value in message.get("headers", ())]
    return {**message, "headers": with_request_id(headers, request_id)}


def trace_id_of(scope: Scope) -> str:
    """Return the id of the trace that a request is part of, as 32 hex digits; empty if it names none."""
    found = [value for name, value in scope["headers"] if name == _TRACEPARENT]
    if len(found) != 1 or len(found[0]) > _LONGEST_PARENT:
        return ""
    parent = found[0]
    match = _PARENT.fullmatch(parent) if parent.startswith(_FIRST_VERSION) else _PARENT.match(parent)
    return match[1].decode() if match else ""
