"""The bounds."""

from time import monotonic
from typing import Any

import anyio
import msgspec
import pytest

from diglot.adapters import Limits, Record, ResponsesMiddleware

ASK = {"model": "m", "input": "hi"}
STREAM = {**ASK, "stream": True}
FOREVER = 3600


@pytest.mark.parametrize("wrong", [{"idle": 0}, {"max_body": -1}, {"idle": "x"}, {"nonsense": 1}])
def test_wrong_limits(wrong: dict[str, object]) -> None:
    """A bound that is none is refused when it is read."""
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(wrong, Limits)


@pytest.mark.parametrize("ask", [ASK, STREAM])
@pytest.mark.anyio
async def test_client_that_stops_reading(talk: Any, chat: Any, hello: list[bytes], completion: bytes, ask: Any) -> None:
    """A client that reads no more holds the upstream only for so long."""
    body = [completion] if ask is ASK else hello
    kind = "application/json" if ask is ASK else "text/event-stream"
    records = list[Record]()
    app = chat(*body, kind=kind)
    one = talk(ResponsesMiddleware(app, limits=Limits(stalled=0.2, keepalive=0.1), on_exchange=records.append), ask)

    async def stop(message: Any) -> None:
        await anyio.sleep(FOREVER)

    one.hold = stop
    await one.run()
    assert app.cancelled
    assert records[0].outcome == "disconnected"


@pytest.mark.anyio
async def test_client_that_stops_reading_keep_alives(talk: Any, chat: Any) -> None:
    """The same when it is the watch that writes."""
    app = chat(FOREVER)
    one = talk(ResponsesMiddleware(app, limits=Limits(stalled=0.2, keepalive=0.1)), STREAM)

    async def stop(message: Any) -> None:
        await anyio.sleep(FOREVER)

    one.hold = stop
    await one.run()
    assert app.cancelled


@pytest.mark.parametrize(("ask", "noise"), [(STREAM, b": PROCESSING\n\n"), (ASK, b"\n"), (STREAM, b"\n")])
@pytest.mark.anyio
async def test_comments_are_no_answer(talk: Any, chat: Any, ask: Any, noise: bytes) -> None:
    """Comments say that the upstream lives, but not for ever."""
    limits = Limits(idle=0.3, first_byte=0.3, silent=0.8, shutdown=0.1)
    app = chat(*([noise, 0.05] * 100), kind="text/event-stream" if ask is STREAM else "application/json")
    began = monotonic()
    got = await talk(ResponsesMiddleware(app, limits=limits), ask).run()
    assert 0.7 < monotonic() - began < 3
    assert (got.status, got.error["code"]) == (504, "upstream_timeout")


@pytest.mark.anyio
async def test_idle_in_a_whole_answer(talk: Any, chat: Any) -> None:
    """An answer that stops in the middle is given up after the idle time, not after that for a first byte."""
    began = monotonic()
    limits = Limits(idle=0.2, shutdown=0.1)
    got = await talk(ResponsesMiddleware(chat(b'{"a":', FOREVER, kind="application/json"), limits=limits), ASK).run()
    assert got.status == 504
    assert monotonic() - began < 3
