"""The life of real server processes: draining, reloading, and ending at once, under load and with several workers."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest

from diglot.adapters.server import keys
from diglot.adapters.server.app import free_port

from processes import SCENARIOS, wait_for

pytestmark = [pytest.mark.anyio, pytest.mark.parametrize("anyio_backend", ["asyncio"])]
STREAMS = int(os.environ.get("DIGLOT_TEST_STREAMS", "100"))
ENDLESS = "600"
several = pytest.mark.parametrize("workers", [1, 2])


@contextmanager
def running(*command: str | Path, **how: Any) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """A server whose command ends with its port, and its URL."""
    port = free_port("127.0.0.1")
    process = subprocess.Popen[bytes]([*command, str(port)], **how)
    try:
        wait_for(port, process)
        yield process, f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()


@pytest.fixture(scope="module")
def upstream() -> Iterator[str]:
    with running(sys.executable, "-B", SCENARIOS / "stream_upstream.py") as (_, url):
        yield url


class Server:
    """`diglot serve` with a file of settings."""

    def __init__(self, folder: Path, upstream: str, workers: int, **settings: object) -> None:
        self.folder = folder
        self.file = folder / "diglot.toml"
        self._settings: dict[str, Any] = {"upstream": upstream, "workers": workers, **settings}
        self.write()
        self.process: Any = None
        self.url = ""

    def write(self, **settings: object) -> None:
        values = {**self._settings, **settings}
        self.file.write_text("".join(f"{name} = {json.dumps(value)}\n" for name, value in values.items()))

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Server"]:
        """Run it; all workers have started."""
        command = [sys.executable, "-m", "diglot", "serve", "--config", self.file, "--store", "none"]
        with (self.folder / "log").open("wb") as log:
            options: dict[str, Any] = {"stderr": log, "cwd": self.folder}
            with running(*command, "--log-level", "info", "--port", **options) as (self.process, self.url):
                await self.logged("Application startup complete", self._settings["workers"])
                yield self

    def log(self) -> str:
        return (self.folder / "log").read_text()

    async def logged(self, words: str, times: int = 1) -> None:
        with anyio.fail_after(20):
            while self.log().count(words) < times:  # noqa: ASYNC110
                await anyio.sleep(0.02)

    async def ended(self) -> int:
        with anyio.fail_after(30):
            while self.process.poll() is None:  # noqa: ASYNC110
                await anyio.sleep(0.02)
        return self.process.returncode


class Load:
    """Streams of a client, and how each of them ended."""

    def __init__(self, url: str, key: str = "none") -> None:
        headers = {"authorization": f"Bearer {key}"}
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=0)
        self.http = httpx.AsyncClient(base_url=url, headers=headers, limits=limits, timeout=60, trust_env=False)
        self.begun = 0
        self.ends: list[str] = []

    async def respond(self, seconds: str) -> None:
        await self._stream("/v1/responses", {"model": seconds, "input": "hi"})

    async def chat(self, seconds: str) -> None:
        await self._stream("/v1/chat/completions", {"model": seconds, "messages": [{"role": "user", "content": "hi"}]})

    async def _stream(self, path: str, body: dict[str, Any]) -> None:
        text = ""
        try:
            async with self.http.stream("POST", path, json={**body, "stream": True}) as answer:
                async for piece in answer.aiter_text():
                    self.begun += not text
                    text += piece
                last = text.rstrip().rpartition("data: ")[2] if answer.status_code == 200 else str(answer.status_code)
            self.ends.append(_kind(last))
        except httpx.HTTPError as error:
            self.ends.append(f"{type(error).__name__} after {len(text)}")

    async def all_begun(self, count: int) -> None:
        with anyio.fail_after(30):
            while self.begun < count:  # noqa: ASYNC110
                await anyio.sleep(0.02)

    async def status(self, path: str) -> int:
        try:
            return (await self.http.get(path)).status_code
        except httpx.ConnectError:
            return 0


def _kind(last: str) -> str:
    """The type of the last event, or `error` for an error chunk."""
    if not last.startswith("{"):
        return last
    value = json.loads(last)
    return value.get("type") or ("error" if "error" in value else "chunk")


@several
async def test_drain(upstream: str, tmp_path: Path, workers: int) -> None:
    """SIGTERM under many streams: all end by themselves, new requests succeed for a while, then nobody listens."""
    async with Server(tmp_path, upstream, workers, drain_delay=1.5, graceful=20).running() as server:
        load = Load(server.url)
        assert await load.status("/readyz") == 200
        async with anyio.create_task_group() as tasks:
            for _ in range(STREAMS):
                tasks.start_soon(load.respond, "4")
            await load.all_begun(STREAMS)
            server.process.send_signal(signal.SIGTERM)
            await server.logged("Draining: /readyz answers 503", workers)
            assert await load.status("/readyz") == 503
            assert await load.status("/healthz") == 200
            fresh = Load(server.url)
            await fresh.respond("0.1")
            assert fresh.ends == ["response.completed"]
            await server.logged("Stopping: no new requests", workers)
            await anyio.sleep(0.5)
            assert await load.status("/healthz") == 0
        assert load.ends == ["response.completed"] * STREAMS
        await server.ended()
        assert "Traceback" not in server.log()


@several
async def test_what_does_not_end(upstream: str, tmp_path: Path, workers: int) -> None:
    """When the time is over, translated streams end as failed, and others with an error: none is just cut."""
    async with Server(tmp_path, upstream, workers, drain_delay=0, graceful=1).running() as server:
        load = Load(server.url)
        began = time.monotonic()
        async with anyio.create_task_group() as tasks:
            for stream in [load.respond, load.chat] * 10:
                tasks.start_soon(stream, ENDLESS)
            await load.all_begun(20)
            server.process.send_signal(signal.SIGTERM)
        assert sorted(load.ends) == ["error"] * 10 + ["response.failed"] * 10
        await server.ended()
        assert time.monotonic() - began < 20
        assert "Traceback" not in server.log()
        assert server.log().count('"outcome":"failed"') == 10


@several
@pytest.mark.parametrize("second", [signal.SIGTERM, signal.SIGINT])
async def test_second_signal(upstream: str, tmp_path: Path, workers: int, second: signal.Signals) -> None:
    """It ends at once, however long there would have been; streams are told as far as possible."""
    async with Server(tmp_path, upstream, workers, drain_delay=60, graceful=60).running() as server:
        load = Load(server.url)
        began = time.monotonic()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(load.respond, ENDLESS)
            await load.all_begun(1)
            server.process.send_signal(signal.SIGTERM)
            await server.logged("Draining", workers)
            server.process.send_signal(second)
        assert load.ends == ["response.failed"]
        await server.ended()
        assert time.monotonic() - began < 20
        assert "Ending at once" in server.log()


@several
async def test_reload(upstream: str, tmp_path: Path, workers: int) -> None:
    """SIGHUP under load: nothing is lost, new keys are known to all workers, and a wrong file changes nothing."""
    file = tmp_path / "keys"
    first = keys.new(file, "alice")
    server = Server(tmp_path, upstream, workers, api_keys=str(file), allow_host=["llm.example"])
    async with server.running():
        load, total = Load(server.url, first), 1
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(load.respond, "5")
            await load.all_begun(1)
            for number, profile in enumerate(("vllm", "llama.cpp", "vllm"), 1):
                for _ in range(20):
                    tasks.start_soon(load.respond, "0.5")
                server.write(profile=profile, workers=workers + 1)
                server.process.send_signal(signal.SIGHUP)
                await server.logged("Reload: changed: profile", workers * number)
                total += 20
        assert load.ends == ["response.completed"] * total
        assert "Reload: changed, but needs a restart: workers" in server.log()

        second = keys.new(file, "bob")
        server.process.send_signal(signal.SIGHUP)
        await server.logged("keys: 2", workers)
        statuses = [await Load(server.url, second).status("/v1/models") for _ in range(8)]
        assert statuses == [200] * 8
        server.write(profil="vllm")
        keys.remove(file, "alice")
        server.process.send_signal(signal.SIGHUP)
        await server.logged("Reload: refused, nothing has changed: ")
        assert [await Load(server.url, first).status("/v1/models") for _ in range(8)] == [200] * 8
        server.write()
        server.process.send_signal(signal.SIGHUP)
        await server.logged("keys: 1", 4 * workers)
        assert [await Load(server.url, first).status("/v1/models") for _ in range(8)] == [401] * 8
        named = [await load.http.get("/readyz", headers={"host": name}) for name in ("llm.example", "evil.example")]
        assert [got.status_code for got in named] == [200, 403]
        assert first not in server.log()
        assert second not in server.log()


async def test_without_an_upstream(tmp_path: Path) -> None:
    """The process lives, but should get no requests."""
    async with Server(tmp_path, "http://127.0.0.1:1", 1).running() as server:
        load = Load(server.url)
        assert (await load.status("/healthz"), await load.status("/readyz")) == (200, 503)
