"""Replicas: whose turn it is, who gets a request next, and who is left alone."""

import logging
from collections import Counter
from typing import Any

import pytest

from diglot.adapters.asgi.types import MODEL_ROUTE
from diglot.adapters.middleware.model_route import ModelRoute
from diglot.adapters.middleware.notes import Attempt, Notes, with_notes
from diglot.adapters.upstream.app import Upstream
from diglot.adapters.upstream.replicas import Replica, Replicas
from diglot.translator import Profile, UpstreamError

pytestmark = pytest.mark.anyio
ASK = {"model": "m", "messages": []}


class Server:
    """A replica that answers with a status, breaks off, or leaves; it notes what it was asked."""

    def __init__(self, status: int = 200, **headers: str) -> None:
        self.status = status
        self.headers = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
        self.asked = 0
        self.steps: list[Any] = [b"hello"]
        self.before: Any = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        assert (await receive())["body"] == b'{"model": "m", "messages": []}'
        self.asked += 1
        if self.before is not None:
            self.before()
        if self.status:
            await send({"type": "http.response.start", "status": self.status, "headers": self.headers})
        for step in self.steps:
            if isinstance(step, Exception):
                raise step
            await send({"type": "http.response.body", "body": step, "more_body": True})
        if self.status:
            await send({"type": "http.response.body", "body": b"", "more_body": False})


class Pool:
    """Two of them, and a clock."""

    def __init__(self, *servers: Server, retry_within: float = 10) -> None:
        self.now = 100.0
        self.servers = servers
        self.all = [Replica(f"http://r{n}", server, self.clock) for n, server in enumerate(servers)]
        self.app = Replicas(self.all, retry_within, self.clock)

    def clock(self) -> float:
        return self.now

    @property
    def asked(self) -> list[int]:
        return [server.asked for server in self.servers]


def route(conversation: bytes = b"", previous: str = "") -> ModelRoute:
    return ModelRoute("m", "m", "pool", Profile(), conversation, previous)


async def test_turns(talk: Any) -> None:
    """They get requests in turn, whether there is a route or not."""
    pool = Pool(Server(), Server(), Server())
    for _ in range(6):
        assert (await talk(pool.app, ASK).run()).body == b"hello"
    assert pool.asked == [2, 2, 2]
    way = route()
    await talk(pool.app, ASK, **{MODEL_ROUTE: way}).run()
    assert way.replica == "http://r0"


async def test_conversations(talk: Any) -> None:
    """One conversation stays where it is, many are everywhere; when one replica is away, only its own ones move."""
    pool = Pool(Server(), Server(), Server())
    keys = [b"%16d" % number for number in range(60)]

    async def places() -> dict[bytes, str]:
        found = {}
        for key in keys:
            way = route(key)
            await talk(pool.app, ASK, **{MODEL_ROUTE: way}).run()
            found[key] = way.replica
        return found

    before = await places()
    assert await places() == before
    counts = Counter(before.values())
    assert len(counts) == 3
    assert min(counts.values()) > 5
    pool.all[0].leave(30, "gone")
    after = await places()
    assert all(after[key] == before[key] for key in keys if before[key] != "http://r0")
    assert "http://r0" not in after.values()


async def test_who_has_answered(talk: Any) -> None:
    """A response is continued where it was made; not everything is remembered."""
    pool = Pool(Server(), Server())
    for n in (0, 1):
        pool.app.remember("resp_1", f"http://r{n}")
        for _ in range(3):
            way = route(b"k" * 16, "resp_1")
            await talk(pool.app, ASK, **{MODEL_ROUTE: way}).run()
            assert way.replica == f"http://r{n}"
    for number in range(10_001):
        pool.app.remember(f"resp_x{number}", "http://r0")
    assert len(pool.app._answered) == 10_000


@pytest.mark.parametrize("status", [429, 502, 503, 504, 529])
async def test_a_failure_goes_to_the_next_one(talk: Any, status: int) -> None:
    """The client sees nothing of it, and the replica is left for a while, longer each time."""
    pool = Pool(Server(status), Server())
    for _ in range(5):
        got = await talk(pool.app, ASK).run()
        assert (got.status, got.body, len(got.sent)) == (200, b"hello", 3)
    assert pool.asked == [1, 5]
    waits = []
    for _ in range(6):
        waits.append(pool.all[0].left_until - pool.now)
        pool.now = pool.all[0].left_until
        while not pool.all[0].is_left:
            await talk(pool.app, ASK).run()
    assert waits == [5, 10, 20, 40, 60, 60]


async def test_it_is_well_again(talk: Any, caplog: pytest.LogCaptureFixture) -> None:
    """After a success, the next failure is the first one again; what began before a failure is no success."""
    caplog.set_level(logging.INFO)
    failing = Server(503)
    pool = Pool(failing, Server())
    await talk(pool.app, ASK).run()
    pool.all[0].serve()
    assert pool.all[0].is_left
    pool.now += 5
    failing.status = 200
    for _ in range(4):
        await talk(pool.app, ASK).run()
    pool.all[0].leave(None, "again")
    assert pool.all[0].left_until == pool.now + 5
    assert caplog.messages == [
        "Replica http://r0: status 503; it is left for 5 s",
        "Replica http://r0: serves again",
        "Replica http://r0: again; it is left for 5 s",
    ]


async def test_one_that_is_gone(talk: Any, caplog: pytest.LogCaptureFixture) -> None:
    """The log says so, and the notes say which replica was called when."""
    pool = Pool(Server(503), Server(503), Server())
    gone = pool.all[0].app = Upstream("http://127.0.0.1:9", name="qwen")
    asked, notes = talk(pool.app, ASK), Notes()
    asked.scope = with_notes(asked.scope, notes)
    assert (await asked.run()).body == b"hello"
    await gone.aclose()
    assert notes.attempts == [Attempt("qwen", "refused", "http://r0")]
    assert notes.replica == "http://r2"
    pool.now += 0.5
    assert pool.app.states == {"http://r0": "left for 5 s", "http://r1": "left for 5 s", "http://r2": "ok"}
    assert caplog.messages[-2:] == [
        "Replica http://r0: it cannot be reached; it is left for 5 s",
        "Replica http://r1: status 503; it is left for 5 s",
    ]


async def test_retry_after(talk: Any) -> None:
    """It is as long as the replica says, although other failures follow."""
    pool = Pool(Server(429, retry_after="33"), Server())
    await talk(pool.app, ASK).run()
    assert pool.all[0].left_until == pool.now + 33
    pool.all[0].leave(None, "refused")
    pool.all[0].leave(2, "busy")
    assert pool.all[0].left_until == pool.now + 33


@pytest.mark.parametrize("status", [200, 400, 401, 404, 408, 413, 422, 500])
async def test_nothing_else_is_repeated(talk: Any, status: int) -> None:
    """What a replica has worked on, or refused, is the client's to repeat."""
    pool = Pool(Server(status), Server())
    assert (await talk(pool.app, ASK).run()).status == status
    assert pool.asked == [1, 0]


async def test_the_last_error(talk: Any) -> None:
    """Each one is asked once, also those that are left alone; then the last error goes out with its headers."""
    pool = Pool(Server(503), Server(429, retry_after="9"))
    for number in (1, 2):
        got = await talk(pool.app, ASK).run()
        assert pool.asked == [number, number]
        assert (got.status, got.headers, got.body) == (429, {"retry-after": "9"}, b"hello")
    pool.all[0].leave(30, "the other one is tried again sooner")
    assert (await talk(pool.app, ASK).run()).status == 503


async def test_slow_failures(talk: Any) -> None:
    """They are not repeated, but the replica is left alone."""
    server = Server(503)
    pool = Pool(server, Server())

    def wait() -> None:
        pool.now += 10

    server.before = wait
    assert (await talk(pool.app, ASK).run()).status == 503
    assert pool.all[0].is_left
    assert pool.asked == [1, 0]


async def test_a_client_that_has_something(talk: Any) -> None:
    """Nothing is repeated for a client to whom anything was sent."""
    server, way = Server(503), route()
    pool = Pool(server, Server())

    def begin() -> None:
        way.began = True

    server.before = begin
    assert (await talk(pool.app, ASK, **{MODEL_ROUTE: way}).run()).status == 503
    assert pool.asked == [1, 0]


@pytest.mark.parametrize("status", [0, 200])
async def test_broken_off(talk: Any, status: int) -> None:
    """Before the first byte, the next one is asked; after it, the cut is the client's."""
    server, lost = Server(status), UpstreamError("The connection to the upstream was lost.", code="x")
    pool = Pool(server, Server())
    server.steps = [b"", lost] if status else [lost]
    assert (await talk(pool.app, ASK).run()).body == b"hello"
    assert pool.asked == [1, 1]
    server.steps = [b"hel", lost]
    pool = Pool(server, Server())
    server.status = 200
    got = await talk(pool.app, ASK).run(lost)
    assert (got.body, got.complete, pool.asked) == (b"hel", False, [2, 0])


async def test_all_broken_off(talk: Any) -> None:
    """Then the last one's error is the answer."""
    server = Server(200)
    server.steps = [UpstreamError("The connection to the upstream was lost.", code="upstream_disconnected")]
    got = await talk(Pool(server, server).app, ASK).run()
    assert (got.status, got.error["code"], server.asked) == (502, "upstream_disconnected", 2)


async def test_a_client_that_has_gone(talk: Any) -> None:
    """Nothing is repeated for nobody."""
    server = Server(503)
    pool = Pool(server, Server())
    asking = talk(pool.app, ASK)
    server.before = asking.gone.set
    await asking.run()
    assert (pool.asked, asking.sent) == ([1, 0], [])
    quiet = Server(0)
    quiet.steps = []
    pool = Pool(quiet, Server())
    await talk(pool.app, ASK).run()  # as `Upstream` does when its client has gone
    assert pool.asked == [1, 0]


async def test_a_body_without_a_head(talk: Any) -> None:
    """Whose mistake it is, it goes on as it came."""
    server = Server(0)
    got: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.request", "body": b'{"model": "m", "messages": []}', "more_body": False}

    async def send(message: Any) -> None:
        got.append(message)

    await Pool(server).app({"type": "http"}, receive, send)
    assert got == [{"type": "http.response.body", "body": b"hello", "more_body": True}]
