"""What is kept of a response: its own resolved input and its answer, and how that is written.

A record holds nothing of the responses before it. Settings that agents repeat in each turn are written apart, under
their hash, so that a store keeps them once. A record is one byte for its version and one for its form (`j`: JSON, `z`:
JSON compressed with zlib, behind four bytes with its size), then the data.
"""

from __future__ import annotations

import hashlib
import zlib
from typing import Any, NamedTuple

import msgspec

from ..errors import RequestError, TranslationError
from ..wire import json

Item = dict[str, Any]

VERSION = b"1"
_PLAIN, _COMPRESSED = b"j", b"z"
_SIZE = 4
_LEAST = 200
"""Shorter data does not become shorter."""
_SHORT = 4096
"""Up to here, fixed codes are read faster than a table of codes."""
_MOST = 1 << 20
"""Longer data takes too long to compress, and is mostly images, which hardly become shorter."""

SETTINGS = (
    *("instructions", "tools", "tool_choice", "text", "reasoning", "model", "object", "store", "background"),
    *("temperature", "top_p", "top_logprobs", "presence_penalty", "frequency_penalty", "max_output_tokens"),
    *("max_tool_calls", "parallel_tool_calls", "truncation", "service_tier"),
)
"""Members of an answer that agents repeat in each turn."""
_APART = frozenset({*SETTINGS, "output", "status"})
_COMPACTIONS = ("compaction", "context_compaction")


class Past(NamedTuple):
    """What a history needs of a response."""

    id: str
    status: str | None
    input: list[Item]
    output: list[Item]


class Record(NamedTuple):
    """One response as it is kept."""

    answer: dict[str, Any]
    """The Response object that the client was sent, with its output."""
    input: list[Item]
    """The resolved input items of this response alone, each with an id."""

    @property
    def past(self) -> Past:
        return Past(self.answer["id"], self.answer.get("status"), self.input, self.answer["output"])


class Encoded(NamedTuple):
    """A record as bytes: what a store takes."""

    body: bytes
    settings: bytes
    settings_hash: str
    """32 hex digits, the name of the *settings*."""
    size: int
    """How many bytes the *body* has before it is compressed: what a history has of it, or somewhat more."""
    compacts: bool
    """Whether there is a compaction item in it: histories need nothing of before."""


class DamagedRecord(TranslationError):
    """What is stored cannot be read: it was written by a later version, or is damaged."""


class _Body(msgspec.Struct):
    status: str | None
    input: list[dict[str, Any]]
    output: list[dict[str, Any]]
    answer: msgspec.Raw


_bodies = msgspec.json.Decoder(_Body)


def encode(record: Record) -> Encoded:
    """Return the bytes of a record."""
    return encode_answer(record.answer, json.encode(record.input), compacts=any(map(is_compaction, record.input)))


def encode_answer(answer: dict[str, Any], own_input: bytes, *, compacts: bool) -> Encoded:
    """Return the bytes of a record whose *own_input* is JSON already, which *compacts* if a compaction is in it."""
    output = answer["output"]
    body = {
        "status": answer.get("status"),
        "input": msgspec.Raw(own_input),
        "output": output,
        "answer": {name: value for name, value in answer.items() if name not in _APART},
    }
    data = json.encode(body)
    settings = json.encode({name: answer[name] for name in SETTINGS if name in answer})
    settings_hash = hashlib.sha256(settings).hexdigest()[:32]
    return Encoded(
        body=packed_bytes(data),
        settings=_packed_settings(settings_hash, settings),
        settings_hash=settings_hash,
        size=len(data),
        compacts=compacts or any(map(is_compaction, output)),
    )


def _packed_settings(name: str, data: bytes) -> bytes:
    """Pack settings of this hash; those of an agent come with each turn, and compressing them is most of the work."""
    packed = _recent.get(name)
    if packed is None:
        packed = packed_bytes(data)
        if len(packed) <= _LONGEST_RECENT:
            if len(_recent) >= _MOST_RECENT:
                _recent.clear()
            _recent[name] = packed
    return packed


_recent: dict[str, bytes] = {}
_MOST_RECENT, _LONGEST_RECENT = 64, 1 << 16


def check(data: bytes, value: Any, limit: int, param: str) -> None:
    """Raise RequestError if a request has more *data* than is stored of one, or its *value* could not be read again."""
    if len(data) > limit:
        message = f"'{param}' has {len(data):,} bytes; at most {limit:,} are stored. Send 'store': false."
        raise RequestError(message, param, "request_too_large")
    if data.count(b"[") + data.count(b"{") > _DEEPEST and json.is_deep(value, _DEEPEST):
        raise RequestError(f"'{param}' is nested too deeply to be stored. Send 'store': false.", param)


_DEEPEST = 500


def decode(ident: str, body: bytes, settings: bytes) -> Record:
    """Return the record of the response *ident*; raises DamagedRecord."""
    kept = _body(ident, body)
    try:
        rest = json.decode(bytes(kept.answer), None)
        answer = {**rest, **unpacked(ident, settings), "id": ident, "status": kept.status, "output": kept.output}
    except (TypeError, ValueError):
        raise _damaged(ident, "it is no response") from None
    return Record(answer, kept.input)


def decode_past(ident: str, body: bytes) -> Past:
    """Return what a history needs of the response *ident*; raises DamagedRecord."""
    kept = _body(ident, body)
    return Past(ident, kept.status, kept.input, kept.output)


def decode_usage(ident: str, body: bytes) -> dict[str, Any] | None:
    """Return the `usage` of the response *ident*, if that is the size of what it hands on; raises DamagedRecord."""
    kept = _body(ident, body)
    if any(map(is_compaction, kept.output)):
        return None
    usage = _answer(ident, kept).get("usage")
    return usage if isinstance(usage, dict) else None


def decode_compacted(ident: str, body: bytes) -> str | None:
    """Return the id of the response whose history the response *ident* itself compacted, if it did.

    Raises DamagedRecord.
    """
    kept = _body(ident, body)
    if not any(map(is_compaction, kept.output)) or any(map(is_compaction, kept.input)):
        return None
    return _answer(ident, kept).get("previous_response_id")


def _answer(ident: str, kept: _Body) -> dict[str, Any]:
    """Return the answer without what is kept apart from it."""
    answer = json.decode(bytes(kept.answer), None)
    if not isinstance(answer, dict):
        raise _damaged(ident, "it is no response")
    return answer


def _body(ident: str, data: bytes) -> _Body:
    try:
        return _bodies.decode(_unpacked_bytes(ident, data))
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        raise _damaged(ident, "it is no response") from None


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
        strategy = zlib.Z_FIXED if len(data) <= _SHORT else zlib.Z_DEFAULT_STRATEGY
        compressor = zlib.compressobj(1, strategy=strategy)
        short = compressor.compress(data) + compressor.flush()
        if len(short) < len(data):
            return VERSION + _COMPRESSED + len(data).to_bytes(_SIZE, "big") + short
    return VERSION + _PLAIN + data


def size(data: bytes) -> int:
    """Return how many bytes packed *data* has when it is unpacked: a short text may stand for a very long one."""
    return int.from_bytes(data[2 : 2 + _SIZE], "big") if data[1:2] == _COMPRESSED else len(data)


def unpacked(ident: str, data: bytes) -> dict[str, Any]:
    """Return the object that *data* holds; raises DamagedRecord with the *ident* of what it is."""
    try:
        value = json.decode(_unpacked_bytes(ident, data), None)
    except ValueError:
        raise _damaged(ident, "its data is damaged") from None
    if not isinstance(value, dict):
        raise _damaged(ident, "its data is no object")
    return value


def _unpacked_bytes(ident: str, data: bytes) -> bytes:
    if data[:1] != VERSION:
        raise _damaged(ident, "it was written by another version of diglot")
    try:
        return zlib.decompress(data[2 + _SIZE :]) if data[1:2] == _COMPRESSED else data[2:]
    except zlib.error:
        raise _damaged(ident, "its data is damaged") from None


def is_compaction(item: Item) -> bool:
    return item.get("type") in _COMPACTIONS and item.get("encrypted_content") is not None


def _damaged(ident: str, why: str) -> DamagedRecord:
    return DamagedRecord(f"'{ident}' is stored, but cannot be read: {why}.")
