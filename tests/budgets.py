"""What is held against a budget: each operation from bytes to bytes, counted in calls of Python functions.

Calls repeat exactly, where times do not. They see neither a second encoding nor a large copy: the benchmarks do.
"""

from __future__ import annotations

import asyncio
import gc
import sys
from collections.abc import Callable
from typing import Any

from benchmarks.directions import PATHS, Api, other
from benchmarks.inputs import answers, requests, streams
from benchmarks.inputs.texts import encode
from diglot.adapters import TranslationMiddleware
from diglot.translator import AnswerReader, RequestBody, ServeChat, ServeResponses

Run = Callable[[], object]
Exchange = ServeResponses | ServeChat
_SERVES: dict[Api, type[ServeResponses] | type[ServeChat]] = {"responses": ServeResponses, "chat": ServeChat}
CHUNKS = 200
"""So many, that the beginning and the end of a stream are little beside them."""


def calls_of(run: Run) -> int:
    """Run it twice, and count the calls of Python functions of the second time: what is made once is made then."""
    calls = 0

    def count(frame: Any, event: str, arg: Any) -> None:
        nonlocal calls
        calls += event == "call"

    run()
    outer = sys.getprofile()
    gc.disable()  # hypothesis is called back by it
    sys.setprofile(count)
    try:
        run()
    finally:
        sys.setprofile(outer)
        gc.enable()
    return calls


def exchange(body: Any, api: Api) -> Exchange:
    return _SERVES[api](body, new_id=lambda prefix: prefix, clock=lambda: 1.0)


def request(talk: requests.Talk, api: Api) -> Run:
    data = encode(requests.body(talk, api))

    def run() -> None:
        _, made = RequestBody.read(data).translate(lambda body: exchange(body, api))
        assert b"".join(made)

    return run


def answer(name: str, api: Api) -> Run:
    """A finished answer; its request was translated before."""
    asked = {**requests.body(requests.REQUESTS[answers.ANSWERS[name][1]](), api), "stream": False}
    data, serve = answers.data(name, other(api)), exchange(asked, api)

    def run() -> None:
        reader = AnswerReader.of(serve)
        reader.head(200, "application/json")
        reader.feed(data, last=True)
        assert reader.ended

    return run


def stream(count: int, api: Api) -> Run:
    """A whole stream with so many tokens; its request was translated before."""
    reads, asked = streams.events("text", count, other(api)), streams.asked("text", api)

    def run() -> None:
        reader = AnswerReader.of(exchange(asked, api))
        reader.head(200, "text/event-stream")
        for read in reads:
            reader.feed(read)
        reader.finish()
        assert reader.ended

    return run


def chunks(count: int, api: Api) -> int:
    """The calls for so many chunks of a stream that is under way."""
    return calls_of(stream(CHUNKS + count, api)) - calls_of(stream(CHUNKS, api))


def messages(count: int, api: Api) -> int:
    """The calls for so many messages of a conversation."""
    few = 20
    more = few + count
    return calls_of(request(requests.messages(more), api)) - calls_of(request(requests.messages(few), api))


def middleware(api: Api) -> int:
    """The calls for a request with a finished answer through the middleware, those of the event loop among them."""
    own = other(api)
    body = encode(requests.body(requests.small()._replace(stream=False), api))
    client = _Client(TranslationMiddleware(_Application(answers.data("text", own)), upstream_api=own), api, body)
    with asyncio.Runner() as runner:
        return calls_of(lambda: runner.get_loop().run_until_complete(client.ask()))


class _Application:
    """Reads the request, and answers with what was prepared."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]})
        await send({"type": "http.response.body", "body": self._data, "more_body": False})


class _Client:
    def __init__(self, app: Any, api: Api, body: bytes) -> None:
        self._app, self._body = app, body
        self._scope = {
            "type": "http",
            "method": "POST",
            "path": PATHS[api],
            "raw_path": PATHS[api].encode(),
            "query_string": b"",
            "headers": [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())],
        }

    async def ask(self) -> bytes:
        asked = [{"type": "http.request", "body": self._body, "more_body": False}]
        got: list[bytes] = []

        async def receive() -> Any:
            if asked:
                return asked.pop()
            await asyncio.get_running_loop().create_future()  # the client stays
            raise AssertionError

        async def send(message: Any) -> None:
            got.append(message.get("body", b""))

        await self._app(dict(self._scope), receive, send)
        return b"".join(got)
