"""From the pieces of an HTTP request to the JSON object that it carries."""

from __future__ import annotations

import logging

from ..translator import BadRequest, Received
from .asgi_types import Receive, Scope, header
from .encodings import TooLarge, UnknownEncoding, decode, supported
from .missing import words

_log = logging.getLogger("diglot")


class Disconnected(Exception):
    """The client went away before its request was complete."""


async def read_object(scope: Scope, receive: Receive, limit: int) -> Received:
    """Return the JSON object in the body of a request of at most *limit* bytes, before and after decompression.

    Raises BadRequest (400, 413 or 415) or Disconnected.
    """
    declared = header(scope, b"content-length")
    if declared.isdigit() and int(declared) > limit:
        raise _too_large(limit)
    data = await _read(receive, limit)
    return _object(_plain(data, header(scope, b"content-encoding"), limit))


async def _read(receive: Receive, limit: int) -> bytes:
    pieces: list[bytes] = []
    size = 0
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Disconnected
        pieces.append(message.get("body", b""))
        size += len(pieces[-1])
        if size > limit:
            raise _too_large(limit)
        more = message.get("more_body", False)
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def _plain(data: bytes, encoding: bytes, limit: int) -> bytes:
    try:
        return decode(data, encoding.decode("latin-1"), limit)
    except UnknownEncoding as error:
        if encoding.strip().lower() == b"zstd":
            _log.warning(words("A request body with content-encoding zstd", "zstandard", "zstd"))
        names = ", ".join(supported())
        raise BadRequest(f"{error}; supported are {names}.", code="unsupported_encoding", status=415) from None
    except TooLarge:
        raise _too_large(limit) from None
    except ValueError as error:
        raise BadRequest(f"The request body cannot be decoded: {error}.", code="invalid_encoding") from None


def _object(data: bytes) -> Received:
    received = Received.read(data)
    if not isinstance(received.body, dict):
        raise BadRequest("The request body must be a JSON object.", code="invalid_json")
    return received


def _too_large(limit: int) -> BadRequest:
    return BadRequest(f"The request body is larger than {limit} bytes.", code="request_too_large", status=413)
