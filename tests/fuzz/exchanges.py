"""Cases of the middleware, in-process: odd heads and bodies of clients, odd answers of applications."""

from __future__ import annotations

import asyncio
import json
import logging
from random import Random
from typing import Any
from urllib.parse import unquote

from diglot.adapters import Limits, TranslationMiddleware
from diglot.adapters.middleware.access_log import AccessLog
from diglot.adapters.server.guard import Guard

from . import damage, seeds
from .feeds import Case, begin
from .invariants import invariant

SECRET = "sk-never-told"
LIMITS = Limits(max_body=200_000, max_answer=200_000, first_byte=5, idle=5, stalled=5, request=5, after_finish=0.05)
PATHS = [
    "/v1/responses",
    "/v1/chat/completions",
    "/responses",
    "/v1/responses/compact",
    "/v1/responses/",
    "/v1//responses",
]
PATHS += [
    "/v1/responses/resp_1",
    "/v1/%72esponses",
    "/v1/models",
    "/",
    "/healthz",
    "/v1/responses;x",
    "/V1/RESPONSES",
    "/\x00",
    "",
]
NAMES = ["content-type", "content-encoding", "content-length", "transfer-encoding", "connection", "upgrade", "expect"]
NAMES += [
    "te",
    "trailer",
    "host",
    "origin",
    "sec-fetch-site",
    "accept",
    "range",
    "authorization",
    "x_odd",
    "cookie",
    "idempotency-key",
]
VALUES = [
    "",
    " ",
    "0",
    "5",
    "-1",
    "99999999999",
    "chunked",
    "gzip",
    "zstd",
    "deflate",
    "br",
    "identity",
    "gzip, gzip",
    "close",
]
VALUES += [
    "application/json",
    "text/plain",
    "text/event-stream",
    "application/json; charset=utf-16",
    "localhost",
    "evil.example",
]
VALUES += [
    "http://evil.example",
    "null",
    "cross-site",
    "same-origin",
    "100-continue",
    "h2c",
    "websocket",
    "x" * 3000,
    "\xff\xfe",
]
METHODS = ["POST"] * 12 + ["GET", "OPTIONS", "HEAD", "TRACE", "CONNECT", "DELETE", "post", ""]
Message = Any


def make(random: Random) -> Case:
    """A request with an odd head or body, to an application that answers oddly."""
    about = begin(random, "exchange")
    direction = about["direction"]
    asked = {**random.choice(seeds.requests(direction)), "stream": random.random() < 0.5}
    body = damage.wire(asked)
    if random.random() < 0.2:
        body = damage.data_bytes(random, body)
    if random.random() < 0.6:
        events = random.choice(seeds.streams(direction)).events
        answer = damage.stream(random, events, seeds.events_of(direction), seeds.pool())
    else:
        answer = damage.data_bytes(random, damage.wire(random.choice(seeds.answers(direction)).finished))
    path = "/v1/responses" if direction == "serve_responses" else "/v1/chat/completions"
    head = {
        "method": random.choice(METHODS),
        "path": path if random.random() < 0.7 else random.choice(PATHS),
        "headers": [["host", "localhost"], ["content-type", "application/json"], *_headers(random)],
        "status": random.choice([200] * 8 + [201, 204, 304, 301, 400, 401, 404, 429, 500, 503, 100, 999, 0]),
        "answered": [
            ["content-type", random.choice(["text/event-stream", "application/json", *VALUES])],
            *_headers(random),
        ],
        "ending": random.choice(["end"] * 6 + ["return", "raise", "twice"]),
    }
    return Case(**about, asked={"head": head, "body": body.decode("latin-1")}, data=answer)


def _headers(random: Random) -> list[list[str]]:
    return [[random.choice(NAMES), random.choice(VALUES)] for _ in range(random.choice([0, 0, 1, 1, 2, 4]))]


def check(case: Case) -> None:
    """Serve the request, and look at all that was said: to the client, to the application, and to the log."""
    log = _Log()
    logger = logging.getLogger("diglot")
    level, spread = logger.level, logger.propagate
    logger.addHandler(log)
    logger.setLevel(logging.DEBUG)
    logger.propagate = False
    talk = Talk(case)
    try:
        asyncio.run(asyncio.wait_for(served(talk), 20))
    finally:
        logger.removeHandler(log)
        logger.setLevel(level)
        logger.propagate = spread
    answers_are_whole(talk)
    requests_are_sent_on_whole(talk)
    nothing_is_told_to_the_log(talk, log.lines)


class _Log(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(f"{record.getMessage()} {record.__dict__.get('exchange', '')} {record.exc_text or ''}")


class Talk:
    """One request to the middleware in front of a scripted application."""

    def __init__(self, case: Case) -> None:
        self.case = case
        self.head = case.asked["head"]
        self.body = case.asked["body"].encode("latin-1")
        self.sent: list[Message] = []
        self.seen: list[tuple[dict[str, Any], bytes]] = []
        self.raised: BaseException | None = None
        random = Random(case.chance)
        pieces = damage.pieces(random, self.body) or [b""]
        self._to_come = [
            {"type": "http.request", "body": p, "more_body": i < len(pieces)} for i, p in enumerate(pieces, 1)
        ]
        self._answer = damage.pieces(random, case.data)

    @property
    def scope(self) -> dict[str, Any]:
        """The scope, as uvicorn would have made it."""
        path = self.head["path"].encode()
        headers = [(name.encode(), value.encode("latin-1")) for name, value in self.head["headers"]]
        headers.append((b"authorization", f"Bearer {SECRET}".encode()))
        return {
            "type": "http",
            "method": self.head["method"],
            "path": unquote(self.head["path"]),
            "raw_path": path,
            "root_path": "",
            "query_string": f"key={SECRET}".encode(),
            "headers": headers,
            "http_version": "1.1",
        }

    async def receive(self) -> Message:
        """The request, then a client that waits."""
        if self._to_come:
            return self._to_come.pop(0)
        await asyncio.sleep(30)
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        """What the client gets."""
        self.sent.append(message)

    async def application(self, scope: Any, receive: Any, send: Any) -> None:
        """Reads the request, and answers as the case says."""
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        self.seen.append((scope, body))
        headers = [(name.encode(), value.encode("latin-1")) for name, value in self.head["answered"]]
        await send({"type": "http.response.start", "status": self.head["status"], "headers": headers})
        for piece in self._answer:
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        if self.head["ending"] == "raise":
            raise RuntimeError(SECRET)
        for _ in range({"end": 1, "twice": 2}.get(self.head["ending"], 0)):
            await send({"type": "http.response.body", "body": b"", "more_body": False})


async def served(talk: Talk) -> None:
    """Run the middleware, behind all that stands in front of it in the server."""
    api: Any = "chat" if talk.case.direction == "serve_responses" else "responses"
    middleware = TranslationMiddleware(talk.application, profile=talk.case.profile, upstream_api=api, limits=LIMITS)
    try:
        await AccessLog(Guard(middleware, "127.0.0.1"))(talk.scope, talk.receive, talk.send)
    except RuntimeError as error:
        talk.raised = error


def _is_translated(talk: Talk) -> bool:
    return any(scope["path"] != talk.scope["path"] for scope, _ in talk.seen)


@invariant
def answers_are_whole(talk: Talk) -> None:
    """A client gets one head and one end, and nothing behind it; what is translated is as long as it says, and clean.

    Only what goes through untouched may break as the application breaks. What that raises goes on to its host (W45).
    """
    if talk.seen and not _is_translated(talk):
        return
    assert talk.raised is None or str(talk.raised) == SECRET, "raised, and not by the application"
    kinds = [message["type"] for message in talk.sent]
    assert kinds[0] == "http.response.start", kinds[:2]
    assert set(kinds[1:]) == {"http.response.body"}, kinds
    more = [message.get("more_body", False) for message in talk.sent[1:]]
    assert more == [True] * (len(more) - 1) + [False], "not one end"
    status, headers = talk.sent[0]["status"], [(bytes(n).lower(), bytes(v)) for n, v in talk.sent[0]["headers"]]
    assert 200 <= status <= 599, status
    body = b"".join(message["body"] for message in talk.sent[1:])
    lengths = [int(value) for name, value in headers if name == b"content-length"]
    assert len(lengths) <= 1
    assert not lengths or lengths[0] == len(body) or talk.head["method"] == "HEAD", f"{lengths} for {len(body)} bytes"
    for name, value in headers:
        assert not any(mark in name + value for mark in (b"\r", b"\n", b"\x00")), (name, value)
        assert name not in (b"transfer-encoding", b"upgrade", b"keep-alive", b"content-encoding"), name
    if status >= 400 and body:
        assert json.loads(body)["error"]["message"], body[:200]


@invariant
def requests_are_sent_on_whole(talk: Talk) -> None:
    """A translated request has the length that it says, no framing and no conditions of the client's, and is JSON."""
    for scope, body in talk.seen if _is_translated(talk) else ():
        json.loads(body)
        headers: list[tuple[bytes, bytes]] = scope["headers"]
        lengths = [value for name, value in headers if name == b"content-length"]
        assert lengths in ([], [b"%d" % len(body)]), lengths
        names = {name for name, _ in headers}
        assert names.isdisjoint({b"transfer-encoding", b"content-encoding", b"range", b"expect", b"trailer"}), names


@invariant
def nothing_is_told_to_the_log(talk: Talk, lines: list[str]) -> None:
    """No key, no query and no words of an application are in the log; every request leaves a line."""
    assert lines, "no line"
    for line in lines:
        assert SECRET not in line, line
