"""The watch over one call; what it does over time is in test_call.py and test_limits.py."""

from time import monotonic
from typing import Any

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
