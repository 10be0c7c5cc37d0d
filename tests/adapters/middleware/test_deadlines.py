"""The watch over one call; what it does over time is in test_call.py and test_limits.py."""

import gc
import weakref
from time import monotonic
from typing import Any

import anyio
import pytest

from diglot.adapters import Limits

pytestmark = pytest.mark.anyio

FOREVER = 3600


async def test_a_stop_sequence(responses_side: Any, chat: Any) -> None:
    """What the upstream says behind it is in vain: it hears so at once, not after some patience."""
    side, began = responses_side, monotonic()
    app = chat(*side.begin, side.say("Hello. And"), FOREVER)
    limits = Limits(after_finish=30, shutdown=0.1)
    got = await side.talk(app, {**side.stream, "stop": "."}, limits=limits).run()
    assert (side.text(got), side.ending(got)) == ("Hello", "completed")
    assert monotonic() - began < 2
    assert app.disconnected
    assert app.cancelled


async def test_an_end_without_the_end_of_the_connection(side: Any, chat: Any) -> None:
    """An upstream that only keeps its connection open gets its patience."""
    began = monotonic()
    app = chat(*side.hello, FOREVER)
    await side.talk(app, side.stream, limits=Limits(after_finish=0.4, shutdown=0.1)).run()
    assert 0.35 < monotonic() - began < 3


@pytest.mark.parametrize("ask", ["ask", "stream"])
async def test_nothing_stays(side: Any, chat: Any, ask: str) -> None:
    """What belongs to a request is gone with it, without the garbage collector: bodies may be large."""
    app, relays = chat(side.whole, kind="application/json"), list[weakref.ref[Any]]()

    async def waiting(scope: Any, receive: Any, send: Any) -> None:
        relays.append(weakref.ref(send.__self__))
        await anyio.sleep(0.01)
        await app(scope, receive, send)

    gc.disable()
    try:
        got = await side.talk(waiting, side.body[ask]).run()
        await anyio.sleep(0.01)
        assert (got.status, relays[0]()) == (200, None)
    finally:
        gc.enable()
