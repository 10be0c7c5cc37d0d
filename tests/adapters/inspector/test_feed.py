"""What viewers are told, and that nobody waits for them."""

import json
import time
from collections.abc import Callable
from typing import Any

import anyio
import pytest

from diglot.adapters.inspector import feed as feed_module
from diglot.adapters.inspector.feed import Feed
from diglot.adapters.observe.ring import Ring

pytestmark = pytest.mark.anyio


class Viewer:
    """Listens to a feed."""

    def __init__(self, feed: Feed, after: int = 0) -> None:
        self.feed, self.after = feed, after
        self.sent: list[Any] = []
        self.stops_at: int | None = None
        self.error: Exception | None = None

    async def run(self) -> None:
        await self.feed.serve({}, self._receive, self._send, {"x-a": "b"}, self.after)

    async def _receive(self) -> Any:
        await anyio.sleep_forever()

    async def _send(self, message: Any) -> None:
        if self.error is not None:
            raise self.error
        self.sent.append(message)
        if len(self.sent) == self.stops_at:
            await anyio.sleep_forever()

    @property
    def messages(self) -> list[Any]:
        return [json.loads(m["body"][6:]) for m in self.sent if m.get("body")]

    @property
    def numbers(self) -> list[list[int]]:
        return [[exchange["number"] for exchange in message["exchanges"]] for message in self.messages]


class Clock:
    """The time, until a test says that it is over."""

    def __init__(self) -> None:
        self._added = 0

    def __call__(self) -> float:
        return time.monotonic() + self._added

    def end(self) -> None:
        """Let all feeds be over."""
        self._added += 100


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Feeds that last until the test ends them, on a slow machine, too."""
    made = Clock()
    monkeypatch.setattr(feed_module, "PAUSE", 0.02)
    monkeypatch.setattr(feed_module, "LIFETIME", 60)
    monkeypatch.setattr(feed_module, "monotonic", made)
    return made


async def until(condition: Callable[[], bool]) -> None:
    with anyio.fail_after(30):
        while not condition():  # noqa: ASYNC110
            await anyio.sleep(0.01)


def begin(ring: Ring, number: int = 1) -> None:
    for _ in range(number):
        ring.begin("POST", "/v1/responses", b"", [])


async def test_what_changes(clock: Clock) -> None:
    """A viewer gets what is there, then what changes: many changes are one message."""
    ring = Ring()
    begin(ring, 2)
    viewer = Viewer(Feed(ring))
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(viewer.run)
        await until(lambda: len(viewer.messages) == 1)
        begin(ring, 50)
        await until(lambda: len(viewer.messages) == 2)
        ring.clear()
        await until(lambda: len(viewer.messages) == 3)
        clock.end()
    assert viewer.numbers == [[1, 2], list(range(3, 53)), []]
    assert [message["oldest"] for message in viewer.messages] == [1, 1, 53]
    assert viewer.sent[0]["status"] == 200
    assert (b"content-type", b"text/event-stream; charset=utf-8") in viewer.sent[0]["headers"]
    assert viewer.sent[-1]["more_body"] is False


async def test_it_goes_on_where_it_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    """The next feed begins behind the last revision, and says so even if nothing is new."""
    monkeypatch.setattr(feed_module, "LIFETIME", 1)
    ring = Ring()
    begin(ring, 2)
    first = Viewer(Feed(ring))
    await first.run()
    second = Viewer(Feed(ring), first.messages[-1]["revision"])
    await second.run()
    assert second.numbers == [[]]


async def test_a_running_exchange_is_followed(clock: Clock) -> None:
    """What comes for it is noticed without its help, once for all viewers."""
    ring = Ring()
    exchange = ring.begin("POST", "/v1/responses", b"", [])
    feed = Feed(ring)
    viewers = [Viewer(feed) for _ in range(3)]
    async with anyio.create_task_group() as tasks:
        for viewer in viewers:
            tasks.start_soon(viewer.run)
        await until(lambda: all(viewer.messages for viewer in viewers))
        exchange.client.answer.take(b"x")
        await until(lambda: all(len(viewer.messages) == 2 for viewer in viewers))
        clock.end()
    assert [viewer.numbers for viewer in viewers] == [[[1], [1]]] * 3
    assert viewers[0].messages[-1]["exchanges"][0]["sizes"] == [0, 1]


@pytest.mark.parametrize("stops_at", [1, 2])
async def test_a_viewer_that_does_not_read(stops_at: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """It holds nothing up, keeps no queue, and is given up in the end."""
    monkeypatch.setattr(feed_module, "LIFETIME", 1)
    ring = Ring()
    feed = Feed(ring)
    dead, live = Viewer(feed), Viewer(feed)
    dead.stops_at = stops_at
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(dead.run)
        tasks.start_soon(live.run)
        await until(lambda: feed.viewers == 2)
        began = time.perf_counter()
        begin(ring, 5000)
        assert time.perf_counter() - began < 2
    assert live.numbers[-1] == list(range(4901, 5001))
    assert (len(dead.sent), feed.viewers) == (stops_at, 0)


async def test_a_viewer_that_left() -> None:
    """Nobody is told."""
    viewer = Viewer(Feed(Ring()))
    viewer.error = OSError("gone")
    await viewer.run()
    assert viewer.feed.viewers == 0


async def test_a_hundred_tabs(clock: Clock) -> None:
    """All of them are told, and a tick of all of them costs little."""
    ring = Ring()
    feed = Feed(ring)
    viewers = [Viewer(feed) for _ in range(100)]
    async with anyio.create_task_group() as tasks:
        for viewer in viewers:
            tasks.start_soon(viewer.run)
        await until(lambda: all(viewer.messages for viewer in viewers))
        begin(ring, 100)
        await until(lambda: all(len(viewer.messages) == 2 for viewer in viewers))
        clock.end()
    for viewer in viewers:
        assert [number for message in viewer.numbers for number in message] == list(range(1, 101))
