"""The client's end: one writer at a time, and nobody writes to a client that has gone."""

from typing import Any

import anyio
import pytest

from diglot.adapters.middleware.client_writer import ClientWriter
from diglot.adapters.middleware.sink import ClientGone
from diglot.translator import Body, RequestError

pytestmark = pytest.mark.anyio


async def test_progress() -> None:
    """It knows what was sent."""
    sent: list[Any] = []

    async def send(message: Any) -> None:
        assert writer.busy_since
        sent.append(message["type"])

    writer = ClientWriter(send)
    assert not writer.started
    await writer.open([], [b"x"])
    assert (writer.started, writer.done) == (True, False)
    await writer.keep_alive()
    await writer.write([], more=False)
    await writer.keep_alive()
    assert (writer.status, writer.done, writer.busy_since) == (200, True, 0)
    assert sent == ["http.response.start", *["http.response.body"] * 3]


async def test_a_whole_answer() -> None:
    """A head with the length, and one body."""
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    writer = ClientWriter(send)
    await writer.json(Body.of({"a": 1}), [(b"a", b"b")])
    assert (writer.status, writer.done) == (200, True)
    own = [(b"content-type", b"application/json"), (b"content-length", b"7")]
    assert sent[0]["headers"] == [(b"a", b"b"), *own]
    assert sent[1] == {"type": "http.response.body", "body": b'{"a":1}', "more_body": False}


async def test_error() -> None:
    """An error is a whole answer."""
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    writer = ClientWriter(send)
    await writer.error(RequestError("no", status=418), [(b"a", b"b")])
    assert (writer.status, writer.done) == (418, True)
    assert (b"a", b"b") in sent[0]["headers"]


async def test_gone() -> None:
    """After an OSError of the server nothing more is tried."""
    calls = 0

    async def send(message: Any) -> None:
        nonlocal calls
        calls += 1
        raise OSError

    writer = ClientWriter(send)
    with pytest.raises(OSError):
        await writer.open([], [])
    for again in (writer.open([], []), writer.write([b""])):
        with pytest.raises(ClientGone):
            await again
    assert (writer.gone, calls) == (True, 1)


async def test_one_at_a_time() -> None:
    """Whoever wants to write while another one does waits for it, and those who wait write one after the other."""
    busy, most, sent = 0, 0, list[bytes]()

    async def send(message: Any) -> None:
        nonlocal busy, most
        busy += 1
        most = max(most, busy)
        await anyio.sleep(0.01)
        sent.append(message["body"])
        busy -= 1

    writer = ClientWriter(send)
    async with anyio.create_task_group() as tasks:
        for piece in (b"a", b"b", b"c"):
            tasks.start_soon(writer.write, [piece])
    assert (most, sorted(sent)) == (1, [b"a", b"b", b"c"])


async def test_nobody_jumps_the_queue() -> None:
    """Whoever writes twice in a row comes after those who waited; a head and its first frames are one turn."""
    sent = list[bytes]()

    async def send(message: Any) -> None:
        await anyio.sleep(0.01)
        sent.append(message.get("body", b"head"))

    writer = ClientWriter(send)

    async def twice() -> None:
        await writer.open([], [b"first"])
        await writer.write([b"third"])

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(twice)
        await anyio.sleep(0.001)
        tasks.start_soon(writer.write, [b"second"])
    assert sent == [b"head", b"first", b"second", b"third"]
    assert writer.busy_since == 0


async def test_who_waits_may_be_cancelled() -> None:
    """Before its turn, or just as it comes: the others go on."""
    sent, release = list[bytes](), anyio.Event()

    async def send(message: Any) -> None:
        await release.wait()
        sent.append(message["body"])

    writer = ClientWriter(send)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(writer.write, [b"a"])
        await anyio.sleep(0.01)
        with anyio.move_on_after(0.01):
            await writer.write([b"b"])
        tasks.start_soon(writer.write, [b"c"])
        await anyio.sleep(0.01)
        release.set()
    assert (sent, writer.busy_since) == ([b"a", b"c"], 0)


@pytest.mark.parametrize("amid", [0, 1])
async def test_cancelled_amid_a_head(amid: int) -> None:
    """Nobody knows what the client has: nothing more is sent."""
    sent = list[Any]()

    async def send(message: Any) -> None:
        if len(sent) == amid:
            await anyio.sleep(10)
        sent.append(message)

    writer = ClientWriter(send)
    with anyio.move_on_after(0.01):
        await writer.json(Body.of({}), [])
    with pytest.raises(ClientGone):
        await writer.write([b"x"])
    assert (len(sent), writer.gone) == (amid, True)


async def test_who_waits_hears_that_the_client_has_gone() -> None:
    """And does not write."""

    async def send(message: Any) -> None:
        await anyio.sleep(0.01)
        raise OSError

    writer, gone = ClientWriter(send), list[str]()

    async def write() -> None:
        try:
            await writer.write([b"x"])
        except OSError as error:
            gone.append(type(error).__name__)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(write)
        tasks.start_soon(write)
    assert sorted(gone) == ["ClientGone", "OSError"]


@pytest.mark.parametrize("breaks", [False, True])
async def test_a_client_that_left_before_it_had_anything(breaks: bool) -> None:
    """The cycle ends with a head and an empty body, whether the server still takes them or not."""
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)
        if breaks:
            raise OSError

    writer = ClientWriter(send)
    await writer.close()
    assert sent == []
    writer.leave()
    with pytest.raises(ClientGone):
        await writer.open([], [])
    await writer.close()
    assert [message.get("status") for message in sent] == ([499] if breaks else [499, None])
    assert writer.status == 0


async def test_cancelled_just_as_its_turn_comes() -> None:
    """The turn goes on to the next one."""
    sent, release, scope = list[bytes](), anyio.Event(), anyio.CancelScope()

    async def send(message: Any) -> None:
        if message["body"] == b"a":
            await release.wait()
            scope.cancel()
        sent.append(message["body"])

    writer = ClientWriter(send)

    async def cancelled() -> None:
        with scope:
            await writer.write([b"b"])

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(writer.write, [b"a"])
        await anyio.sleep(0.01)
        tasks.start_soon(cancelled)
        await anyio.sleep(0.01)
        tasks.start_soon(writer.write, [b"c"])
        await anyio.sleep(0.01)
        release.set()
    assert (sent, writer.busy_since) == ([b"a", b"c"], 0)
