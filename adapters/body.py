"""From the pieces of an HTTP request to the JSON object that it carries."""

from __future__ import annotations

import anyio

from ..translator import BadRequest, Received
from .asgi_types import Receive, Scope, declared_length, header, wrong_length
from .encodings import TooLarge, UnknownEncoding, decode, supported
from .limits import Limits


class Disconnected(Exception):
    """The client went away before its request was complete."""


class Unreadable(Exception):
    """The body could not be read to its end: *error* is for the client, and its connection is of no more use."""

    def __init__(self, error: BadRequest) -> None:
        super().__init__(str(error))
        self.error = error


async def read_object(scope: Scope, receive: Receive, limits: Limits) -> Received:
    """Return the JSON object in the body of a request, which is bounded before and after decompression.

    Raises BadRequest (400, 413 or 415), Unreadable (400, 408 or 413) or Disconnected.
    """
    data = await _read(scope, receive, limits)
    return _object(_plain(data, header(scope, b"content-encoding"), limits.max_body))


async def _read(scope: Scope, receive: Receive, limits: Limits) -> bytes:
    try:
        declared = declared_length(scope)
        if declared is not None and declared > limits.max_body:
            raise _too_large(limits.max_body)
        with anyio.fail_after(limits.request):
            data = await _pieces(receive, limits.max_body)
        if declared is not None and declared != len(data):
            raise wrong_length(declared, len(data))
    except BadRequest as error:
        raise Unreadable(error) from None
    except TimeoutError:
        raise Unreadable(late(limits)) from None
    return data


async def _pieces(receive: Receive, limit: int) -> bytes:
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


def late(limits: Limits) -> BadRequest:
    """Return the error for a client that does not come to the end of its request."""
    return BadRequest(
        f"The request body did not arrive within {limits.request:g} seconds.", code="request_timeout", status=408
    )


def _plain(data: bytes, encoding: bytes, limit: int) -> bytes:
    try:
        return decode(data, encoding.decode("latin-1"), limit)
    except UnknownEncoding as error:
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
