"""Payloads that are not read: images, files and audio in base64 need not be decoded and encoded again.

They are cut out of a body before it is decoded, and put into the translated one after it is encoded. Marks take their
places, made from a hash of the rest of the body, so that no body can contain its own marks. All of this is optional:
if anything is doubtful, nothing is cut.
"""

from __future__ import annotations

import re
from hashlib import blake2b
from itertools import count
from typing import Any

from . import json

LEAST = 32 * 1024
"""A payload of twice this length is always found; a shorter one only by chance."""
_SAMPLE = re.compile(rb"[A-Za-z0-9+/_-]{64}")
_BEGINNING = re.compile(rb"[A-Za-z0-9+/_-]{1024}")
_KEY = re.compile(rb'"(?:image_url|url|video_url|file_data|data)"\s{0,8}:\s{0,8}\Z')
_HEAD = re.compile(rb'"(?:data:[^"\\,]{0,100};base64,)?')
_LONGEST_KEY = 32


Buffer = bytes | memoryview


class DetachedPayloads:
    """The payloads of one body: ``data`` is the body as it came, ``light`` the body without them."""

    def __init__(self, data: bytes | bytearray, places: list[tuple[int, int]]) -> None:
        self.data: bytes | bytearray = data
        view = memoryview(data)
        self._payloads: list[memoryview] = [view[start:stop] for start, stop in places]
        edges = [0, *(edge for place in places for edge in place), len(data)]
        rest = [view[start:stop] for start, stop in zip(edges[::2], edges[1::2], strict=True)]
        self._mark: bytes = _mark_of(rest)
        marks = (b"%b%04d" % (self._mark, number) for number in range(len(places)))
        self.skeleton: bytes = b"".join(
            [piece for pair in zip(rest, marks, strict=False) for piece in pair] + rest[-1:]
        )

    def reattach(self, made: bytes) -> list[Buffer] | None:
        """Return what was *made* of the light body with its payloads, in pieces; None if not all ended strings in it.

        Nothing is copied: a body may be as large as all that is left of the memory.
        """
        pieces: list[Any] = re.split(self._mark + rb'(\d{4})(?=")', made)
        numbers = [int(digits) for digits in pieces[1::2]]
        if made.count(self._mark) > len(numbers) or sorted(numbers) != list(range(len(self._payloads))):
            return None
        pieces[1::2] = [self._payloads[number] for number in numbers]
        return [piece for piece in pieces if piece]

    def is_in(self, value: Any) -> bool:
        """Whether *value* holds a mark."""
        return self._mark in json.encode(value)


def _mark_of(rest: list[memoryview]) -> bytes:
    """A mark that is not in the *rest* of a body; payloads are not looked at, however many megabytes they are."""
    whole = b"".join(rest)
    seed = blake2b(whole, digest_size=32).digest()
    marks = (blake2b(b"%d" % attempt, key=seed, digest_size=16).hexdigest().encode() for attempt in count())
    return next(mark for mark in marks if mark not in whole)


def detach(data: bytes | bytearray) -> DetachedPayloads | None:
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
    return DetachedPayloads(data, places) if places else None


def _start(data: bytes | bytearray, quote: int) -> int:
    """Where the payload begins in the string that *quote* opens; 0 if it is no such string.

    That quote is no end of a string and not escaped: a key is in front of it.
    """
    head = _HEAD.match(data, quote) if _KEY.search(data[max(0, quote - _LONGEST_KEY) : max(0, quote)]) else None
    return head.end() if head and _BEGINNING.match(data, head.end()) else 0
