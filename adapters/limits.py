"""How much and how long: the bounds of one exchange."""

from __future__ import annotations

from typing import Annotated

import msgspec

Seconds = Annotated[float, msgspec.Meta(gt=0)]
Bytes = Annotated[int, msgspec.Meta(gt=0)]

MEBIBYTE = 1024 * 1024


class Limits(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Bounds in bytes and seconds. The defaults suit long generations with images."""

    max_body: Bytes = 64 * MEBIBYTE
    """A request body, as sent and again when decompressed."""
    max_answer: Bytes = 64 * MEBIBYTE
    """A finished answer of the upstream."""
    max_stream: Bytes = 128 * MEBIBYTE
    """All of the upstream's event stream: the answer grows with it until it ends."""
    max_error: Bytes = MEBIBYTE
    """As much as is kept of an upstream's error body."""
    max_line: Bytes = 16 * MEBIBYTE
    """One line of the upstream's event stream."""
    request: Seconds = 60
    """How long a client may take to send the body of its request; `diglot serve` gives heads 10 seconds at most."""
    connect: Seconds = 10
    probe: Seconds = 10
    """How long the upstream may take to say which API it has, where that is found out."""
    first_byte: Seconds = 600
    """How long the upstream may think before it says anything."""
    idle: Seconds = 300
    """How long the upstream may pause between two pieces of an answer."""
    silent: Seconds = 1800
    """How long the upstream may send nothing but comments and blank lines, which say that it is still thinking."""
    stalled: Seconds = 300
    """How long the client may read nothing of what is there for it."""
    after_finish: Seconds = 2
    """How long to wait for what follows the last piece of an answer: usage, `[DONE]`, the end of the body."""
    after_failure: Seconds = 1
    """How long to wait for the reason of a failure that came without one."""
    keepalive: Seconds = 15
    """After so much silence a stream sends a comment, so that no proxy closes the connection."""
    shutdown: Seconds = 1
    """How long an application may clean up after its client has gone."""
