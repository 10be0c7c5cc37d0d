"""Errors in both dialects (protocol 7): whatever an upstream sends becomes one BadUpstream in OpenAI's shape."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from ..errors import BadUpstream
from ..wire import json

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
_CONTEXT = re.compile(r"context.?(length|size|window)|maximum context|prompt is too long", re.I)
_RATE = re.compile(r"rate.?limit|too many requests|quota", re.I)
# codes of failed Responses that blame the request; those about images do too
_REFUSALS = frozenset({"invalid_prompt", "bio_policy", "misalignment_policy_violation", "data_residency_mismatch"})
_POLICY = re.compile(r"content.?(policy|filter|management)|moderation|safety", re.I)


def read(status: int, body: bytes) -> BadUpstream:
    """Return the error in an upstream's HTTP answer: JSON of any shape, or text, or nothing (protocol 7.2)."""
    try:
        value = json.decode(body)
    except ValueError:
        text = body[:MAX_MESSAGE].decode("utf-8", "replace").strip()
        value = {"message": "" if text.startswith("<") else text}
    return from_value(value, status)


def from_value(value: Any, status: int | None = None) -> BadUpstream:
    """Return the error that a decoded JSON value means; *status* is the HTTP status if there was an error status."""
    fields = _fields(value)
    code = fields.get("code")
    if status is None or status < 400:
        status = _status(fields)
    if status in (400, 413, 422) and _CONTEXT.search(f"{fields.get('type')} {fields.get('message')}"):
        code = "context_length_exceeded"  # the word on which clients stop retrying or compact
    message = fields.get("message") or _PHRASES.get(status, "The upstream failed")
    param, kind = fields.get("param"), fields.get("type")
    return BadUpstream(
        message if isinstance(message, str) else json.encode_text(message),
        param if isinstance(param, str) else None,
        str(code) if isinstance(code, (str, int)) and not isinstance(code, bool) else None,
        status=status,
        type=kind if isinstance(kind, str) and kind not in _OPEN_RESPONSES else type_for(status),
    )


def of_item(item: dict[str, Any]) -> BadUpstream | None:
    """Return the error that a message, thought or call of a Response has; None without."""
    return _failed(_fields({"error": item["error"]})) if item.get("error") else None


def of_response(response: dict[str, Any]) -> BadUpstream:
    """Return the error that a Response stands for which did not end well (protocol 7.2): it came with HTTP 200."""
    status = response.get("status")
    if status == "failed":
        return _failed(_fields({"error": response.get("error") or {}}))
    if status == "cancelled":
        return BadUpstream("The response was cancelled.", None, "response_cancelled", status=400, type=type_for(400))
    words = f"its status is '{status[:40]}'" if isinstance(status, str) else "it has no status"
    return BadUpstream(f"The upstream's response is not finished: {words}.")


def of_event(event: dict[str, Any]) -> BadUpstream:
    """Return the error of an `error` event: flat, as OpenAI sends it, or nested, as Open Responses does."""
    nested = event.get("error")
    if nested and isinstance(nested, dict):
        nested = {"status": event.get("status"), **nested}  # a WebSocket has the status outside
    return _failed(_fields({"error": nested} if nested else {k: v for k, v in event.items() if k != "type"}))


def _failed(fields: dict[str, Any]) -> BadUpstream:
    code = str(fields.get("code"))
    return from_value({"error": fields}, _status(fields, 400 if code in _REFUSALS or "image" in code else 500))


def is_said(error: Any) -> bool:
    """Whether a member `error` says something: some servers send one whose members are all null."""
    return any(value is not None for value in error.values()) if isinstance(error, dict) else bool(error)


def is_bare(chunk: dict[str, Any]) -> bool:
    """Whether a body that should be an answer is an error without its envelope: `{"detail": ...}`, `object: error`."""
    return "choices" not in chunk and (
        chunk.get("object") == "error" or bool(chunk.get("detail") or chunk.get("message"))
    )


def _fields(value: Any) -> dict[str, Any]:
    """`{"error": {...}}`, `{"error": "text"}`, `{"detail": ...}`, `{"message": ...}`, a list or a bare string."""
    if isinstance(value, list) and value:
        value = value[0]  # Gemini wraps its error in a list
    if not isinstance(value, dict):
        return {"message": value if isinstance(value, str) else None}
    error = value.get("error")
    if isinstance(error, dict):
        return error if error.get("message") else {**error, "message": value.get("message") or value.get("detail")}
    if error and not value.get("message"):
        return {**value, "message": error}
    return value if value.get("message") else {**value, "message": value.get("detail")}


def _status(fields: dict[str, Any], otherwise: int = 502) -> int:
    """The status that an error object inside a 200 stands for: its numeric code, else what its words say."""
    for name in ("code", "status", "status_code"):
        number = fields.get(name)
        if isinstance(number, str) and number.isdecimal() and len(number) == 3:
            number = int(number)
        if isinstance(number, int) and 400 <= number <= 599:
            return number
    words = f"{fields.get('code')} {fields.get('type')}"
    if str(fields.get("type")) in _OPEN_RESPONSES:
        return _OPEN_RESPONSES[fields["type"]]
    if _RATE.search(words):
        return 429
    return 400 if "invalid_request" in words or "context_length" in words else otherwise


def type_for(status: int) -> str:
    return _TYPES.get(status, "invalid_request_error" if status < 500 else "server_error")


def to_responses(error: Any) -> dict[str, Any]:
    """Return `response.error` of a failed answer for a TranslationError: OpenAI's closed list of codes (7.2)."""
    words = f"{error.code} {error.type} {error.message}"
    code = "server_error"
    if error.status == 429 or (error.status < 500 and _RATE.search(words)):
        code = "rate_limit_exceeded"
    elif error.code == "context_length_exceeded":
        code = error.code  # clients stop retrying on this word (Codex)
    elif error.status == 400 and _POLICY.search(words):
        code = "invalid_prompt"
    return {"code": code, "message": error.message}


def retold(error: BadUpstream, own_path: Callable[[str], str | None]) -> BadUpstream:
    """Return *error* with its path in the caller's words: what *own_path* makes of it; None for no place."""
    theirs = error.param
    if theirs is None:
        return error
    ours = own_path(theirs)
    return error.replace(param=ours, message=renamed(error.message, theirs, ours) if ours else error.message)


def nowhere(path: str) -> None:
    """The request is gone: nobody knows what was there."""


def renamed(message: str, theirs: str, ours: str) -> str:
    """Return *message* with the path *theirs* replaced, but not where it is only a part of another path."""
    told: list[str] = []
    end, start = 0, message.find(theirs) if theirs else -1
    while start >= 0:
        before, end = message[end:start], start + len(theirs)
        is_part = _BEFORE.match(message[max(0, start - 1) : start]) or _BEHIND.match(message, end)
        told += before, theirs if is_part else ours
        start = message.find(theirs, end)
    return "".join([*told, message[end:]])


_BEFORE, _BEHIND = re.compile(r"[\w.]"), re.compile(r"[\w\[]|\.\w")
