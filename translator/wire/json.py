"""JSON as it occurs in the wild: strict first, then lenient; the result is a value or a ValueError."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterable
from typing import Any

import msgspec

_decoder = msgspec.json.Decoder()
_encoder = msgspec.json.Encoder()
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")

MAX_VALUES = 1_000_000
"""The most values (members of lists and objects, and the whole) in a text: each takes about a hundred bytes."""
_WINDOW = 1 << 20
_BACKSLASHES = re.compile(rb"\\+.?", re.S)
_SPACE = b" \t\r\n"


class TooManyValues(ValueError):
    """A JSON text holds more values than it may."""


def decode(data: bytes | bytearray | str, limit: int | None = MAX_VALUES) -> Any:
    """Return the value of a JSON text.

    Some things that msgspec refuses but servers send are accepted: bytes that are not UTF-8 (llama.cpp cuts characters)
    and lone surrogates (both become U+FFFD), ``NaN``, and numbers that no float can hold (both become None). Raises
    TooManyValues for more than *limit* values (None: no limit, for what was encoded here), and ValueError for
    everything else, including deep nesting.
    """
    if limit is not None and len(data) >= 2 * limit:  # a shorter one cannot hold more
        _check_value_count(data.encode("utf-8", "replace") if isinstance(data, str) else data, limit)
    try:
        return _decoder.decode(data)
    except (msgspec.MsgspecError, RecursionError, UnicodeError):
        pass
    text = data if isinstance(data, str) else data.decode("utf-8", "replace")
    try:
        value = json.loads(text, parse_constant=lambda _: None, parse_int=_integer, parse_float=_float)
        return _decoder.decode(_LONE_SURROGATE.sub("\ufffd", json.dumps(value, ensure_ascii=False)).encode())
    except (ValueError, RecursionError, msgspec.MsgspecError) as error:
        raise ValueError(f"not JSON: {error}") from None


def decode_in_steps(data: bytes | bytearray) -> Any:
    """Return what ``decode`` returns, in steps between which other threads have their turn: for large requests.

    Members of an object, and of the lists in it, are decoded one by one: one call would stop all others for as long as
    it takes, which is a tenth of a second for as much as a request may be.
    """
    if len(data) >= 2 * MAX_VALUES:
        _check_value_count(data, MAX_VALUES)
    try:
        return {name: _decode_member(raw) for name, raw in _object_decoder.decode(data).items()}
    except (msgspec.MsgspecError, RecursionError, UnicodeError):
        return decode(data, None)


def _decode_member(raw: msgspec.Raw) -> Any:
    if memoryview(raw)[:1] == b"[":
        return [_decoder.decode(member) for member in _array_decoder.decode(raw)]
    return _decoder.decode(raw)


_object_decoder = msgspec.json.Decoder(dict[str, msgspec.Raw])
_array_decoder = msgspec.json.Decoder(list[msgspec.Raw])


def _integer(digits: str) -> int | float | None:
    return int(digits) if len(digits) < 19 else _float(digits)


def _float(digits: str) -> float | None:
    number = float(digits)
    return number if math.isfinite(number) else None


def _check_value_count(data: bytes | bytearray, limit: int) -> None:
    """Raise TooManyValues if *data* holds more than *limit* values."""
    at_most = data.count(b",") + data.count(b"[") + data.count(b"{") + 1
    if at_most > limit and _holds_more(data, limit):
        raise TooManyValues(f"too large: the JSON holds more than {limit:,} values")


def _holds_more(data: bytes | bytearray, limit: int) -> bool:
    """Whether there are more values than *limit*; strings are looked over in windows, so it takes no memory.

    Each value has a comma in front, or is the first of a list or an object that is not empty, or is the whole.
    """
    count, in_string, before, start = 1, False, b"", 0
    while start < len(data) and count <= limit + 1:  # one may be taken back: a bracket that the next window closes
        end = start + _WINDOW
        if data[end - 1 : end] == b"\\" and (escape := _BACKSLASHES.match(data, end - 1)):
            end = escape.end()  # an escape is not cut: neither is a row of backslashes
        parts = data[start:end].replace(rb"\\", b"").replace(rb"\"", b"").split(b'"')
        mark = b'"' if in_string else b""
        outside = mark + b'"'.join(parts[in_string::2]).translate(None, _SPACE)
        count += outside.count(b",") + outside.count(b"[") + outside.count(b"{")
        window = before + outside
        count -= window.count(b"[]") + window.count(b"{}")
        in_string, before, start = in_string ^ (len(parts) % 2 == 0), window[-1:], end
    return count > limit


def is_deep(value: Any, limit: int = 64) -> bool:
    """Whether lists and objects are nested more than *limit* deep: what is carried unread must be encodable again."""
    level = [value] if isinstance(value, (dict, list)) else []
    for _ in range(limit):
        if not level:
            return False
        members = (member for each in level for member in (each.values() if isinstance(each, dict) else each))
        level = [member for member in members if isinstance(member, (dict, list))]
    return bool(level)


def deep_copy(value: Any) -> Any:
    """Return a copy of a decoded value that shares no list and no object with it, however deep it is."""
    if not isinstance(value, (dict, list)):
        return value
    whole = value.copy()
    todo: list[Any] = [whole]
    while todo:
        owner = todo.pop()
        for key, inner in owner.items() if isinstance(owner, dict) else enumerate(owner):
            if isinstance(inner, (dict, list)):
                owner[key] = inner.copy()
                todo.append(owner[key])
    return whole


def encode(value: Any) -> bytes:
    """Return *value* as compact JSON in UTF-8."""
    try:
        return _encoder.encode(value)
    except UnicodeEncodeError:
        text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=_plain)
        return _LONE_SURROGATE.sub("\ufffd", text).encode()


def _plain(value: Any) -> Any:
    """What stands for a value that only msgspec encodes."""
    return _decoder.decode(value) if isinstance(value, msgspec.Raw) else msgspec.to_builtins(value)


def as_raw(value: Any) -> msgspec.Raw:
    """Return *value* as what encodes to itself."""
    return msgspec.Raw(encode(value))


def encode_in_steps(body: dict[str, Any]) -> list[bytes]:
    """Return what ``encode`` returns, in pieces, and in steps between which other threads have their turn."""
    pieces = _GrowingBytes()
    mark = b"{"
    for name, value in body.items():
        pieces.add(b"%b%b:" % (mark, encode(name)))
        mark = b","
        if isinstance(value, list) and value:
            for i, member in enumerate(value):
                pieces.add(b"," if i else b"[")
                _encode_member(member, pieces)
            pieces.add(b"]")
        else:
            _encode_member(value, pieces)
    pieces.add(b"}" if body else b"{}")
    return pieces.whole()


def _encode_member(value: Any, pieces: _GrowingBytes, depth: int = 4) -> None:
    """Encode at once what is not large, and what is nested so deeply that nobody puts large texts there."""
    if isinstance(value, str) and len(value) > _PIECE_SIZE:
        pieces.add(b'"')
        for start in range(0, len(value), _PIECE_SIZE):
            pieces.add(encode(value[start : start + _PIECE_SIZE])[1:-1])
        pieces.add(b'"')
    elif depth and isinstance(value, dict) and _is_large(value.values(), depth):
        mark = b"{"
        for name, member in value.items():
            pieces.add(b"%b%b:" % (mark, encode(name)))
            mark = b","
            _encode_member(member, pieces, depth - 1)
        pieces.add(b"}")
    elif depth and isinstance(value, list) and _is_large(value, depth):
        for i, member in enumerate(value):
            pieces.add(b"," if i else b"[")
            _encode_member(member, pieces, depth - 1)
        pieces.add(b"]")
    else:
        pieces.add(encode(value))


def _is_large(members: Iterable[Any], depth: int) -> bool:
    """Whether a large text is among the *members*, or in them."""
    for member in members:
        if isinstance(member, str):
            if len(member) > _PIECE_SIZE:
                return True
        elif depth and isinstance(member, (dict, list)):
            inner = member.values() if isinstance(member, dict) else member
            if _is_large(inner, depth - 1):
                return True
    return False


class _GrowingBytes:
    """Bytes that grow to a list of pieces of about a mebibyte."""

    def __init__(self) -> None:
        self._full: list[bytes] = []
        self._last: bytearray = bytearray()

    def add(self, data: bytes) -> None:
        self._last += data
        if len(self._last) > _PIECE_SIZE:
            self._full.append(bytes(self._last))
            self._last.clear()

    def whole(self) -> list[bytes]:
        return [*self._full, bytes(self._last)]


_PIECE_SIZE = 1 << 20

encode_strict: Callable[[Any], bytes] = _encoder.encode
"""The same for values that were decoded strictly: they have no lone surrogates."""


def encode_text(value: Any) -> str:
    """Return *value* as compact JSON, as a string inside another JSON text (call arguments)."""
    return encode(value).decode()
