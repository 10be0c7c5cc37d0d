"""What is kept of a response: its own resolved input and its answer, and how that is written.

A record holds nothing of the responses before it. Settings that agents repeat in each turn are written apart, under
their hash, so that a store keeps them once. A record is one byte for its version and one for its form (`j`: JSON, `z`:
JSON compressed with zlib), then the data.
"""

from __future__ import annotations

import hashlib
import zlib
from typing import Any, NamedTuple

from ..errors import TranslationError
from ..wire import json

Item = dict[str, Any]

VERSION = b"1"
_PLAIN, _COMPRESSED = b"j", b"z"
_LEAST = 200
"""Shorter data does not become shorter."""
_MOST = 1 << 20
"""Longer data takes too long to compress, and is mostly images, which hardly become shorter."""

SETTINGS = ("instructions", "tools", "tool_choice", "text", "reasoning")
"""Members of an answer that agents repeat in each turn."""
_COMPACTIONS = ("compaction", "context_compaction")


class Record(NamedTuple):
    """One response as it is kept."""

    answer: dict[str, Any]
    """The Response object that the client was sent, with its output."""
    input: list[Item]
    """The resolved input items of this response alone, each with an id."""

    @property
    def id(self) -> str:
        return self.answer["id"]


class Encoded(NamedTuple):
    """A record as bytes: what a store takes."""

    body: bytes
    settings: bytes
    settings_hash: str
    """32 hex digits, the name of the *settings*."""
    compacts: bool
    """Whether there is a compaction item in it: histories need nothing of before."""


class DamagedRecord(TranslationError):
    """What is stored cannot be read: it was written by a later version, or is damaged."""


def encode(record: Record) -> Encoded:
    """Return the bytes of a record."""
    own = {name: value for name, value in record.answer.items() if name not in SETTINGS}
    settings = json.encode({name: record.answer[name] for name in SETTINGS if name in record.answer})
    return Encoded(
        body=packed({"answer": own, "input": record.input}),
        settings=packed_bytes(settings),
        settings_hash=hashlib.sha256(settings).hexdigest()[:32],
        compacts=any(is_compaction(item) for items in (record.input, record.answer["output"]) for item in items),
    )


def decode(ident: str, body: bytes, settings: bytes) -> Record:
    """Return the record of the response *ident*; raises DamagedRecord."""
    value, repeated = unpacked(ident, body), unpacked(ident, settings)
    answer, items = value.get("answer"), value.get("input")
    if not isinstance(answer, dict) or not isinstance(answer.get("output"), list) or not isinstance(items, list):
        raise _damaged(ident, "it is no response")
    return Record({**answer, **repeated, "id": ident}, items)


def encode_item(item: Item) -> bytes:
    """Return the bytes of an item of a conversation."""
    return packed(item)


def decode_item(ident: str, data: bytes) -> Item:
    """Return the item *ident* of a conversation; raises DamagedRecord."""
    return unpacked(ident, data)


def packed(value: dict[str, Any]) -> bytes:
    return packed_bytes(json.encode(value))


def packed_bytes(data: bytes) -> bytes:
    if _LEAST < len(data) <= _MOST:
        short = zlib.compress(data, 1)
        if len(short) < len(data):
            return VERSION + _COMPRESSED + short
    return VERSION + _PLAIN + data


def unpacked(ident: str, data: bytes) -> dict[str, Any]:
    """Return the object that *data* holds; raises DamagedRecord with the *ident* of what it is."""
    version, form, rest = data[:1], data[1:2], data[2:]
    if version != VERSION:
        raise _damaged(ident, "it was written by another version of diglot")
    try:
        value = json.decode(zlib.decompress(rest) if form == _COMPRESSED else rest, None)
    except (zlib.error, ValueError):
        raise _damaged(ident, "its data is damaged") from None
    if not isinstance(value, dict):
        raise _damaged(ident, "its data is no object")
    return value


def is_compaction(item: Item) -> bool:
    return item.get("type") in _COMPACTIONS and item.get("encrypted_content") is not None


def _damaged(ident: str, why: str) -> DamagedRecord:
    return DamagedRecord(f"'{ident}' is stored, but cannot be read: {why}.")
