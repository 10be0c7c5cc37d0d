"""Several choices of an upstream that gives one at a time."""

import json
from collections.abc import Callable
from time import monotonic
from typing import Any

import anyio
import pytest

from diglot.adapters import Limits, Record

pytestmark = pytest.mark.anyio

FOREVER = 3600
DONE = b"data: [DONE]\n\n"
REFUSED = b'{"error":{"message":"slow down","type":"rate_limit_error","code":"rate_limit_exceeded"}}'


class Several:
    """The first call goes to the first application, and so on."""

    def __init__(self, *apps: Any) -> None:
        self.apps = apps
        self.count = 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        app = self.apps[self.count]
        self.count += 1
        await app(scope, receive, send)


@pytest.fixture
def side(responses_side: Any) -> Any:
    return responses_side


@pytest.fixture
def whole(side: Any, chat: Any) -> Callable[..., Any]:
    """An upstream that answers with one word."""

    def make(text: str, *waits: float, **settings: Any) -> Any:
        return chat(*waits, side.whole.replace(b"Hello", text.encode()), kind="application/json", **settings)

    return make


def asked(side: Any, n: int, **more: Any) -> dict[str, Any]:
    return {**side.ask, "n": n, **more}


def choices(talk: Any) -> list[tuple[int, dict[str, Any], str | None]]:
    found = [choice for event in talk.events for choice in event.get("choices", ())]
    return [(choice["index"], choice["delta"], choice["finish_reason"]) for choice in found]


def texts(talk: Any, n: int) -> list[str]:
    return ["".join(delta.get("content") or "" for i, delta, _ in choices(talk) if i == index) for index in range(n)]


async def test_finished_answers(side: Any, whole: Any) -> None:
    """The choices are numbered, whichever comes first; the prompt is counted once."""
    app, records = Several(whole("a", 0.2), whole("b"), whole("c", 0.1)), list[Record]()
    got = await side.talk(app, asked(side, 3), on_exchange=records.append).run()
    assert [choice["index"] for choice in got.json["choices"]] == [0, 1, 2]
    assert {choice["message"]["content"] for choice in got.json["choices"]} == {"a", "b", "c"}
    assert got.json["usage"] == {"prompt_tokens": 1, "completion_tokens": 6, "total_tokens": 7}
    assert got.headers["content-length"] == str(len(got.body))
    assert '"n";kind=emulated' in got.headers["diglot-losses"]
    assert all("n" not in each.bodies[0] for each in app.apps)
    fields = records[0].fields()
    assert (len(records), fields["outcome"], fields["output_tokens"]) == (1, "completed", 6)
    assert [loss["path"] for loss in fields["losses"]] == ["n"]


async def test_they_run_at_once(side: Any, whole: Any) -> None:
    """All calls are made together."""
    began = monotonic()
    got = await side.talk(Several(*(whole("a", 0.3) for _ in range(8))), asked(side, 8)).run()
    assert len(got.json["choices"]) == 8
    assert monotonic() - began < 1.5


async def test_the_request_is_there_once(side: Any) -> None:
    """However many branches there are, they send the same bytes."""
    bodies: list[bytes] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        bodies.append((await receive())["body"])
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": side.whole})

    await side.talk(app, asked(side, 5)).run()
    assert len(bodies) == 5
    assert all(body is bodies[0] for body in bodies)


async def test_streams(side: Any, chat: Any) -> None:
    """All choices begin first, in order and in chunks of their own; each ends for itself; one usage, one `[DONE]`."""
    first = chat(0.2, *side.begin, side.say("a"), 0.2, side.say("A"), side.end)
    second = chat(*side.begin, side.say("b"), 0.2, side.say("B"), side.end)
    body = asked(side, 2, stream=True, stream_options={"include_usage": True})
    records = list[Record]()
    got = await side.talk(Several(first, second), body, on_exchange=records.append).run()
    assert [(index, delta.get("role")) for index, delta, _ in choices(got)[:2]] == [(0, "assistant"), (1, "assistant")]
    assert not any("role" in delta for _, delta, _ in choices(got)[2:])
    said = texts(got, 2)
    assert set(said) == {"aA", "bB"}
    assert [said[index] for index, _, reason in choices(got) if reason == "stop"] == ["bB", "aA"]
    assert len({(event["id"], event["created"], event["model"]) for event in got.events}) == 1
    usages = [event["usage"] for event in got.events if event.get("usage")]
    assert usages == [{"prompt_tokens": 1, "completion_tokens": 4, "total_tokens": 5}]
    assert got.events[-1]["usage"] == usages[0]
    assert got.body.count(b"[DONE]") == 1
    assert got.body.endswith(DONE)
    assert got.complete
    assert (records[0].outcome, records[0].usage["completion_tokens"]) == ("completed", 4)


async def test_one_refused(side: Any, chat: Any, whole: Any) -> None:
    """Before anything was sent it is the HTTP error, with its headers; the others are told to stop."""
    refused = chat(REFUSED, status=429, kind="application/json", headers={"retry-after": "7"})
    slow, records = whole("a", FOREVER), list[Record]()
    for stream in (False, True):
        app = Several(slow, refused)
        limits = Limits(shutdown=0.1)
        got = await side.talk(app, asked(side, 2, stream=stream), limits=limits, on_exchange=records.append).run()
        assert (got.status, got.error["code"], got.headers["retry-after"]) == (429, "rate_limit_exceeded", "7")
        assert slow.disconnected
        assert slow.cancelled
    assert [(record.outcome, record.error) for record in records] == [("refused", "rate_limit_exceeded")] * 2


async def test_one_refused_later(side: Any, chat: Any) -> None:
    """Once a stream has begun, the error is in it, and it ends there."""
    refused = chat(0.2, REFUSED, status=429, kind="application/json")
    slow, records = chat(*side.begin, side.say("a"), FOREVER), list[Record]()
    limits = Limits(shutdown=0.1)
    app = Several(slow, refused)
    got = await side.talk(app, asked(side, 2, stream=True), limits=limits, on_exchange=records.append).run()
    assert (got.status, got.events[-1]["error"]["code"]) == (200, "rate_limit_exceeded")
    assert got.body.endswith(DONE)
    assert got.complete
    assert slow.cancelled
    assert (records[0].outcome, records[0].error) == ("failed", "rate_limit_exceeded")


@pytest.mark.parametrize("end", ["cut", "failed", "raised"])
async def test_one_breaks(side: Any, chat: Any, end: str) -> None:
    """A stream that breaks off or fails ends all of them as failed, once."""
    failed = side.end.replace(b"completed", b"failed")
    last = {"cut": None, "failed": failed, "raised": RuntimeError()}[end]
    broken = chat(*side.begin, side.say("b"), last)
    app, records = Several(chat(*side.begin, side.say("a"), FOREVER), broken), list[Record]()
    got = await side.talk(
        app, asked(side, 2, stream=True), limits=Limits(shutdown=0.1), on_exchange=records.append
    ).run(raises=last)
    assert side.ending(got) == "failed"
    assert got.body.count(b'"error"') == 1
    assert got.complete
    assert app.apps[0].cancelled
    assert records[0].outcome == "failed"


async def test_stop_in_one_branch(side: Any, chat: Any) -> None:
    """A stop sequence ends its own branch at once, and hangs up on that upstream only."""
    stopped, other = chat(side.say("a.b"), FOREVER), chat(side.say("a"), 0.3, side.say("c"), side.end)
    body = asked(side, 2, stream=True, stop=".")
    got = await side.talk(Several(stopped, other), body, limits=Limits(shutdown=0.05)).run()
    assert set(texts(got, 2)) == {"a", "ac"}
    assert side.ending(got) == "completed"
    assert stopped.cancelled
    assert other.finished == 1


async def test_client_leaves(side: Any, chat: Any) -> None:
    """All upstreams hear that the client has gone."""
    apps, records = [chat(side.say("a"), FOREVER) for _ in range(3)], list[Record]()
    limits = Limits(shutdown=1.0)  # a loaded machine may be late
    one = side.talk(Several(*apps), asked(side, 3, stream=True), limits=limits, on_exchange=records.append)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(one.run)
        await anyio.sleep(0.1)
        one.gone.set()
    assert all(app.disconnected and app.cancelled for app in apps)
    assert records[0].outcome == "disconnected"
    assert side.ending(one) == "cut"


@pytest.mark.parametrize("stream", [False, True])
async def test_server_that_says_so_with_an_error(side: Any, chat: Any, whole: Any, stream: bool) -> None:
    """A client that turns out to be gone when it is written to ends all branches."""
    apps = [chat(*side.begin, side.say("a"), FOREVER), chat(*side.hello)] if stream else [whole("a"), whole("b")]
    records = list[Record]()
    limits = Limits(shutdown=0.1)
    one = side.talk(Several(*apps), asked(side, 2, stream=stream), limits=limits, on_exchange=records.append)

    async def broken(message: Any) -> None:
        raise OSError

    one.hold = broken
    await one.run()
    assert records[0].outcome == "disconnected"


async def test_error_that_nobody_hears(side: Any, chat: Any) -> None:
    """Neither does one that comes when nobody listens break anything."""
    refused = [chat(REFUSED, status=429, kind="application/json") for _ in range(2)]
    one = side.talk(Several(*refused), asked(side, 2))

    async def broken(message: Any) -> None:
        raise OSError

    one.hold = broken
    await one.run()


async def test_back_pressure(side: Any, chat: Any) -> None:
    """A client that reads slowly slows all upstreams; none is blamed for it."""
    apps = [chat(*(side.say("x") for _ in range(5)), side.end) for _ in range(2)]
    one = side.talk(Several(*apps), asked(side, 2, stream=True), limits=Limits(idle=0.3, first_byte=0.3, keepalive=0.1))
    assert await one.run_held(0.8) == 2
    assert texts(one, 2) == ["xxxxx", "xxxxx"]
    assert side.ending(one) == "completed"


async def test_client_that_stops_reading(side: Any, chat: Any) -> None:
    """It holds the upstreams only for so long."""
    apps, records = [chat(*side.hello) for _ in range(3)], list[Record]()
    limits = Limits(stalled=0.2, keepalive=0.1)
    one = side.talk(Several(*apps), asked(side, 3, stream=True), limits=limits, on_exchange=records.append)

    async def stop(message: Any) -> None:
        await anyio.sleep(FOREVER)

    one.hold = stop
    await one.run()
    assert records[0].outcome == "disconnected"


async def test_keep_alive(side: Any, chat: Any) -> None:
    """While all think, the stream begins and is kept alive, by one of them."""
    apps = [chat(0.7, *side.hello) for _ in range(4)]
    one = side.talk(Several(*apps), asked(side, 4, stream=True), limits=Limits(keepalive=0.1))
    got = await one.run()
    assert [index for index, _, _ in choices(got)[:4]] == [0, 1, 2, 3]
    assert 2 <= got.body.count(b": keep-alive\n\n") <= 14
    assert texts(got, 4) == ["Hello"] * 4
    assert side.ending(got) == "completed"


async def test_first_byte_timeout(side: Any, chat: Any, whole: Any) -> None:
    """An upstream that says nothing fails the call."""
    limits = Limits(first_byte=0.2, shutdown=0.1)
    got = await side.talk(Several(whole("a"), chat(FOREVER)), asked(side, 2), limits=limits).run()
    assert (got.status, got.error["code"]) == (504, "upstream_timeout")


@pytest.mark.parametrize("stream", [False, True])
async def test_server_stops(side: Any, chat: Any, stream: bool) -> None:
    """A call that the server cancels ends as failed."""
    app = Several(chat(30), chat(*([side.say("a")] if stream else []), 30))
    one = side.talk(app, asked(side, 2, stream=stream))
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(one.run)
        await anyio.sleep(0.1)
        tasks.cancel_scope.cancel()
    assert one.complete
    assert one.body.count(b'"error"') == 1
    assert one.status == (200 if stream else 503)


async def test_limits_are_shared(side: Any, whole: Any) -> None:
    """All answers together may be as large as one."""
    limits = Limits(max_answer=2 * len(side.whole) + 20)
    assert (await side.talk(Several(whole("a"), whole("b")), asked(side, 2), limits=limits).run()).status == 200
    app = Several(whole("a"), whole("b"), whole("c"))
    assert (await side.talk(app, asked(side, 3), limits=limits).run()).status == 502


async def test_lessons(side: Any, whole: Any) -> None:
    """Every branch tries again for itself; what they learned is remembered once."""
    bodies: list[dict[str, Any]] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        bodies.append(json.loads((await receive())["body"]))
        refused = "store" in bodies[-1]
        answer = b'{"error":{"message":"Unknown parameter: \'store\'"}}' if refused else side.whole
        kind = [(b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": 400 if refused else 200, "headers": kind})
        await send({"type": "http.response.body", "body": answer})

    one = side.talk(app, asked(side, 2))
    assert (await one.run()).status == 200
    assert len(bodies) == 4
    assert one.app.profile_for(one.scope["path"], "m").responses_unsupported == {"store"}


async def test_strict(side: Any, whole: Any) -> None:
    """What is done by other means is no loss."""
    got = await side.talk(Several(whole("a"), whole("b")), asked(side, 2), strict=True).run()
    assert got.status == 200
