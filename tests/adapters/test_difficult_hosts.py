"""What hosts, applications and clients do that none should: found by attack, each with what must come all the same."""

import asyncio
import gc
import time
from typing import Any

import anyio
import pytest

from diglot.adapters import Limits, Record
from diglot.translator import ProtocolMisuse, RequestBody

pytestmark = pytest.mark.anyio
HEAD = {"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]}


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_a_refused_request_leaves_no_task(side: Any, chat: Any) -> None:
    """Nobody watches over a request that is not read."""
    before = len(asyncio.all_tasks())
    for _ in range(20):
        got = await side.talk(chat(), side.ask, {"headers": {"content-type": "text/plain"}}).run()
        assert got.status == 415
    await anyio.sleep(0.1)
    gc.collect()
    assert len(asyncio.all_tasks()) == before


async def test_an_answer_that_ends_while_its_head_is_sent(side: Any, chat: Any) -> None:
    """The comment that keeps the client begins the stream; what ends it comes behind, and nothing behind that."""
    one = side.talk(chat(0.1, *side.hello), side.stream, limits=Limits(keepalive=0.05))

    async def slow(message: Any) -> None:
        if message["type"] == "http.response.start":
            await anyio.sleep(0.2)

    one.hold = slow
    got = await one.run()
    assert (side.ending(got), side.text(got)) == ("completed", "Hello")
    assert [message.get("more_body") for message in got.sent].count(False) == 1
    assert got.complete


async def test_words_that_wait_behind_a_comment_were_said_in_time(side: Any, chat: Any) -> None:
    """A slow client is not held against the upstream, and nothing is written out of turn."""
    app = chat(*side.begin, side.say("a"), 0.3, side.say("b"), side.end)
    one = side.talk(app, side.stream, limits=Limits(keepalive=0.1, idle=0.8))

    async def slow(message: Any) -> None:
        if message.get("body", b"").startswith(b":"):
            await anyio.sleep(1)

    one.hold = slow
    got = await one.run()
    assert (side.ending(got), side.text(got)) == ("completed", "ab")


async def test_a_refusal_that_teaches_of_an_application_that_stays(side: Any) -> None:
    """The client does not wait for what the application does behind its refusal."""
    calls = 0

    async def app(scope: Any, receive: Any, send: Any) -> None:
        nonlocal calls
        calls += 1
        await receive()
        if calls == 1:
            error = b'{"error":{"message":"Unsupported parameter: \'temperature\'","param":"temperature"}}'
            await send({**HEAD, "status": 400})
            await send({"type": "http.response.body", "body": error})
            await anyio.sleep_forever()
        await send(HEAD)
        await send({"type": "http.response.body", "body": side.whole})

    one = side.talk(app, {**side.ask, "temperature": 1}, limits=Limits(shutdown=0.1))
    got = await one.run()
    assert (got.status, side.text(got), calls) == (200, "Hello", 2)


class Refusing:
    """An application whose first refusal teaches; *between* runs while the request is translated anew."""

    def __init__(self, whole: bytes, between: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        self.calls = 0
        self._whole = whole
        translate, slow = RequestBody.translate, self

        def slowly(body: RequestBody, make: Any) -> Any:
            if slow.calls:
                between()
            return translate(body, make)

        monkeypatch.setattr(RequestBody, "translate", slowly)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        message = await receive()
        while message.get("more_body"):
            message = await receive()
        self.calls += 1
        error = b'{"error":{"message":"Unsupported parameter: \'temperature\'","param":"temperature"}}'
        await send({**HEAD, "status": 400 if self.calls == 1 else 200})
        await send({"type": "http.response.body", "body": error if self.calls == 1 else self._whole})


async def test_a_client_that_leaves_while_its_request_is_translated_anew(
    side: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody is called for it."""

    def between() -> None:
        anyio.from_thread.run_sync(one.gone.set)
        time.sleep(0.1)

    app = Refusing(side.whole, between, monkeypatch)
    one = side.talk(app, {**side.ask, "temperature": 1, "user": "x" * 2**21})
    await one.run()
    assert app.calls == 1


async def test_a_server_that_ends_while_a_request_is_read(side: Any, chat: Any) -> None:
    """The client hears that."""
    one = side.talk(chat(), side.ask)
    one._pieces = []
    with anyio.move_on_after(0.05):
        await one.run()
    assert (one.status, one.error["message"]) == (503, "The server is shutting down.")


async def test_a_server_that_ends_and_a_client_that_leaves(side: Any, chat: Any) -> None:
    """What is to be told to nobody breaks nothing."""
    one = side.talk(chat(*side.begin, side.say("a"), 9), side.stream)

    async def broken(message: Any) -> None:
        if b"shutting down" in message.get("body", b""):
            raise OSError

    one.hold = broken
    with anyio.move_on_after(0.1):
        await one.run()
    assert one.sent


async def test_a_host_that_repeats_the_request(side: Any, chat: Any) -> None:
    """Its `receive()` never waits: others have their turn all the same."""
    one = side.talk(chat(0.2, side.whole, kind="application/json"), side.ask)
    body, one._pieces = one._pieces[0], []

    async def again() -> Any:
        return body

    one._receive = again
    got = await one.run()
    assert (got.status, side.text(got)) == (200, "Hello")


@pytest.mark.parametrize("cuts", [0, 3])
async def test_a_byte_order_mark(side: Any, chat: Any, cuts: int) -> None:
    """It says nothing, in whichever piece it stands."""
    body = b"\xef\xbb\xbf" + side.whole
    app = chat(body[:cuts], body[cuts:], kind="application/json")
    got = await side.talk(app, side.ask).run()
    assert (got.status, side.text(got)) == (200, "Hello")


async def test_a_body_before_its_head(side: Any) -> None:
    """That is the application's mistake: the host hears of it, and the client that it failed."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "http.response.body", "body": b"{}"})

    got = await side.talk(app, side.ask).run(raises=ProtocolMisuse("x"))
    assert (got.status, got.error["message"]) == (502, "The application behind this server failed.")


@pytest.mark.parametrize("what", [RuntimeError("x"), None])
async def test_an_error_that_nobody_reads(side: Any, chat: Any, what: Exception | None) -> None:
    """A client that takes nothing is given up, also at the very end."""
    records = list[Record]()
    app = chat(*side.begin, side.say("a"), *([what] if what else [None]))
    one = side.talk(app, side.stream, limits=Limits(stalled=0.2), on_exchange=records.append)

    async def never(message: Any) -> None:
        if b"this server failed" in message.get("body", b"") or b"a complete answer" in message.get("body", b""):
            await anyio.sleep(9)

    one.hold = never
    await one.run(raises=what)
    assert records[0].outcome == "disconnected"


async def test_comments_are_no_words_in_a_long_stream(side: Any, chat: Any) -> None:
    """Behind a megabyte, too: a finished answer ends, however long its server goes on to say nothing."""
    pings = [step for _ in range(60) for step in (0.05, b": ping\n\n")]
    app = chat(*side.begin, side.say("x" * 2**21), side.end, *pings)
    with anyio.fail_after(2):
        got = await side.talk(app, side.stream, limits=Limits(after_finish=0.3, shutdown=0.1)).run()
    assert side.ending(got) == "completed"


async def test_a_late_request_that_is_refused_for_something_else(side: Any, chat: Any) -> None:
    """One answer, also if the client takes its time over that."""
    one = side.talk(chat(), {**side.ask, "user": "x" * 500}, limits=Limits(max_body=100, request=0.1, stalled=5))

    async def slow(message: Any) -> None:
        await anyio.sleep(0.1)

    one.hold = slow
    got = await one.run()
    assert [message["type"] for message in got.sent] == ["http.response.start", "http.response.body"]
    assert got.status == 413


async def test_a_server_that_ends_amid_the_last_large_frames(side: Any, chat: Any) -> None:
    """What is cut there must not look like an end."""
    large = side.say("x" * 2**21)
    app = chat(*side.begin, large, side.end, *([b"data: [DONE]\n\n"] if side.is_chat else []))
    one = side.talk(app, side.stream, limits=Limits(shutdown=0.1))
    taken = anyio.Event()

    async def stuck(message: Any) -> None:
        if len(message.get("body", b"")) > 2**20 and b"output_text.done" in message["body"]:
            taken.set()
            await anyio.sleep(9)

    one.hold = stuck

    async def cancel_when_stuck(scope: anyio.CancelScope) -> None:
        with anyio.move_on_after(2):
            await taken.wait()
        scope.cancel()

    async with anyio.create_task_group() as tasks:
        with anyio.CancelScope() as scope:
            tasks.start_soon(cancel_when_stuck, scope)
            await one.run()
        tasks.cancel_scope.cancel()
    if taken.is_set():
        assert not one.complete


async def test_receive_that_raises(side: Any, chat: Any) -> None:
    """With several choices, too: nobody knows whether the client is there, so nothing goes on."""
    if side.is_chat:
        return
    one = side.talk(chat(3, *side.hello), {**side.ask, "n": 2}, limits=Limits(shutdown=0.1))
    body, one._pieces = one._pieces[0], []
    messages = [body]

    async def broken() -> Any:
        if messages:
            return messages.pop()
        raise ValueError("no more")

    one._receive = broken
    got = await one.run()
    assert got.status == 499
