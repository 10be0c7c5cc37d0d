"""Reads the JSON object in the body of an HTTP request."""

from __future__ import annotations

import logging

import anyio

from ...translator import RequestBody, RequestError
from ..limits import Limits
from ..missing import install_hint
from .encodings import TooLarge, UnknownEncoding, decode, supported
from .types import DECODED_BODY, Message, Receive, Scope, declared_length, header, wrong_length

_log = logging.getLogger("diglot")
_LARGE, _LARGE_PACKED = 2**20, 2**14
"""Sizes in bytes above which a body is decoded in a thread: it would block the event loop."""


class Disconnected(Exception):
    """The client disconnected before its request was complete."""


class Unreadable(Exception):
    """The body could not be read to its end: *error* is for the client, and its connection must be closed."""

    def __init__(self, error: RequestError) -> None:
        super().__init__(str(error))
        self.error = error


async def read_object(
    scope: Scope, receive: Receive, limits: Limits, *, empty: RequestBody | None = None
) -> RequestBody:
    """Return the JSON object in the body of a request, whose size is limited before and after decompression.

    *empty* is what a body without a byte stands for, if it may be left out.

    The caller limits the time. Raises RequestError (400, 413 or 415), Unreadable (400 or 413)
    or Disconnected.
    """
    message = await _read(scope, receive, limits)
    if DECODED_BODY in message:
        return message[DECODED_BODY]
    data, encoding = message["body"], header(scope, b"content-encoding")
    if empty is not None and not data:
        return empty
    return await _decode(data, encoding, limits)


async def read_ahead(scope: Scope, receive: Receive, limits: Limits) -> Message:
    """Return the whole request as one message, with what it was decoded to if that is a JSON object.

    The caller limits the time. Raises Unreadable (400 or 413) or Disconnected.
    """
    message = await _read(scope, receive, limits)
    message = {**message, "body": bytes(message["body"])}
    try:
        decoded = await _decode(message["body"], header(scope, b"content-encoding"), limits)
    except RequestError:  # whoever reads it says what is wrong
        return message
    return {**message, DECODED_BODY: decoded}


async def _decode(data: bytes | bytearray, encoding: bytes, limits: Limits) -> RequestBody:
    if len(data) > _LARGE or (encoding and len(data) > _LARGE_PACKED):
        return await anyio.to_thread.run_sync(decoded_object, data, encoding, limits.max_body)
    return decoded_object(data, encoding, limits.max_body)


async def _read(scope: Scope, receive: Receive, limits: Limits) -> Message:
    """Return the message with the whole body, or one that was made of several."""
    try:
        declared = declared_length(scope)
        if declared is not None and declared > limits.max_body:
            raise _too_large(limits.max_body)
        message = await _whole(receive, limits.max_body)
        if declared is not None and declared != len(message["body"]):
            raise wrong_length(declared, len(message["body"]))
    except RequestError as error:
        raise Unreadable(error) from None
    return message


async def _whole(receive: Receive, limit: int) -> Message:
    message = await _next(receive)
    first: bytes = message.get("body", b"")
    if not message.get("more_body", False):
        _expect_room(len(first), limit)
        return message if "body" in message else {**message, "body": first}
    data = bytearray(first)  # joining many pieces at the end would block the event loop
    while message.get("more_body", False):
        _expect_room(len(data), limit)
        message = await _next(receive)
        data += message.get("body", b"")
    _expect_room(len(data), limit)
    return {"type": "http.request", "body": data, "more_body": False}


async def _next(receive: Receive) -> Message:
    message = await receive()
    if message["type"] == "http.disconnect":
        raise Disconnected
    return message


def _expect_room(size: int, limit: int) -> None:
    if size > limit:
        raise _too_large(limit)


def timeout_error(limits: Limits) -> RequestError:
    """Return the error for a client that does not finish its request in time."""
    return RequestError(
        f"The request body did not arrive within {limits.request:g} seconds.", code="request_timeout", status=408
    )


def _decompressed(data: bytes | bytearray, encoding: bytes, limit: int) -> bytes | bytearray:
    try:
        return decode(data, encoding.decode("latin-1"), limit)
    except UnknownEncoding as error:
        if encoding.strip().lower() == b"zstd":
            _log.warning(install_hint("A request body with content-encoding zstd", "zstandard", "zstd"))
        names = ", ".join(supported())
        raise RequestError(f"{error}; supported: {names}.", code="unsupported_encoding", status=415) from None
    except TooLarge:
        raise _too_large(limit) from None
    except ValueError as error:
        raise RequestError(f"The request body cannot be decoded: {error}.", code="invalid_encoding") from None


def decoded_object(data: bytes | bytearray, encoding: bytes, limit: int) -> RequestBody:
    """Return the JSON object in *data*, with this content encoding; raises RequestError (400, 413 or 415)."""
    received = RequestBody.read(_decompressed(data, encoding, limit) if encoding else data)
    if not isinstance(received.body, dict):
        raise RequestError("The request body must be a JSON object.", code="invalid_json")
    return received


def _too_large(limit: int) -> RequestError:
    return RequestError(f"The request body is larger than {limit} bytes.", code="request_too_large", status=413)
