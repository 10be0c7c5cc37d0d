"""Servers that are killed, and clients that remember what they were told, for tests of what stays."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

import anyio
import httpx2

import store_servers
from processes import SCENARIOS, wait_for
from store_servers import free_port

KINDS = ["sqlite", "postgres", "redis"]
LEASE = float(os.environ.get("DIGLOT_LEASE", "4"))
"""Seconds after which a lock of a process that died is free: 30 is what users have."""
KEY = "sk-none-of-this-is-written"
Body = dict[str, Any]


@contextmanager
def store_in(kind: str, folder: Path) -> Iterator[str]:
    """The URL of a new store."""
    if kind == "sqlite":
        yield f"sqlite:///{folder / 'store.db'}"
    elif kind == "postgres":
        with store_servers.postgres() as url:
            yield url
    else:
        with store_servers.redis("--appendonly", "yes") as url:
            yield url


@contextmanager
def echo_upstream() -> Iterator[str]:
    """The URL of the upstream that says what it heard."""
    port = free_port()
    with subprocess.Popen([sys.executable, "-B", SCENARIOS / "echo_upstream.py", str(port)]) as process:
        try:
            wait_for(port, process)
            yield f"http://127.0.0.1:{port}/v1"
        finally:
            process.kill()


class Server:
    """`diglot serve` in a process of its own, always on the same port."""

    def __init__(self, store: str, upstream: str, folder: Path, *options: str) -> None:
        self.port: int = free_port()
        self.base: str = f"http://127.0.0.1:{self.port}/v1"
        self.log: Path = folder / f"log-{self.port}"
        script = str(SCENARIOS / "serve_with_lease.py")
        self._command = [sys.executable, "-B", script, str(LEASE), "serve", "--store", store]
        self._command += ["--upstream", upstream, "--port", str(self.port), *options]
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(self._command, stdout=log, stderr=log, env=without_settings())
        wait_for(self.port, self._process)

    def kill(self) -> None:
        """As the kernel does when memory is short: `kill -9`."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def end(self) -> None:
        """As an operator does."""
        assert self._process is not None
        self._process.terminate()
        self._process.wait(20)


def without_settings() -> dict[str, str]:
    """The environment without the variables of tests, which are no settings of a server."""
    return {name: value for name, value in os.environ.items() if not name.startswith("DIGLOT_")}


@contextmanager
def server(store: str, upstream: str, folder: Path, *options: str) -> Iterator[Server]:
    started = Server(store, upstream, folder, *options)
    started.start()
    try:
        yield started
    finally:
        started.kill()


class Turn(NamedTuple):
    """A request, and all that the user has said up to it."""

    body: Body
    words: list[str]


class Told(NamedTuple):
    """An answer that a client got to its end."""

    answer: Body
    words: list[str]
    """What the user had said."""

    @property
    def ident(self) -> str:
        return self.answer["id"]

    @property
    def is_stored(self) -> bool:
        return self.answer["status"] == "completed" and self.answer["store"] is True


_words = count()


def turn(parent: Told | None = None, **more: Any) -> Turn:
    """A request that says a word that no other one says."""
    word = f"w{next(_words)}"
    body = {"model": "quick", "input": word, "metadata": {"word": word}, **more}
    if parent is not None:
        body["previous_response_id"] = parent.ident
    return Turn(body, [*(parent.words if parent else []), word])


def text_of(answer: Body) -> str:
    """The text of a response with one message."""
    (message,) = answer["output"]
    (part,) = message["content"]
    return part["text"]


class Caller:
    """A client with a credential."""

    def __init__(self, http: httpx2.AsyncClient, base: str, credential: str = KEY) -> None:
        self.http: httpx2.AsyncClient = http
        self.base: str = base
        self.begun: dict[str, list[str]] = {}
        """What the user had said before the answers of which a client knows the id, but perhaps not the end."""
        self._headers = {"authorization": f"Bearer {credential}"}

    async def send(self, method: str, path: str, body: Any = None, base: str = "") -> httpx2.Response:
        return await self.http.request(method, (base or self.base) + path, json=body, headers=self._headers)

    async def tell(self, asked: Turn, base: str = "") -> Told | httpx2.Response:
        """Send a request; return the answer with its end, or the refusal. Raises httpx2.HTTPError if it is cut."""
        if asked.body.get("stream"):
            return await self._streamed(asked, base or self.base)
        got = await self.send("POST", "/responses", asked.body, base)
        return Told(got.json(), asked.words) if got.status_code == 200 else got

    async def _streamed(self, asked: Turn, base: str) -> Told | httpx2.Response:
        url = f"{base}/responses"
        async with self.http.stream("POST", url, json=asked.body, headers=self._headers) as got:
            if got.status_code != 200:
                await got.aread()
                return got
            async for line in got.aiter_lines():
                event: Body = json.loads(line[6:]) if line.startswith("data: {") else {"type": ""}
                if event["type"] == "response.created":
                    self.begun[event["response"]["id"]] = asked.words
                elif event["type"] in ("response.completed", "response.failed", "response.incomplete"):
                    return Told(event["response"], asked.words)
        raise httpx2.ReadError("the stream has no end")

    async def stored(self, asked: Turn, base: str = "") -> Told:
        """Send a request that is answered and stored."""
        told = await self.tell(asked, base)
        assert isinstance(told, Told), told.text
        assert told.is_stored, told.answer
        assert text_of(told.answer) == " ".join(["heard", *told.words])
        return told

    async def until_told(self, asked: Turn) -> Told:
        """Send a request again and again, until it is answered."""
        while True:
            got = await self.tell(asked)
            if isinstance(got, Told):
                return got
            await anyio.sleep(0.1)

    async def expect_there(self, told: Told) -> None:
        """It is there, as it was told, and can be continued with all its history."""
        got = await self.send("GET", f"/responses/{told.ident}")
        assert got.status_code == 200, f"{told.ident} is lost: {got.text}"
        assert got.json() == told.answer
        follow = await self.tell(turn(told, store=False))
        assert isinstance(follow, Told), follow.text
        assert text_of(follow.answer) == " ".join(["heard", *follow.words])
