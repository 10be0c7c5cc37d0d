"""JSON as it really arrives: strict first, then forgiving, never anything but a value or a ValueError."""

from __future__ import annotations

import json
import re
from typing import Any

import msgspec

_decoder = msgspec.json.Decoder()
_encoder = msgspec.json.Encoder()
_LONE = re.compile("[\ud800-\udfff]")


def decode(data: bytes | str) -> Any:
    """Return the value of a JSON text.

    What msgspec refuses and the wild sends is read all the same: bytes that are not UTF-8 (llama.cpp cuts characters),
    lone surrogates (both become U+FFFD) and ``NaN``. Raises ValueError for everything else, deep nesting included.
    """
    try:
        return _decoder.decode(data)
    except (msgspec.MsgspecError, RecursionError, UnicodeError):
        pass
    text = data.decode("utf-8", "replace") if isinstance(data, bytes) else data
    try:
        value = json.loads(text, parse_constant=lambda _: None, parse_int=_integer)
        return _decoder.decode(_LONE.sub("\ufffd", json.dumps(value, ensure_ascii=False)).encode())
    except (ValueError, RecursionError, msgspec.MsgspecError) as error:
        raise ValueError(f"not JSON: {error}") from None


def _integer(digits: str) -> int | float:
    return int(digits) if len(digits) < 19 else float(digits)


def is_deep(value: Any, limit: int = 64) -> bool:
    """Whether lists and objects are nested more than *limit* deep: what is carried unread must be encodable again."""
    if not isinstance(value, (dict, list)):
        return False
    inner = value.values() if isinstance(value, dict) else value
    return limit == 0 or any(is_deep(member, limit - 1) for member in inner)


def encode(value: Any) -> bytes:
    """Return *value* as compact JSON in UTF-8."""
    try:
        return _encoder.encode(value)
    except UnicodeEncodeError:
        return _LONE.sub("\ufffd", json.dumps(value, ensure_ascii=False, separators=(",", ":"))).encode()


encode_sound = _encoder.encode
"""The same for what was decoded strictly: it has no lone surrogates."""


def encode_text(value: Any) -> str:
    """Return *value* as compact JSON, as a string inside another JSON text (call arguments)."""
    return encode(value).decode()
