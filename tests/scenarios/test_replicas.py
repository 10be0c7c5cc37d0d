"""Two replicas behind one server, of which one dies at any moment.

`DIGLOT_REPLICA_KILLS=20` kills as often.
"""

from __future__ import annotations

import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import anyio
import httpx2
import pytest
from openai import AsyncOpenAI

from processes import SCENARIOS, wait_for

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

KILLS = int(os.environ.get("DIGLOT_REPLICA_KILLS", "3"))
MORE_KILLS = 20
"""How many more there may be until one has hit a stream that had begun."""
FAILED = "slow failed after it had begun"
CLIENTS = 50
ASKED = "gpt-5-of-the-bundle"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


class Replica:
    """A process that can be killed and started again at the same port."""

    def __init__(self, folder: Path, name: str) -> None:
        self.port = free_port()
        self.log = folder / f"{name}.jsonl"
        self.log.touch()
        self._name = name
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = [sys.executable, "-B", SCENARIOS / "named_upstream.py", self.log, self._name, str(self.port)]
        self._process = subprocess.Popen(command)
        wait_for(self.port, self._process)

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    @property
    def words(self) -> list[str]:
        """What each request that arrived has said."""
        return [json.loads(line)[0] for line in self.log.read_text().splitlines()]


class World:
    """Two replicas and the server in front of them."""

    def __init__(self, folder: Path) -> None:
        self.replicas = [Replica(folder, name) for name in ("first", "second")]
        urls = json.dumps([f"http://127.0.0.1:{replica.port}" for replica in self.replicas])
        self.file = folder / "diglot.toml"
        self.file.write_text(
            f'[upstreams.pool]\nurl = {urls}\nprofile = "vllm"\nkey_env = "POOL_KEY"\n'
            '[models]\n"gpt-5*" = { upstream = "pool", model = "real-model" }\n"*" = { upstream = "pool" }\n'
            "[limits]\nretry_within = 1\n"
        )
        self.port = free_port()
        self.base = f"http://127.0.0.1:{self.port}/v1"

    def start(self) -> subprocess.Popen[bytes]:
        for replica in self.replicas:
            replica.start()
        command = [Path(sys.executable).with_name("diglot"), "serve", "--config", self.file, "--port", str(self.port)]
        environment = {name: value for name, value in os.environ.items() if not name.startswith("DIGLOT_")}
        environment["POOL_KEY"] = "k3y"
        options = ["--store", "memory", "--quiet", "--log-level", "error"]
        process = subprocess.Popen([*command, *options], env=environment)
        wait_for(self.port, process)
        return process

    def arrivals(self) -> Counter[str]:
        """How often each request arrived anywhere."""
        return Counter(word for replica in self.replicas for word in replica.words)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with ExitStack() as stack:
        made = World(tmp_path)
        for replica in made.replicas:
            stack.callback(replica.kill)
        process = made.start()
        stack.callback(process.wait, 20)
        stack.callback(process.send_signal, signal.SIGTERM)
        yield made


@pytest.fixture
async def http() -> AsyncIterator[httpx2.AsyncClient]:
    limits = httpx2.Limits(max_connections=None)
    async with httpx2.AsyncClient(timeout=30, limits=limits) as client:
        yield client


class Clients:
    """Many clients that ask and ask until they are stopped."""

    def __init__(self, http: httpx2.AsyncClient, base: str) -> None:
        self.outcomes: Counter[str] = Counter()
        self.bad: list[str] = []
        self._http, self._base = http, base
        self._chance = random.Random(7)
        self._number = 0
        self.stopped = False

    async def ask(self) -> None:
        while not self.stopped:
            self._number += 1
            kind = self._chance.choice(["whole", "stream", "slow", "passed"])
            outcome = await self._ask(kind, f"{kind} {self._number}")
            self.outcomes[f"{kind} {outcome}"] += 1

    async def _ask(self, kind: str, word: str) -> str:
        is_passed = kind == "passed"
        said: dict[str, Any] = {"messages": [{"role": "user", "content": word}]} if is_passed else {"input": word}
        body = {"model": ASKED, **said, "stream": kind != "whole"}
        path = "/chat/completions" if is_passed else "/responses"
        text, status, ended = "", 0, True
        try:
            async with self._http.stream("POST", self._base + path, json=body) as got:
                status = got.status_code
                async for piece in got.aiter_text():
                    text += piece
        except httpx2.TransportError:
            ended = False
        if status != 200:
            self.bad.append(f"{word}: {status} {text}")
            return "refused"
        return self._ending(word, text, ended, is_passed)

    def _ending(self, word: str, text: str, ended: bool, is_passed: bool) -> str:
        """How an answer ended; one that was begun may fail, but must say so (what is passed through is cut)."""
        is_whole = "data: [DONE]" in text if is_passed else '"status":"completed"' in text
        if is_whole and ended:
            return "completed"
        fails_well = not ended if is_passed else (ended and "event: response.failed" in text)
        if not fails_well or word not in text:
            self.bad.append(f"{word}: {text}")
        return "failed after it had begun"


async def test_one_is_killed_again_and_again(world: World, http: httpx2.AsyncClient) -> None:
    """No request fails that had not begun, and none arrives three times; streams that had begun end as failed."""
    clients, chance = Clients(http, world.base), random.Random(11)
    async with anyio.create_task_group() as group:
        for _ in range(CLIENTS):
            group.start_soon(clients.ask)
        for number in range(KILLS + MORE_KILLS):
            if number >= KILLS and clients.outcomes[FAILED]:
                break
            await anyio.sleep(chance.uniform(0.3, 1.2))
            replica = chance.choice(world.replicas)
            replica.kill()
            await anyio.sleep(chance.uniform(0.05, 0.5))
            await anyio.to_thread.run_sync(replica.start)  # in time for those who will lose the other one
        clients.stopped = True
    print(clients.outcomes, Counter(world.arrivals().values()))
    assert not clients.bad
    assert sum(clients.outcomes.values()) > 200
    assert clients.outcomes[FAILED] > 0
    assert set(world.arrivals().values()) <= {1, 2}
    assert all(replica.words for replica in world.replicas)


async def test_a_replica_that_is_busy_is_left(world: World, http: httpx2.AsyncClient) -> None:
    """Its `retry-after` is honoured: until then, it gets nothing."""
    first, second = world.replicas

    async def ask(word: str) -> int:
        got = await http.post(f"{world.base}/responses", json={"model": ASKED, "input": word})
        return got.status_code

    began = time.monotonic()
    for number in range(4):
        assert await ask(f"busy {number}") == 200
    while time.monotonic() < began + 1.5:
        assert await ask("meanwhile") == 200
    assert len([word for word in first.words if "busy" in word]) == 1
    assert "meanwhile" not in first.words
    await anyio.sleep(1.5)
    for _ in range(2):
        assert await ask("again") == 200
    assert "again" in first.words
    assert [word for word in second.words if "busy" in word] == [f"busy {number}" for number in range(4)]


async def test_a_slow_failure_is_not_repeated(world: World, http: httpx2.AsyncClient) -> None:
    """It goes out as it is, with its `retry-after`."""
    got = await http.post(f"{world.base}/responses", json={"model": ASKED, "input": "late"})
    assert (got.status_code, got.headers["retry-after"]) == (503, "7")
    assert world.arrivals() == {"late": 1}


async def test_the_official_client(world: World) -> None:
    """Every event carries the name that was asked for, which matches a pattern; it is listed."""
    async with AsyncOpenAI(base_url=world.base, api_key="mine", max_retries=0) as sdk:
        names: set[str] = set()
        async with await sdk.responses.create(model=ASKED, input="Hi", stream=True) as events:
            async for event in events:
                about = getattr(event, "response", None)
                names |= {about.model} if about is not None else set()
        said: Any = [{"role": "user", "content": "Hi"}]
        async with await sdk.chat.completions.create(model=ASKED, messages=said, stream=True) as chunks:
            names |= {chunk.model async for chunk in chunks}
        names.add((await sdk.chat.completions.create(model=ASKED, messages=said)).model)
        stored = await sdk.responses.create(model=ASKED, input="Hi")
        names |= {stored.model, (await sdk.responses.retrieve(stored.id)).model}
        continued = await sdk.responses.create(model=ASKED, input="More", previous_response_id=stored.id)
        assert names | {continued.model} == {ASKED}
        assert [model.id async for model in sdk.models.list()] == ["gpt-5", "listed"]
        assert (await sdk.models.retrieve(ASKED)).id == ASKED
    sent = {json.loads(line)[1] for replica in world.replicas for line in replica.log.read_text().splitlines()}
    assert sent == {"real-model"}
