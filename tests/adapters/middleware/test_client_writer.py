"""The client's end: one writer at a time, and nobody writes to a client that has gone."""

from typing import Any

import anyio
import pytest

from diglot.adapters.middleware.client_writer import ClientGone, Outlet
from diglot.translator import RequestError

pytestmark = pytest.mark.anyio


async def test_progress() -> None:
    """It knows what was sent."""
    sent: list[Any] = []

    async def send(message: Any) -> None:
        assert outlet.busy
        sent.append(message["type"])

    outlet = Outlet(send)
    assert not outlet.started
    await outlet.open(200, [])
    assert (outlet.started, outlet.done) == (True, False)
    await outlet.write(b"x")
    await outlet.write(b"", more=False)
    assert (outlet.status, outlet.done, outlet.busy) == (200, True, False)
    assert sent == ["http.response.start", "http.response.body", "http.response.body"]


async def test_error() -> None:
    """An error is a whole answer."""
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    outlet = Outlet(send)
    await outlet.error(RequestError("no", status=418), [(b"a", b"b")])
    assert (outlet.status, outlet.done) == (418, True)
    assert (b"a", b"b") in sent[0]["headers"]


async def test_gone() -> None:
    """After an OSError of the server nothing more is tried."""
    calls = 0

    async def send(message: Any) -> None:
        nonlocal calls
        calls += 1
        raise OSError

    outlet = Outlet(send)
    with pytest.raises(OSError):
        await outlet.open(200, [])
    for again in (outlet.open(200, []), outlet.write(b"")):
        with pytest.raises(ClientGone):
            await again
    assert (outlet.gone, calls) == (True, 1)


async def test_turns() -> None:
    """Who waits for free() goes on when the turn is given back, and at once when nobody has it."""

    async def send(message: Any) -> None: ...

    outlet, order = Outlet(send), list[str]()
    await outlet.free()
    outlet.give_turn()
    outlet.take_turn()

    async def wait() -> None:
        await outlet.free()
        order.append("free")

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(wait)
        await anyio.sleep(0.01)
        order.append("given")
        outlet.give_turn()
    assert order == ["given", "free"]


@pytest.mark.parametrize("breaks", [False, True])
async def test_a_client_that_left_before_it_had_anything(breaks: bool) -> None:
    """The cycle ends with a head and an empty body, whether the server still takes them or not."""
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)
        if breaks:
            raise OSError

    outlet = Outlet(send)
    await outlet.close()
    assert sent == []
    outlet.gone = True
    with pytest.raises(ClientGone):
        await outlet.open(200, [])
    await outlet.close()
    assert [message.get("status") for message in sent] == ([499] if breaks else [499, None])
    assert outlet.status == 0
