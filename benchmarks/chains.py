"""The run of an agent over a store: each turn continues the one before it by its id."""

from __future__ import annotations

import asyncio
import time
import zlib
from typing import Any

import msgspec

from benchmarks.inputs import agent_run
from benchmarks.middleware import Client, loop
from benchmarks.peers.bare_drivers import DRIVERS, Driver
from diglot.adapters import TranslationMiddleware
from diglot.adapters.store import Store, open_store

Item = dict[str, Any]


class Upstream:
    """The application behind: it sends `events`, or else `answer`, and notes what passes between tokens of a stream."""

    def __init__(self) -> None:
        self.answer = b""
        self.events: list[bytes] = []
        self.waits = True
        """Whether others get their turn before it answers, as in a network."""
        self.seconds = 0.0
        """Of process CPU time, between the first token and the last."""
        self.counted = 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await receive()
        if self.waits:
            await asyncio.sleep(0.0005)
        kind = b"text/event-stream" if self.events else b"application/json"
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", kind)]})
        if self.events:
            await self._stream(send)
        else:
            await send({"type": "http.response.body", "body": self.answer, "more_body": False})

    async def _stream(self, send: Any) -> None:
        head, tokens, tail = self.events[:10], self.events[10:-10], self.events[-10:]
        for event in head:
            await send({"type": "http.response.body", "body": event, "more_body": True})
        messages = [{"type": "http.response.body", "body": event, "more_body": True} for event in tokens]
        began = time.process_time()
        for message in messages:
            await send(message)
        self.seconds, self.counted = time.process_time() - began, len(messages)
        for event in tail:
            await send({"type": "http.response.body", "body": event, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})


class Chain:
    """An application over the store of a URL, and an agent's run through it."""

    def __init__(self, name: str, url: str) -> None:
        self.upstream = Upstream()
        self.store: Store = open_store(url)
        self.app = TranslationMiddleware(self.upstream, store=self.store, tenant="none")
        self.driver: Driver | None = DRIVERS[name](url) if name in DRIVERS else None
        self.turns = 0
        self.history: list[Item] = []
        """All items, as a client would send them."""
        self.answer: dict[str, Any] = {}
        """The last Response."""
        self.compressed = 0
        """The bytes of all items, those of each turn compressed by themselves."""
        self._last: str | None = None
        self._running = self.app.running()

    def open(self) -> None:
        loop.run_until_complete(self._running.__aenter__())
        if self.driver is not None:
            loop.run_until_complete(self.driver.open())

    def close(self) -> None:
        if self.driver is not None:
            loop.run_until_complete(self.driver.close())
        loop.run_until_complete(self._running.__aexit__(None, None, None))

    def request(self, *, store: bool) -> bytes:
        """The request of the next turn."""
        more = {"previous_response_id": self._last} if self._last else {}
        return agent_run.request(agent_run.own_input(self.turns), store=store, **more)

    def begin(self) -> None:
        """The next turn begins another chain."""
        self.turns, self._last, self.history = 0, None, []

    def take_turn(self) -> None:
        self.upstream.answer = agent_run.answer(self.turns)
        got = Client(self.app, "responses", self.request(store=True)).run()
        self.answer = msgspec.json.decode(b"".join(got))
        assert self.answer.get("store") is True, self.answer
        own = [*agent_run.own_input(self.turns), *self.answer["output"]]
        self.history += own
        self.compressed += len(zlib.compress(msgspec.json.encode(own)))
        self._last = self.answer["id"]
        self.turns += 1

    def size(self) -> int:
        """How many bytes the store takes."""
        if self.driver is not None:
            return loop.run_until_complete(self.driver.size())
        return sum(counts.record_bytes for counts in loop.run_until_complete(self.store.counts()))

    def grow(self, turns: int) -> dict[str, float]:
        """Take so many turns; return what they take, in bytes, and as a ratio. The store is in use already."""
        for _ in range(20):
            self.take_turn()
        self.begin()
        sizes, compressed = [self.size()], [self.compressed]
        for _ in range(2):
            for _ in range(turns // 2):
                self.take_turn()
            sizes.append(self.size())
            compressed.append(self.compressed)
        all_bytes = sizes[2] - sizes[0]
        first, second = ((sizes[n + 1] - sizes[n]) / (compressed[n + 1] - compressed[n]) for n in range(2))
        return {
            "bytes per turn": round(all_bytes / turns),
            "x items, compressed": round(all_bytes / (compressed[2] - compressed[0]), 3),
            "second half x first": round(second / first, 3),
        }
