"""The free-form input inside a wrapped call's arguments, decoded while it streams (protocol 3.3)."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from ...wire import json, validate

_HEAD = '{"input":"'
_SPACES = (0, 1, 8, 9)  # in front of which of its characters there may be white space
_SPACE = " \t\n\r"
_MAX_HEAD = 4096  # white space before the string; more is not a wrapped call
_PIECE = re.compile(r'[^"\\]+|\\u[0-9a-fA-F]{4}|\\u[0-9a-fA-F]{0,3}(?=[^0-9a-fA-F])|\\[^u]|"')
_SIMPLE = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f"}


_string = msgspec.json.Decoder(str)


def decode_plain(piece: str) -> str | None:
    """Return the text of a piece from the middle of a JSON string; None unless it is whole and all of it JSON.

    `WrappedInputDecoder` returns the same where it ``is_plain``, and is so again afterwards.
    """
    if "\\" not in piece and '"' not in piece:
        return piece
    try:
        return _string.decode(f'"{piece}"')
    except (msgspec.MsgspecError, UnicodeError):
        return None


class WrappedInputDecoder:
    """Arguments in, input out: `{"input": "..."}` in any pieces.

    Only whole characters come out: halves of escapes and surrogate pairs wait. Arguments of any other form come out at
    the end: the `input` of an object, or its only text under any name (W14), or everything unchanged.
    """

    def __init__(self) -> None:
        self._pieces: list[str] = []  # all that came, until the head is understood
        self._size = 0
        self._head = 0  # how much of the head came; -1: it is another one
        self._streams = False
        self._over = False
        self._rest = ""  # half an escape
        self._high = ""  # a high surrogate that waits for the low one

    @property
    def is_open(self) -> bool:
        """Whether the string has begun and not ended."""
        return self._streams and not self._over

    @property
    def is_plain(self) -> bool:
        """Whether the next piece is to be read without regard to those before it."""
        return self._streams and not (self._over or self._rest or self._high)

    def feed(self, fragment: str) -> str:
        """Return what is certain of the input now."""
        if self._over:
            return ""
        if self._streams:
            return self._decode(self._rest + fragment)
        self._pieces.append(fragment)
        end = self._read_head(fragment) if self._size <= _MAX_HEAD else 0
        self._size += len(fragment)
        if self._head < len(_HEAD):
            return ""
        self._streams = True
        self._pieces.clear()
        return self._decode(fragment[end:])

    def _read_head(self, fragment: str) -> int:
        """Read on in the head; return where it ends, if it does. No character is looked at twice."""
        at = 0
        while 0 <= self._head < len(_HEAD):
            if self._head in _SPACES:
                at = len(fragment) - len(fragment[at:].lstrip(_SPACE))
            if at == len(fragment):
                break
            self._head = self._head + 1 if fragment[at] == _HEAD[self._head] else -1
            at += 1
        return at

    def flush(self) -> str:
        """The arguments are over: return what is left."""
        if self._streams:
            rest, self._high, self._rest = ("\ufffd" if self._high else ""), "", ""
            return rest
        text = "".join(self._pieces)
        self._pieces.clear()
        try:
            value = json.decode(text)
        except ValueError:
            return text
        only_text = _only_text(value)
        return text if only_text is None else only_text

    def _decode(self, text: str) -> str:
        out: list[str] = []
        at = 0
        while not self._over and (match := _PIECE.match(text, at)):
            at = match.end()
            self._over = match[0] == '"'
            if not self._over:
                out.append(self._character(match[0]))
        self._rest = text[at:]
        return "".join(out)

    def _character(self, piece: str) -> str:
        high, self._high = self._high, ""
        lost = "\ufffd" if high else ""  # a high surrogate without its low one
        if piece[0] != "\\":
            return lost + piece
        if piece[1] != "u":
            return lost + _SIMPLE.get(piece[1], piece[1])
        if len(piece) < 6:  # digits are missing: not JSON, so as it is
            return lost + piece
        code = int(piece[2:], 16)
        if 0xD800 <= code < 0xDC00:
            self._high = chr(code)
            return lost
        if 0xDC00 <= code < 0xE000:
            return chr(0x10000 + ((ord(high) - 0xD800) << 10) + (code - 0xDC00)) if high else "\ufffd"
        return lost + chr(code)


def _only_text(value: Any) -> str | None:
    """The one text that a value is, or has under any name beside empty members; None without."""
    if isinstance(value, dict):
        members = [member for member in value.values() if validate.has_content(member)]
        value = value["input"] if isinstance(value.get("input"), str) else members[0] if len(members) == 1 else None
    return value if isinstance(value, str) else None
