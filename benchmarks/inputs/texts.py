"""Words. Made texts are ASCII, one in eight is not; they have the line breaks, quotes and backslashes of real ones."""

from __future__ import annotations

import random
from collections.abc import Iterator

import msgspec

encode = msgspec.json.encode

_WORDS = ("the", "file", '"main.py"', "returns", "value\n-", "list,", r"\d+", "of", "two-step", "a\tparser", "error:")
_BEYOND_ASCII = "été 你"


def prose(size: int, seed: int) -> str:
    """About *size* characters of text."""
    words = random.Random(seed).choices(_WORDS, k=size // 5)
    return " ".join([_BEYOND_ASCII, *words] if seed % 8 == 0 else words)[:size]


def pieces(count: int) -> Iterator[str]:
    """The text of *count* tokens."""
    choose = random.Random(count)
    return (f" {_BEYOND_ASCII}" if n % 8 == 0 else f" {choose.choice(_WORDS)}" for n in range(count))
