"""diglot: the whole product, bytes to bytes."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterable
from typing import Any

from benchmarks.directions import Api
from diglot.translator import AnswerReader, RequestBody, ServeChat, ServeResponses

Body = dict[str, Any]
_EXCHANGES: dict[Api, type[ServeChat] | type[ServeResponses]] = {"responses": ServeResponses, "chat": ServeChat}


def _new_id(prefix: str) -> str:
    return f"{prefix}_{secrets.token_urlsafe(24)}"


def exchange(asked: Body, api: Api) -> ServeChat | ServeResponses:
    return _EXCHANGES[api](asked, new_id=_new_id, clock=time.time)


def request(data: bytes, api: Api) -> bytes:
    _, made = RequestBody.read(data).translate(lambda body: exchange(body, api))
    return b"".join(made)


def answerer(asked: Body, api: Api) -> tuple[Callable[[Body], Body], Callable[[bytes], bytes]]:
    """The mapping alone, and bytes to bytes: as an adapter reads an answer, for a client that wants no stream."""
    serve = exchange(asked, api)

    def full(data: bytes) -> bytes:
        reader = AnswerReader.of(serve)
        reader.head(200, "application/json")
        made: Any = reader.feed(data, last=True)
        return made.data

    return serve.answer, full


def stream(asked: Body, reads: Iterable[bytes], api: Api) -> list[bytes]:
    """A whole stream, its request included."""
    made = exchange(asked, api).stream()
    frames: list[bytes] = []
    for read in reads:
        frames += made.feed(read)
    return frames


def drain(asked: Body, reads: Iterable[bytes], api: Api) -> int:
    """The same, with frames that are gone as soon as they are made: as it is when they are sent."""
    made = exchange(asked, api).stream()
    return sum(len(made.feed(read)) for read in reads)
