"""What signals do to a process. Real ones are in tests/scenarios; here uvicorn's part is a note of what it was told."""

import asyncio
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from diglot.adapters.server import lifecycle
from diglot.adapters.server.lifecycle import Life, Signals, delay_of

pytestmark = [pytest.mark.anyio, pytest.mark.parametrize("anyio_backend", ["asyncio"])]
DELAY = 0.05


@pytest.fixture
def told() -> Iterator[list[int]]:
    """What uvicorn was told; all handlers are put back afterwards."""
    numbers = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT)
    before = {number: signal.getsignal(number) for number in numbers}
    seen: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda number, frame: seen.append(number))
    yield seen
    for number, handler in before.items():
        signal.signal(number, handler)


class Server:
    """As much of uvicorn's server as is needed."""

    def __init__(self, told: list[int]) -> None:
        self.told = told
        self.server_state = self
        self.tasks: set[Any] = set()

    def handle_exit(self, number: int, frame: Any) -> None:
        self.told.append(number)


class World:
    """A process with its signals."""

    def __init__(self, delay: float = DELAY, worker: bool = False) -> None:
        self.life = Life()
        self.reloads = 0
        self.signals = Signals(self.life, lambda: delay, 10, self.reload, worker=worker)

    async def reload(self) -> None:
        self.reloads += 1

    async def run(self, inside: Callable[[], Any]) -> None:
        async def lifespan(*_: object) -> None:
            await inside()

        await self.signals.around(lifespan)({"type": "lifespan"}, None, None)  # pyright: ignore[reportArgumentType]


async def settle() -> None:
    for _ in range(3):
        await anyio.lowlevel.checkpoint()


async def test_drain(told: list[int], caplog: pytest.LogCaptureFixture) -> None:
    """SIGTERM: it drains at once, goes on to listen for a while, and then stops."""
    caplog.set_level("INFO")
    world = World()
    world.life.active = 3

    async def inside() -> None:
        signal.raise_signal(signal.SIGTERM)
        await settle()
        assert (world.life.draining, told) == (True, [])
        await anyio.sleep(2 * DELAY)
        assert told == [signal.SIGTERM]

    await world.run(inside)
    assert [record.getMessage() for record in caplog.records] == [
        "Draining: /readyz answers 503, new requests are served for 0.05 more seconds; running: 3",
        "Stopping: no new requests; running: 3, which have 10 seconds to end",
    ]


async def test_progress(told: list[int], caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    """Now and then it is said how many still run."""
    caplog.set_level("INFO")
    monkeypatch.setattr(lifecycle, "PROGRESS", 0.01)
    world = World(0)
    world.life.active = 2

    async def inside() -> None:
        signal.raise_signal(signal.SIGTERM)
        await anyio.sleep(0.05)

    await world.run(inside)
    assert "Stopping: still running: 2" in caplog.messages


@pytest.mark.parametrize("worker", [False, True])
async def test_ctrl_c(told: list[int], worker: bool) -> None:
    """There is no delay, and it ends one that began."""
    world = World(60, worker)

    async def inside() -> None:
        if worker:
            signal.raise_signal(signal.SIGTERM)
            await settle()
        signal.raise_signal(signal.SIGINT)
        await settle()
        assert (world.life.draining, told) == (True, [signal.SIGINT])

    await world.run(inside)


@pytest.mark.parametrize("second", [signal.SIGTERM, signal.SIGINT, signal.SIGQUIT])
async def test_second_signal(told: list[int], second: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """It ends at once: exchanges are cancelled, and uvicorn is told to stop, and a moment later by another Ctrl-C."""
    monkeypatch.setattr(lifecycle, "_LAST_WORDS", 0.01)
    world = World(60)
    server = Server(told)
    signal.signal(signal.SIGTERM, server.handle_exit)

    async def inside() -> None:
        task = asyncio.get_running_loop().create_task(anyio.sleep_forever())
        server.server_state.tasks.add(task)
        for number in (signal.SIGTERM, second):
            signal.raise_signal(number)
            await settle()
        assert told == [signal.SIGTERM]
        await anyio.sleep(0.03)
        assert task.cancelled()
        assert told == [signal.SIGTERM, signal.SIGINT]

    await world.run(inside)


async def test_workers_are_told_twice(told: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    """By their parent and by systemd or a terminal: only SIGQUIT ends them at once."""
    monkeypatch.setattr(lifecycle, "_LAST_WORDS", 0.01)
    world = World(0, worker=True)

    async def inside() -> None:
        for number in (signal.SIGTERM, signal.SIGTERM, signal.SIGINT):
            signal.raise_signal(number)
            await settle()
        assert told == [signal.SIGTERM]
        signal.raise_signal(signal.SIGQUIT)
        await anyio.sleep(0.03)
        assert told == [signal.SIGTERM, signal.SIGINT]

    await world.run(inside)


async def test_the_parent_is_gone(told: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker whose parent was killed drains and stops; as long as the parent is there, nothing happens."""
    reading, writing = os.pipe()
    monkeypatch.setattr(multiprocessing, "parent_process", lambda: SimpleNamespace(sentinel=reading))
    world = World(worker=True)

    async def inside() -> None:
        await settle()
        assert not world.life.draining
        os.close(writing)
        with anyio.fail_after(2):
            while not told:  # noqa: ASYNC110
                await anyio.sleep(0.01)
        assert (told, world.life.draining) == ([signal.SIGTERM], True)

    await world.run(inside)
    os.close(reading)


async def test_reload(told: list[int]) -> None:
    """SIGHUP reads the settings again."""
    world = World()

    async def inside() -> None:
        signal.raise_signal(signal.SIGHUP)
        await settle()
        assert world.reloads == 1

    await world.run(inside)
    signal.raise_signal(signal.SIGHUP)  # a late one kills nobody
    assert (world.reloads, world.life.draining) == (1, False)


async def test_reload_while_it_starts(told: list[int]) -> None:
    """A SIGHUP that comes before the handlers waits for them, instead of killing the process."""
    world = World()

    async def inside() -> None:
        await settle()
        assert world.reloads == 1

    with lifecycle.reloads_held():
        signal.raise_signal(signal.SIGHUP)
        await world.run(inside)
    assert signal.SIGHUP not in signal.pthread_sigmask(signal.SIG_BLOCK, [])


async def test_systems_without_sighup(told: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    """There is nothing that could wait."""
    monkeypatch.setattr(lifecycle, "_RELOAD", None)
    world = World()

    async def inside() -> None:
        assert world.reloads == 0

    with lifecycle.reloads_held():
        assert signal.SIGHUP not in signal.pthread_sigmask(signal.SIG_BLOCK, [])
        await world.run(inside)


async def test_without_a_server(told: list[int]) -> None:
    """In another thread, or where nobody handles SIGTERM, signals are left alone."""
    world = World()
    handler = signal.signal(signal.SIGTERM, signal.SIG_DFL)
    world.signals.install()
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
    signal.signal(signal.SIGTERM, handler)
    thread = threading.Thread(target=world.signals.install)
    thread.start()
    thread.join()
    assert signal.getsignal(signal.SIGTERM) is handler
    world.signals.restore()


async def test_connections_while_it_drains(talk: Any) -> None:
    """Exchanges are counted; those that begin while it drains are the last ones of their connections."""
    life, seen = Life(), [0]

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.append(life.active)
        if scope["type"] == "http":
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b""})

    counted = Signals(life, float, 1, World().reload).around(life.counted(app))
    assert "connection" not in (await talk(counted).run()).headers
    life.draining = True
    ask = talk(counted)
    ask.scope["http_version"] = "1.1"
    assert (await ask.run()).headers["connection"] == "close"
    await life.counted(app)({"type": "lifespan"}, None, None)  # pyright: ignore[reportArgumentType]
    assert (seen, life.active) == ([0, 1, 1, 0], 0)


@pytest.mark.parametrize(
    ("setting", "host", "seconds"),
    [(None, "127.0.0.1", 0), (None, "0.0.0.0", 5), (None, "localhost", 0), (2.0, "127.0.0.1", 2), (0.0, "::", 0)],
)
async def test_delays(setting: float | None, host: str, seconds: float) -> None:
    """No load balancer asks a server that only this machine reaches, unless the settings know better."""
    assert delay_of(setting, host) == seconds
