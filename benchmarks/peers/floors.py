"""The floors: no translation at all."""

from __future__ import annotations

import json

import msgspec

from .peer import payloads, stdlib_json

decode = msgspec.json.Decoder().decode
encode = msgspec.json.Encoder().encode


def floor(data: bytes) -> bytes:
    """Floor D: msgspec decodes to plain objects and encodes them again."""
    return encode(decode(data))


def floor_stdlib(data: bytes) -> bytes:
    return stdlib_json(json.loads(data))


def floor_stream(events: list[bytes]) -> list[bytes]:
    """Floor D for every event; one in each read."""
    return [b"data: " + encode(decode(payload)) + b"\n\n" for payload in payloads(events)]


def floor_event(event: bytes) -> bytes:
    """The same for one event."""
    return b"data: " + encode(decode(event[event.index(b"data: ") + 6 : -2])) + b"\n\n"


def drain(events: list[bytes]) -> int:
    """The same, with frames that are gone as soon as they are made."""
    return sum(len(b"data: " + encode(decode(payload)) + b"\n\n") for payload in payloads(events))


def floor_reads(reads: list[bytes]) -> list[bytes]:
    """Floor D for events that are cut anywhere."""
    frames: list[bytes] = []
    rest = b""
    for read in reads:
        *events, rest = (rest + read).split(b"\n\n")
        frames += [
            b"data: " + encode(decode(event[event.index(b"{") :])) + b"\n\n" for event in events if b"{" in event
        ]
    return frames
