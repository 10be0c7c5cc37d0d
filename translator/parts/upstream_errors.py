"""Errors in both dialects (protocol 7): whatever an upstream sends becomes an UpstreamError in OpenAI's shape."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from ..errors import UpstreamError
from ..wire import json
from . import error_shapes, full_context
from .error_shapes import ErrorFields

_TYPES = {401: "authentication_error", 403: "permission_error", 404: "not_found_error", 429: "rate_limit_error"}
_OPEN_RESPONSES = {  # that specification's words for the types, and their statuses
    "invalid_request": 400,
    "not_found": 404,
    "too_many_requests": 429,
    "model_error": 500,
}
_PHRASES = {
    400: "Bad request",
    401: "Not authenticated",
    403: "Not allowed",
    404: "Not found",
    429: "Too many requests",
    503: "Service unavailable",
    504: "Gateway time-out",
}
MAX_MESSAGE = 2000
_RATE = re.compile(r"rate.?limit|too many requests|quota", re.I)
_STATUSES = tuple(
    (re.compile(words, re.I), status)
    for words, status in (
        (r"rate.?limit|too.?many.?requests|quota|resource_exhausted|throttl|usage_(limit|not_included)", 429),
        (r"invalid_?(request|argument|param)|bad_?request|validation|unsupported_|content_?filter|context_length", 400),
        (r"api.?key|authenticat|unauthorized", 401),
        (r"permission|forbidden|access.?denied", 403),
        (r"not.?found", 404),
    )
)
"""What the words of an error inside a 200 mean: those of OpenAI, Google (`RESOURCE_EXHAUSTED`) and AWS."""
# codes of failed Responses that blame the request; those about images do too
_REFUSALS = frozenset({"invalid_prompt", "bio_policy", "misalignment_policy_violation", "data_residency_mismatch"})
_POLICY = re.compile(r"content.?(policy|filter|management)|moderation|safety", re.I)
_CLIENT_CODES = frozenset(
    {
        *("context_length_exceeded", "insufficient_quota", "rate_limit_exceeded", "invalid_api_key", "model_not_found"),
        *("usage_not_included", "usage_limit_reached", "server_is_overloaded", "slow_down", "invalid_prompt"),
    }
)
"""Codes on which clients act (openai/codex codex-rs/codex-api/src/sse/responses.rs): they stay themselves in
`response.failed`, though OpenAI's list has not all of them."""
CONTEXT_LENGTH_EXCEEDED = "context_length_exceeded"
"""The code on which clients stop retrying, or compact."""


def read(status: int, body: bytes) -> UpstreamError:
    """Return the error in an upstream's HTTP answer: JSON of any shape, or text, or nothing (protocol 7.2)."""
    try:
        value = json.decode(body)
    except ValueError:
        text = body[:MAX_MESSAGE].decode("utf-8", "replace").strip()
        value = {"message": "" if text.startswith("<") else text}
    return from_value(value, status)


def from_value(value: Any, status: int | None = None) -> UpstreamError:
    """Return the error that a decoded JSON value means; *status* is the HTTP status if there was an error status."""
    error = error_shapes.read(value)
    if status is None or status < 400:
        status = _status(error)
    return _upstream_error(error, status, value)


def _upstream_error(error: ErrorFields, status: int, value: Any) -> UpstreamError:
    code, kind = error.code, error.type
    if status not in (401, 403, 404, 429) and full_context.is_exceeded(code, kind, error.message):
        code, status = CONTEXT_LENGTH_EXCEEDED, 400 if status >= 500 else status
        kind = None if kind == "server_error" else kind
    message = error.message or _unread(error, value) or _PHRASES.get(status, "The upstream failed")
    return UpstreamError(
        message,
        error.param,
        None if code is None else str(code),
        status=status,
        type=kind if kind is not None and kind not in _OPEN_RESPONSES else type_for(status),
    )


def _unread(error: ErrorFields, value: Any) -> str | None:
    """What came, where nobody can say what it means: better than nothing."""
    if error.codes or not (isinstance(value, (dict, list)) and error_shapes.is_filled(value)):
        return None
    return json.encode_text(value)[:MAX_MESSAGE]


def of_item(item: dict[str, Any]) -> UpstreamError | None:
    """Return the error that a message, thought or call of a Response has; None without."""
    return _failed(item["error"]) if item.get("error") else None


def of_response(response: dict[str, Any]) -> UpstreamError:
    """Return the error that a Response stands for which did not end well (protocol 7.2): it came with HTTP 200."""
    status = response.get("status")
    if status == "failed":
        return _failed(next((response[name] for name in _REASONS if response.get(name)), None))
    if status == "cancelled":
        return UpstreamError("The response was cancelled.", None, "response_cancelled", status=400, type=type_for(400))
    words = f"its status is '{status[:40]}'" if isinstance(status, str) else "it has no status"
    return UpstreamError(f"The upstream's response is not finished: {words}.")


_REASONS = ("error", "last_error", "status_details", "base_resp", "message", "detail")
"""The fields of a failed Response that say why."""


def of_event(event: dict[str, Any]) -> UpstreamError:
    """Return the error of an `error` event: flat, as OpenAI sends it, or nested, as Open Responses does."""
    return _failed({name: value for name, value in event.items() if name not in _FRAME})


_FRAME = ("type", "sequence_number", "event_id")


def _failed(value: Any) -> UpstreamError:
    """The error in a stream or a Response: without another word, the upstream is to blame."""
    error = error_shapes.read(value)
    code = str(error.code)
    return _upstream_error(error, _status(error, 400 if code in _REFUSALS or "image" in code else 500), value)


def is_set(error: Any) -> bool:
    """Whether a member `error` says something: some servers send one whose members are all null."""
    return any(value is not None for value in error.values()) if isinstance(error, dict) else bool(error)


def is_error(frame: Any) -> bool:
    """Whether a body or a frame that should be (a piece of) an answer is an error: Gemini wraps its own in a list."""
    if isinstance(frame, dict):
        return error_shapes.is_error(frame)
    return isinstance(frame, list) and bool(frame) and isinstance(frame[0], dict) and error_shapes.is_error(frame[0])


def _status(error: ErrorFields, otherwise: int = 502) -> int:
    """The status that an error inside a 200 stands for: its number, else what its words say."""
    for code in error.codes:
        number = int(code) if isinstance(code, int) or (code.isdecimal() and len(code) == 3) else 0
        if 400 <= number <= 599:
            return number
    for code in error.codes:
        if code in _OPEN_RESPONSES:
            return _OPEN_RESPONSES[str(code)]
    text = " ".join(map(str, error.codes))
    return next((status for words, status in _STATUSES if words.search(text)), otherwise)


def type_for(status: int) -> str:
    return _TYPES.get(status, "invalid_request_error" if status < 500 else "server_error")


def to_responses(error: Any) -> dict[str, Any]:
    """Return `response.error` of a failed answer for a TranslationError: OpenAI's closed list of codes (7.2)."""
    words = f"{error.code} {error.type} {error.message}"
    code = "server_error"
    client_code = next((word for word in (error.code, error.type) if word in _CLIENT_CODES), None)
    if client_code is not None:
        code = client_code
    elif error.status == 429 or (error.status < 500 and _RATE.search(words)):
        code = "rate_limit_exceeded"
    elif error.status == 400 and _POLICY.search(words):
        code = "invalid_prompt"
    return {"code": code, "message": error.message}


def with_caller_path(error: UpstreamError, caller_path: Callable[[str], str | None]) -> UpstreamError:
    """Return *error* with its path in the caller's words: what *own_path* makes of it; None for no place."""
    theirs = error.param
    if theirs is None:
        return error
    ours = caller_path(theirs)
    return error.replace(param=ours, message=replace_path(error.message, theirs, ours) if ours else error.message)


def no_path(path: str) -> None:
    """The request is gone: nobody knows what was there."""


def replace_path(message: str, theirs: str, ours: str) -> str:
    """Return *message* with the path *theirs* replaced, but not where it is only a part of another path."""
    pieces: list[str] = []
    end, start = 0, message.find(theirs) if theirs else -1
    while start >= 0:
        before, end = message[end:start], start + len(theirs)
        is_part = _BEFORE.match(message[max(0, start - 1) : start]) or _BEHIND.match(message, end)
        pieces += before, theirs if is_part else ours
        start = message.find(theirs, end)
    return "".join([*pieces, message[end:]])


_BEFORE, _BEHIND = re.compile(r"[\w.]"), re.compile(r"[\w\[]|\.\w")
