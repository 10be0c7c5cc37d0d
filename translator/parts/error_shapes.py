"""One reader for all the shapes in which servers report errors (W10).

The inside of an envelope counts more than the envelope, and a reason more than a generic text. Names of members are
compared without underscores and case: `error_msg`, `errorMsg` and `ErrorMsg` are the same.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from ..wire import json


class ErrorFields(NamedTuple):
    """The fields of an error; None where it has nothing."""

    message: str | None = None
    code: str | int | None = None
    type: str | None = None
    param: str | None = None
    codes: tuple[str | int, ...] = ()
    """All codes, types and statuses, from the inside to the outside."""


_NOTHING = ErrorFields()
_DEPTH = 6  # envelopes of envelopes of envelopes
_LONGEST = 2**16  # characters of a text that may be JSON
_MOST = 8  # errors of a list that are told

_BETTER = ("error", "err", "errors", "baseresp", "xgroq", "fault", "message", "msg")
"""Members that say more than the texts beside them, if they are no texts themselves."""
_LESS = ("detail", "details", "response", "body")
"""Members that are read where there is no text."""
_TEXTS = ("message", "msg", "errormessage", "errormsg", "errmsg", "statusmsg", "statusmessage", "faultstring")
_REASONS = ("detail", "details", "description", "errordescription", "reason", "title", "exception")
_CODES = ("code", "errorcode", "errcode", "statuscode")
_TYPES = ("type", "errortype")  # `__type` at AWS
_STATUSES = ("status", "statuscode", "httpstatus", "httpcode")
_PARAMS = ("param", "parameter")
_HTTP = frozenset(map(str, range(100, 600)))  # a `statusCode` is no code, unless it is one of its own (base_resp)
_WORD = re.compile(r"[a-z]+(_[a-z]+)+")  # `insufficient_quota`
_MARKS = frozenset({"error", "base_resp", "x_groq"})  # what may tell of a failure beside an answer
_SUCCESS = (0, 200, "0", "200", "ok", "success", "")


def read(value: Any) -> ErrorFields:
    """Return what an error says: an object of any shape, a list of such objects, or a text, which may be JSON."""
    return _read(value, _DEPTH)


def is_error(frame: dict[str, Any]) -> bool:
    """Whether a body or a frame that should be (a piece of) an answer is an error."""
    if frame.get("choices") and _MARKS.isdisjoint(frame):  # as nearly always
        return False
    if is_filled(frame.get("error")) or _has_failed(frame.get("base_resp")):
        return True
    extra = frame.get("x_groq")
    if isinstance(extra, dict) and extra.get("error"):
        return True
    return not (frame.get("choices") or "output" in frame or "output_text" in frame) and _is_bare(frame)


def _is_bare(frame: dict[str, Any]) -> bool:
    """Whether an object that is no answer is an error without its envelope."""
    own = _members(frame)
    if own.get("object") == "error" or own.get("type") == "error" or own.get("success") is False:
        return True
    codes = [own.get(name) for name in ("code", "errorcode", "errcode", "statuscode", "status")]
    if any(_is_success(code) for code in codes if code is not None):
        return False
    if own.get("errors") or own.get("fault") or any(is_filled(own.get(name)) for name in _TEXTS[2:]):
        return True
    if own.get("choices") is not None:  # an empty list: a piece that says nothing but facts
        return False
    if any(is_filled(own.get(name)) and not _is_turn(own[name]) for name in ("message", "msg", "detail")):
        return True
    return any(codes) and any(isinstance(own.get(name), str) and own[name] for name in _REASONS)


def _is_success(word: Any) -> bool:
    return (word.lower() if isinstance(word, str) else word) in _SUCCESS if isinstance(word, (str, int)) else False


def _is_turn(value: Any) -> bool:
    """Whether a `message` is one of a conversation."""
    return isinstance(value, dict) and ("role" in value or "content" in value)


def is_filled(value: Any) -> bool:
    """Whether there is more than a member that is always there and empty."""
    if isinstance(value, dict):
        return any(value.values())
    return any(value) if isinstance(value, list) else bool(value)


def _has_failed(value: Any) -> bool:
    """Whether a `base_resp` is about a failure: answers that went well have one, too."""
    return isinstance(value, dict) and value.get("status_code") not in (None, *_SUCCESS)


def _read(value: Any, depth: int) -> ErrorFields:
    if depth == 0:
        return _NOTHING
    if isinstance(value, str):
        return _of_text(value, depth)
    if isinstance(value, list):
        return _of_list(value, depth)
    return _of_object(_members(value), depth) if isinstance(value, dict) else _NOTHING


def _members(value: dict[str, Any]) -> dict[str, Any]:
    """The members of an object by their plain names; the first of a name counts."""
    return {name.replace("_", "").lower(): member for name, member in reversed(value.items())}


def _of_text(text: str, depth: int) -> ErrorFields:
    """An error that went through several hands is JSON in a text."""
    text = text.strip()
    if text[:1] in ("{", "[") and len(text) <= _LONGEST:
        try:
            error = _read(json.decode(text.encode("utf-8", "replace")), depth - 1)
        except ValueError:
            error = _NOTHING
        if error.message is not None:
            return error
    return ErrorFields(text or None)


def _of_list(members: list[Any], depth: int) -> ErrorFields:
    errors = [_of_field(member) or _read(member, depth - 1) for member in members[:_MOST]]
    errors = [error for error in errors if error.message is not None]
    if not errors:
        return _NOTHING
    messages = dict.fromkeys(error.message for error in errors if error.message is not None)
    return errors[0]._replace(message="; ".join(messages))


def _of_field(member: Any) -> ErrorFields | None:
    """What validation says of one field (FastAPI, pydantic): its place and what is wrong there."""
    if not isinstance(member, dict) or not isinstance(member.get("loc"), list):
        return None
    path = ""
    for step in member["loc"][member["loc"][:1] == ["body"] :]:
        path += f"[{step}]" if isinstance(step, int) else f".{step}" if path else str(step)
    text = member.get("msg")
    return (
        ErrorFields(f"{path}: {text}" if path else str(text), None, None, path or None)
        if isinstance(text, str)
        else None
    )


def _of_object(own: dict[str, Any], depth: int) -> ErrorFields:
    outside = _own_fields(own)
    inside = _raw(own, depth) or _within(own, _BETTER, depth)
    if inside is None and outside.message is None:
        inside = _within(own, _LESS, depth)
    if inside is None:
        return outside._replace(message=outside.message or _reason(own))
    return ErrorFields(
        inside.message or outside.message or _reason(own),
        _worded(inside.code, outside.code),
        inside.type or outside.type,
        outside.param if inside.param is None else inside.param,
        inside.codes + outside.codes,
    )


def _worded(inside: str | int | None, outside: str | int | None) -> str | int | None:
    """The code: a word rather than a number, and that of the inside rather than that of its envelope."""
    if inside is None or (_is_number(inside) and outside is not None and not _is_number(outside)):
        return outside
    return inside


def _is_number(code: str | int) -> bool:
    return isinstance(code, int) or code.isdecimal()


def _raw(own: dict[str, Any], depth: int) -> ErrorFields | None:
    """What the provider behind a router said (OpenRouter): a text of several words, or JSON."""
    about = own.get("metadata")
    raw = about.get("raw") if isinstance(about, dict) else None
    error = _read(raw, depth - 1)
    return error if error.message and " " in error.message and not error.message.startswith("<") else None


def _within(own: dict[str, Any], names: tuple[str, ...], depth: int) -> ErrorFields | None:
    """What is inside of an envelope: the first text, else the first code. Texts of its own are read elsewhere."""
    only_codes = None
    for name in names:
        value = own.get(name)
        if name == "baseresp" and not _has_failed(value):
            continue
        error = _read(value, depth - 1) if value else _NOTHING
        if error.message is not None and error.message != (value.strip() if isinstance(value, str) else None):
            return error
        if error.message is None and error.codes:
            only_codes = only_codes or error
    return only_codes


def _own_fields(own: dict[str, Any]) -> ErrorFields:
    """What an object says itself, without what is inside of it and without reasons."""
    code = next((found for name in _CODES if (found := _code(own.get(name))) is not None), None)
    if code is not None and code == own.get("statuscode") and str(code) in _HTTP:
        code = None
    kind = next((own[name] for name in _TYPES if isinstance(own.get(name), str) and own[name] != "error"), None)
    param = next((own[name] for name in _PARAMS if isinstance(own.get(name), str)), None)
    statuses = [found for name in _STATUSES if (found := _code(own.get(name))) is not None]
    message = next((text for name in _TEXTS if (text := _text(own.get(name)))), None)
    if message is None and isinstance(own.get("error"), str) and " " in own["error"].strip():
        message = _text(own["error"])
    if code is None and isinstance(own.get("error"), str) and _WORD.fullmatch(own["error"]):
        code = own["error"]
    return ErrorFields(message, code, kind, param, tuple(word for word in (code, kind, *statuses) if word is not None))


def _reason(own: dict[str, Any]) -> str | None:
    """The text of an object that has no message; a single word for the error is the last resort."""
    text = next((text for name in _REASONS if (text := _text(own.get(name)))), None)
    error = own.get("error")
    if text is None and error and not isinstance(error, (dict, list)):
        return _text(error) or json.encode_text(error)
    return text


def _text(value: Any) -> str | None:
    return value.strip() or None if isinstance(value, str) else None


def _code(value: Any) -> str | int | None:
    return value if isinstance(value, (str, int)) and not isinstance(value, bool) and value not in _SUCCESS else None
