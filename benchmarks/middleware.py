"""What does the middleware add to an application in the same process, per chunk and per request?"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from starlette.middleware.base import BaseHTTPMiddleware

from benchmarks import equivalence, measure, results, settings
from benchmarks.directions import DIRECTIONS, PATHS, TITLES, Api, other
from benchmarks.inputs import answers, requests, streams
from benchmarks.inputs.texts import encode
from diglot.adapters import TranslationMiddleware

UNIT = "microseconds of process CPU time for one chunk, or for one request with a finished answer"
BARE = "bare application"
WRAPPER = "pass-through wrapper"
BASE = "BaseHTTPMiddleware that does nothing"
Message = dict[str, Any]
App = Callable[..., Any]
loop = asyncio.new_event_loop()


class Application:
    """The application behind: it reads the request and sends what was prepared, each piece by itself."""

    def __init__(self, pieces: list[bytes], content_type: bytes) -> None:
        start = {"type": "http.response.start", "status": 200, "headers": [(b"content-type", content_type)]}
        bodies = [{"type": "http.response.body", "body": piece, "more_body": True} for piece in pieces]
        self._messages: list[Message] = [
            start,
            *bodies,
            {"type": "http.response.body", "body": b"", "more_body": False},
        ]

    async def __call__(self, scope: Message, receive: App, send: App) -> None:
        await receive()
        for message in self._messages:
            await send(message)


class Wrapper:
    """A middleware that looks at nothing: the floor of everything that stands between."""

    def __init__(self, app: App) -> None:
        self._app = app

    async def __call__(self, scope: Message, receive: App, send: App) -> None:
        async def passed(message: Message) -> None:
            await send(message)

        await self._app(scope, receive, passed)


class Nothing(BaseHTTPMiddleware):
    """What most middleware is written with."""

    async def dispatch(self, request: Any, call_next: Any) -> Any:
        return await call_next(request)


class Client:
    """Sends the same request again and again and keeps what comes."""

    def __init__(self, app: App, api: Api, body: bytes, times: int = 1) -> None:
        self._app, self._body, self._times = app, body, times
        self._scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": "POST",
            "scheme": "http",
            "path": PATHS[api],
            "raw_path": PATHS[api].encode(),
            "root_path": "",
            "query_string": b"",
            "headers": [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())],
            "client": ("127.0.0.1", 40000),
            "server": ("127.0.0.1", 80),
        }

    def run(self) -> list[bytes]:
        return loop.run_until_complete(self._all())

    async def _all(self) -> list[bytes]:
        got: list[bytes] = []
        for _ in range(self._times):
            got = await self._one()
        return got

    async def _one(self) -> list[bytes]:
        asked: list[Message] = [{"type": "http.request", "body": self._body, "more_body": False}]
        got: list[bytes] = []

        async def receive() -> Message:
            if asked:
                return asked.pop()
            await loop.create_future()  # the client stays
            raise AssertionError

        async def send(message: Message) -> None:
            if message["type"] == "http.response.body" and message["body"]:
                got.append(message["body"])

        await self._app(dict(self._scope), receive, send)
        return got


def contestants(app: App, api: Api, bodies: dict[Api, bytes], times: int = 1) -> dict[str, Client]:
    """The first three are asked in the application's own API, and answered without a translation."""
    own = other(api)
    return {
        BARE: Client(app, own, bodies[own], times),
        WRAPPER: Client(Wrapper(app), own, bodies[own], times),
        measure.OURS: Client(TranslationMiddleware(app, upstream_api=own), api, bodies[api], times),
        BASE: Client(Nothing(app), own, bodies[own], times),
    }


def stream(kind: str, count: int, api: Api) -> dict[str, Client]:
    app = Application(streams.events(kind, count, other(api)), b"text/event-stream")
    return contestants(app, api, {each: encode(streams.asked(kind, each)) for each in DIRECTIONS})


def finished(times: int, api: Api) -> dict[str, Client]:
    app = Application([answers.data("text", other(api))], b"application/json")
    talk = requests.small()._replace(stream=False)
    return contestants(app, api, {each: encode(requests.body(talk, each)) for each in DIRECTIONS}, times)


def check(clients: dict[str, Client], api: Api, reading: Callable[[Any, Api], equivalence.AnswerContent]) -> None:
    """All clients must be told the same."""
    expected = reading(clients[BARE].run(), other(api))
    assert expected.text or expected.calls
    assert reading(clients[WRAPPER].run(), other(api)) == expected
    assert reading(clients[BASE].run(), other(api)) == expected
    assert reading(clients[measure.OURS].run(), api) == expected


def compare(title: str, clients: dict[str, Client], units: int, given: settings.Settings) -> dict[str, Any]:
    runs = {name: client.run for name, client in clients.items()}
    rows = measure.add_ratios(measure.compare(runs, given, dict.fromkeys(runs, units)), floor=WRAPPER)
    for name, row in rows.items():
        row["x base"] = measure.ratio(rows, name, BASE)
    measure.show(title, rows)
    return {"rows": rows}


def main() -> None:
    given = settings.from_command_line()
    count, times = (200, 20) if given.short else (2_000, 100)
    found: dict[Api, Any] = {}
    for api in DIRECTIONS:
        found[api] = {}
        for kind in ("text", "tool arguments", "reasoning"):
            clients = stream(kind, count, api)
            check(clients, api, equivalence.by_stream)
            found[api][f"{kind}, one chunk"] = compare(f"{TITLES[api]}: {kind}, per chunk", clients, count, given)
        clients = finished(times, api)
        check(clients, api, lambda pieces, api: equivalence.by_answer(b"".join(pieces), api))
        found[api]["one request, finished answer"] = compare(f"{TITLES[api]}: per request", clients, times, given)
    results.save("middleware", UNIT, given, {"directions": found})


if __name__ == "__main__":
    main()
