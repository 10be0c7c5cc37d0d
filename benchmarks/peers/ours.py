"""diglot: the whole product, bytes to bytes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Any

from benchmarks.directions import Api
from diglot.adapters.ids import new_id
from diglot.translator import AnswerReader, Body, RequestBody, ServeChat, ServeResponses

Fields = dict[str, Any]
_EXCHANGES: dict[Api, type[ServeChat] | type[ServeResponses]] = {"responses": ServeResponses, "chat": ServeChat}


def exchange(asked: Fields, api: Api) -> ServeChat | ServeResponses:
    return _EXCHANGES[api](asked, new_id=new_id, clock=time.time)


def request(data: bytes, api: Api) -> bytes:
    _, made = RequestBody.read(data).translate(lambda body: exchange(body, api))
    return b"".join(made)


def mapping(body: Fields, api: Api) -> Fields:
    return exchange(body, api).request


def answerer(asked: Fields, api: Api) -> tuple[Callable[[Fields], Fields], Callable[[bytes], bytes]]:
    """The mapping alone, and bytes to bytes."""
    serve = exchange({**asked, "stream": False}, api)

    def answer(data: bytes) -> bytes:
        reader = AnswerReader.of(serve)
        reader.head(200, "application/json")
        body = reader.feed(data, last=True)
        assert isinstance(body, Body)
        return body.data

    return serve.answer, answer


def stream(asked: Fields, reads: Iterable[bytes], api: Api) -> list[bytes]:
    """A whole stream, its request included."""
    made = exchange(asked, api).stream()
    frames: list[bytes] = []
    for read in reads:
        frames += made.feed(read)
    return frames


def drain(asked: Fields, reads: Iterable[bytes], api: Api) -> int:
    """The same, with frames that are gone as soon as they are made: as it is when they are sent."""
    made = exchange(asked, api).stream()
    return sum(len(made.feed(read)) for read in reads)
