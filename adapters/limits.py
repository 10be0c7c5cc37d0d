"""The limits of one exchange: sizes and timeouts."""

from __future__ import annotations

from typing import Annotated

import msgspec

Seconds = Annotated[float, msgspec.Meta(gt=0)]
Bytes = Annotated[int, msgspec.Meta(gt=0)]

MEBIBYTE = 1024 * 1024


class Limits(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Limits in bytes and seconds. The defaults suit long generations with images."""

    max_body: Bytes = 64 * MEBIBYTE
    """Size of a request body, both as sent and after decompression."""
    max_answer: Bytes = 64 * MEBIBYTE
    """Size of a finished answer from the upstream."""
    max_stream: Bytes = 128 * MEBIBYTE
    """Total size of the upstream's event stream; the answer is kept in memory until it ends."""
    max_error: Bytes = MEBIBYTE
    """How much of an upstream's error body is read; the rest is dropped."""
    max_line: Bytes = 16 * MEBIBYTE
    """Size of one line of the upstream's event stream."""
    max_history: Bytes = 64 * MEBIBYTE
    """Size of the stored history that a request continues."""
    max_record: Bytes = 64 * MEBIBYTE
    """Size of what is stored of one response."""
    max_memory: Bytes = 256 * MEBIBYTE
    """Size of a store in memory; what was used least goes first."""
    request: Seconds = 60
    """How long a client may take to send the body of its request; `diglot serve` allows 10 seconds for headers."""
    connect: Seconds = 10
    """How long it may take to connect to the upstream."""
    retry_within: Seconds = 10
    """How long after a request began another replica may still get it: slow failures are not repeated."""
    probe: Seconds = 10
    """How long finding out which API the upstream has may take (`upstream_api=auto`), or letting it count tokens."""
    first_byte: Seconds = 600
    """How long the upstream may take until its answer begins."""
    idle: Seconds = 300
    """How long the upstream may pause within an answer."""
    silent: Seconds = 1800
    """How long the upstream may send only comments and blank lines, as servers do while a model thinks."""
    stalled: Seconds = 300
    """How long the client may read nothing while data is waiting for it."""
    after_finish: Seconds = 5
    """How long to wait for what follows a complete answer: usage, `[DONE]`, the end of the body."""
    after_failure: Seconds = 1
    """How long to wait for the reason when a failure arrives without one."""
    keepalive: Seconds = 15
    """How long a stream may be silent before a comment is sent, so that no proxy closes the connection."""
    shutdown: Seconds = 1
    """How long the application may clean up after its client has disconnected."""
