"""Payloads that nobody looks at: images, files and audio in base64 need not be decoded and encoded again.

They are cut out of a body before it is decoded, and put into the translated one after it is encoded. In their places
are marks that nobody can guess, so nobody can forge them. All of this may be left out: whenever something is not quite
plain, nothing is cut.
"""

from __future__ import annotations

import re
import secrets
from typing import Any

from . import json

LEAST = 32 * 1024
"""A payload of twice this length is always found, a shorter one by chance."""
_SAMPLE = re.compile(rb"[A-Za-z0-9+/_-]{64}")
_BEGINNING = re.compile(rb"[A-Za-z0-9+/_-]{1024}")
_KEY = re.compile(rb'"(?:image_url|url|video_url|file_data|data)"\s{0,8}:\s{0,8}\Z')
_HEAD = re.compile(rb'"(?:data:[^"\\,]{0,100};base64,)?')
_LONGEST_KEY = 32


class Carried:
    """The payloads of one body: ``data`` is the body as it came, ``light`` the body without them."""

    def __init__(self, data: bytes, places: list[tuple[int, int]]) -> None:
        self.data = data
        self._mark = secrets.token_hex(16).encode()
        view, end, rest = memoryview(data), 0, []
        self._payloads: list[memoryview] = []
        for start, stop in places:
            rest += view[end:start], b"%b%04d" % (self._mark, len(self._payloads))
            self._payloads.append(view[start:stop])
            end = stop
        self.light = b"".join([*rest, view[end:]])

    def put_back(self, made: bytes) -> bytes | None:
        """Return what was *made* of the light body with its payloads; None if not all of them ended strings in it."""
        pieces: list[Any] = re.split(self._mark + rb'(\d{4})(?=")', made)
        numbers = [int(digits) for digits in pieces[1::2]]
        if made.count(self._mark) > len(numbers) or sorted(numbers) != list(range(len(self._payloads))):
            return None
        pieces[1::2] = [self._payloads[number] for number in numbers]
        return b"".join(pieces)

    def is_in(self, value: Any) -> bool:
        """Whether *value* holds a mark."""
        return self._mark in json.encode(value)


def cut(data: bytes) -> Carried | None:
    """Return *data* with its payloads cut out; None if there is none that is plain to see."""
    places: list[tuple[int, int]] = []
    behind, position = 0, LEAST
    while position < len(data):
        if _SAMPLE.match(data, position):
            quote, end = data.rfind(b'"', behind, position), data.find(b'"', position)
            start = _start(data, quote)
            if start and start < end and data[end - 1 : end] != b"\\":
                places.append((start, end))
            if end < 0:  # no JSON
                return None
            behind = position = end
        position += LEAST
    return Carried(data, places) if places else None


def _start(data: bytes, quote: int) -> int:
    """Where the payload begins in the string that *quote* opens; 0 if it is no such string.

    That quote is no end of a string and not escaped: a key is in front of it.
    """
    head = _HEAD.match(data, quote) if _KEY.search(data[max(0, quote - _LONGEST_KEY) : max(0, quote)]) else None
    return head.end() if head and _BEGINNING.match(data, head.end()) else 0
