"""The bounds."""

from time import monotonic
from typing import Any

import anyio
import msgspec
import pytest

from diglot.adapters import Limits, Record

FOREVER = 3600


@pytest.mark.parametrize("wrong", [{"idle": 0}, {"max_body": -1}, {"idle": "x"}, {"nonsense": 1}])
def test_wrong_limits(wrong: dict[str, object]) -> None:
    """A bound that is none is refused when it is read."""
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(wrong, Limits)


@pytest.mark.parametrize("ask", ["ask", "stream"])
@pytest.mark.anyio
async def test_client_that_stops_reading(side: Any, chat: Any, ask: str) -> None:
    """A client that reads no more holds the upstream only for so long."""
    records = list[Record]()
    app = chat(side.whole, kind="application/json") if ask == "ask" else chat(*side.hello)
    limits = Limits(stalled=0.2, keepalive=0.1)
    one = side.talk(app, side.body[ask], limits=limits, on_exchange=records.append)

    async def stop(message: Any) -> None:
        await anyio.sleep(FOREVER)

    one.hold = stop
    await one.run()
    assert app.cancelled
    assert records[0].outcome == "disconnected"


@pytest.mark.anyio
async def test_client_that_stops_reading_keep_alives(side: Any, chat: Any) -> None:
    """The same when it is the watch that writes."""
    app = chat(FOREVER)
    one = side.talk(app, side.stream, limits=Limits(stalled=0.2, keepalive=0.1))

    async def stop(message: Any) -> None:
        await anyio.sleep(FOREVER)

    one.hold = stop
    await one.run()
    assert app.cancelled


@pytest.mark.parametrize(("ask", "noise"), [("stream", b": PROCESSING\n\n"), ("ask", b"\n"), ("stream", b"\n")])
@pytest.mark.anyio
async def test_comments_are_no_answer(side: Any, chat: Any, ask: str, noise: bytes) -> None:
    """Comments say that the upstream lives, but not for ever."""
    limits = Limits(idle=0.3, first_byte=0.3, silent=0.8, shutdown=0.1)
    app = chat(*([noise, 0.05] * 100), kind="text/event-stream" if ask == "stream" else "application/json")
    began = monotonic()
    got = await side.talk(app, side.body[ask], limits=limits).run()
    assert 0.7 < monotonic() - began < 3
    assert (got.status, got.error["code"]) == (504, "upstream_timeout")


@pytest.mark.anyio
async def test_idle_in_a_whole_answer(side: Any, chat: Any) -> None:
    """An answer that stops in the middle is given up after the idle time, not after that for a first byte."""
    began = monotonic()
    app = chat(b'{"a":', FOREVER, kind="application/json")
    got = await side.talk(app, side.ask, limits=Limits(idle=0.2, shutdown=0.1)).run()
    assert got.status == 504
    assert monotonic() - began < 3
