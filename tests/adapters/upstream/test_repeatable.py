"""A request that can be read again."""

from typing import Any

import anyio
import pytest

from diglot.adapters.upstream.repeatable import RepeatableRequest

pytestmark = pytest.mark.anyio
FIRST = {"type": "http.request", "body": b"a", "more_body": True}
LAST = {"type": "http.request", "body": b"b", "more_body": False}
GONE = {"type": "http.disconnect"}


class Client:
    """Sends these messages, and then nothing."""

    def __init__(self, *messages: Any) -> None:
        self.messages = list(messages)

    async def receive(self) -> Any:
        if not self.messages:
            await anyio.sleep_forever()
        return self.messages.pop(0)


async def test_again() -> None:
    """What was read is read again, and then what follows."""
    request = RepeatableRequest(Client(FIRST, LAST).receive)
    assert await request.receive() == FIRST
    request.rewind()
    assert [await request.receive(), await request.receive()] == [FIRST, LAST]
    request.rewind()
    assert [await request.receive(), await request.receive()] == [FIRST, LAST]
    assert not await request.is_gone()


async def test_gone() -> None:
    """Whether the client is there is asked without waiting; what it sends meanwhile is kept."""
    request = RepeatableRequest(Client(FIRST, LAST, GONE).receive)
    assert await request.receive() == FIRST
    assert await request.is_gone()
    assert await request.is_gone()
    request.rewind()
    assert [await request.receive(), await request.receive()] == [FIRST, LAST]


async def test_forgotten() -> None:
    """Nothing is kept of what is not read again."""
    request = RepeatableRequest(Client(FIRST, LAST, GONE).receive)
    await request.receive()
    request.forget()
    assert [await request.receive(), await request.receive()] == [LAST, GONE]
    assert await request.is_gone()
