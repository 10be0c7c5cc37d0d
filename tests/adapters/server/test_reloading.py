"""Settings that are read again while requests are served."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import msgspec
import pytest

from diglot.adapters.server import keys, reloading
from diglot.adapters.server.app import application
from diglot.adapters.server.config import Settings, load
from diglot.adapters.server.reloading import ReloadableApp, Source, reloaded, source_of
from diglot.adapters.server.shared_store import shared
from diglot.adapters.store import open_store

pytestmark = [pytest.mark.anyio, pytest.mark.parametrize("anyio_backend", ["asyncio"])]
ASK = {"path": "/healthz", "method": "GET"}


class World:
    """A file with settings, and a process that serves them."""

    def __init__(self, folder: Path, text: str) -> None:
        self.file = folder / "diglot.toml"
        self.file.write_text(text)
        self.source = source_of({}, self.file, load({}, {}, self.file))
        self.built: list[Settings] = []
        self.swapped: list[Settings] = []
        self.app = ReloadableApp(self.source.loaded, self.build, self.swapped.append)

    def build(self, settings: Settings, keys: Any) -> Any:
        self.built.append(settings)
        return application(settings, keys=keys)

    async def reload(self, text: str | None = None) -> bool:
        if text is not None:
            self.file.write_text(text)
        return await self.app.reload(self.source)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[list[Any]]:
        """The messages of its lifespan."""
        told, asked = anyio.create_memory_object_stream[Any](2)
        sent: list[Any] = []

        async def send(message: Any) -> None:
            sent.append(message)

        async with anyio.create_task_group() as tasks, told, asked:
            tasks.start_soon(self.app, {"type": "lifespan"}, asked.receive, send)
            await told.send({"type": "lifespan.startup"})
            while not sent:  # noqa: ASYNC110
                await anyio.sleep(0.001)
            yield sent
            await told.send({"type": "lifespan.shutdown"})
            while len(sent) < 2 and "failed" not in sent[0]["type"]:  # noqa: ASYNC110
                await anyio.sleep(0.001)


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    for name in ("DIGLOT_CONFIG", "DIGLOT_UPSTREAM"):
        monkeypatch.delenv(name, raising=False)
    return World(tmp_path, "demo = true\n")


async def health(talk: Any, world: World, **headers: str) -> Any:
    return (await talk(world.app, **ASK, headers={"host": "localhost", **headers}).run()).json


async def test_nothing_changes(tmp_path: Path) -> None:
    """What the command line does not have is not taken for empty, although the source travels as JSON."""
    file = tmp_path / "diglot.toml"
    lines = ['upstream = "http://127.0.0.1:9"', 'allow_host = ["llm.example"]', 'model_map = ["a=b"]']
    file.write_text("\n".join([*lines, 'paths = ["/v2"]', "[set]", "refusals = true"]))
    absent: dict[str, Any] = dict.fromkeys(("allow_host", "allow_origin", "model_map", "paths"), ())
    absent |= {"set": {}, "limits": {}}
    variables = {"DIGLOT_ALLOW_ORIGIN": "https://app.example"}
    settings = load(absent, variables, file)
    source = msgspec.json.decode(msgspec.json.encode(source_of(absent, file, settings)), type=Source)
    assert load(source.flags, variables, file) == settings
    assert settings.allow_host == ("llm.example",)


async def test_swap(talk: Any, world: World, caplog: pytest.LogCaptureFixture) -> None:
    """The new settings are served, and all know of it; the lifespan goes on until the server's ends."""
    caplog.set_level(logging.INFO)
    async with world.running() as sent:
        assert (await health(talk, world))["profile"] == "default"
        assert await world.reload()
        assert len(world.built) == 1  # nothing has changed
        assert await world.reload('demo = true\nprofile = "vllm"\nstrict = true\n')
        assert (await health(talk, world))["profile"] == "vllm"
        assert [settings.profile for settings in world.swapped] == ["vllm"]
    assert [message["type"] for message in sent] == ["lifespan.startup.complete", "lifespan.shutdown.complete"]
    said = [message for message in caplog.messages if message.startswith("Reload: ")]
    assert said == ["Reload: nothing has changed", "Reload: changed: profile, strict"]


@pytest.mark.parametrize("text", ["demo = ", "demo = true\nprofil = 1\n", "", 'demo = true\napi_keys = "/missing"\n'])
async def test_wrong(talk: Any, world: World, text: str, caplog: pytest.LogCaptureFixture) -> None:
    """Nothing changes, and it is said why."""
    async with world.running():
        assert not await world.reload(text)
        assert (await health(talk, world))["profile"] == "default"
    assert caplog.messages[-1].startswith("Reload: refused, nothing has changed: ")
    assert world.swapped == []


async def test_what_needs_a_restart(world: World, caplog: pytest.LogCaptureFixture) -> None:
    """It stays what it is, and is named; the rest is served."""
    async with world.running():
        assert await world.reload('demo = true\nport = 9\nworkers = 3\nprofile = "vllm"\n[state]\nkeep_days = 1\n')
    assert "Reload: changed, but needs a restart: port, workers, keep_days" in caplog.messages
    assert (world.app.settings.port, world.app.settings.keep_days, world.app.settings.profile) == (8080, 30, "vllm")


async def test_what_was_chosen_at_the_start_stays(world: World) -> None:
    """A free port and the user's own store are in no file."""
    running = Settings(demo=True, port=4711, store="memory")
    assert reloaded(world.source, running) == running


async def test_keys(talk: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Keys that are new or gone need no new application."""
    caplog.set_level(logging.INFO)
    file = tmp_path / "keys"
    first = keys.new(file, "alice")
    world = World(tmp_path, f'demo = true\napi_keys = "{file}"\n')
    async with world.running():
        second = keys.new(file, "bob")
        assert "profile" not in await health(talk, world, **{"api-key": second})
        assert await world.reload()
        assert "profile" in await health(talk, world, **{"api-key": second})
        keys.remove(file, "alice")
        file.chmod(0o644)
        assert not await world.reload()
        assert "profile" in await health(talk, world, **{"api-key": first})
        file.chmod(0o600)
        assert await world.reload()
        assert "profile" not in await health(talk, world, **{"api-key": first})
        assert len(world.built) == 1
        assert await world.reload()
        assert await world.reload("demo = true\n")
        assert "profile" in await health(talk, world)
    said = [message for message in caplog.messages if message.startswith("Reload: ") and "refused" not in message]
    assert said == [
        "Reload: changed: api_keys; keys: 2",
        "Reload: changed: api_keys; keys: 1",
        "Reload: nothing has changed; keys: 1",
        "Reload: changed: api_keys",
    ]
    assert first not in caplog.text


class Slow:
    """An application whose requests last until they may end."""

    def __init__(self) -> None:
        self.may_end = anyio.Event()
        self.states: list[str] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            for step in ("startup", "shutdown"):
                assert (await receive())["type"] == f"lifespan.{step}"
                self.states.append(step)
                await send({"type": f"lifespan.{step}.complete"})
            return
        await self.may_end.wait()
        await send({"type": "http.response.start", "status": 299, "headers": []})
        await send({"type": "http.response.body", "body": b""})


async def test_what_runs(talk: Any, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """An exchange keeps its application, whose lifespan ends after it."""
    monkeypatch.setattr(reloading, "_IDLE_CHECK", 0.001)
    slow = Slow()
    world.app = ReloadableApp(
        world.source.loaded,
        lambda settings, keys: application(settings) if settings.strict else slow,
        world.swapped.append,
    )
    running = talk(world.app)
    async with world.running(), anyio.create_task_group() as tasks:
        tasks.start_soon(running.run)
        await anyio.wait_all_tasks_blocked()
        assert await world.reload("demo = true\nstrict = true\n")
        assert (await health(talk, world))["status"] == "ok"
        await anyio.sleep(0.01)
        assert slow.states == ["startup"]
        slow.may_end.set()
        with anyio.fail_after(2):
            while slow.states == ["startup"]:  # noqa: ASYNC110
                await anyio.sleep(0.001)
    assert running.status == 299


async def test_end_while_the_old_one_runs(talk: Any, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both lifespans end with the server's."""
    slow, other = Slow(), Slow()
    world.app = ReloadableApp(
        world.source.loaded, lambda settings, keys: other if settings.strict else slow, world.swapped.append
    )
    async with anyio.create_task_group() as tasks:
        async with world.running():
            tasks.start_soon(talk(world.app).run)
            await anyio.wait_all_tasks_blocked()
            assert await world.reload("demo = true\nstrict = true\n")
        tasks.cancel_scope.cancel()
    assert slow.states == other.states == ["startup", "shutdown"]


class Broken:
    """Fails when it starts: it says so, or raises; or it raises when it ends."""

    def __init__(self, how: str) -> None:
        self.how = how

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if self.how == "raises":
            raise OSError("k3y")
        if self.how == "ends":
            await send({"type": "lifespan.startup.complete"})
            await receive()
            raise OSError("k3y")
        await send({"type": "lifespan.startup.failed", "message": self.how})


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ("raises", "the application did not start: OSError"),
        ("the store", "the store"),
        ("", "the application did not start"),
    ],
)
async def test_one_that_does_not_start(
    talk: Any, world: World, how: str, words: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The old one goes on; the first one has to start."""
    build = world.build
    world.app = ReloadableApp(
        world.source.loaded,
        lambda settings, keys: Broken(how) if settings.strict else build(settings, keys),
        world.swapped.append,
    )
    async with world.running():
        assert not await world.reload("demo = true\nstrict = true\n")
        assert (await health(talk, world))["status"] == "ok"
    assert caplog.messages[-1] == f"Reload: refused, nothing has changed: {words}"
    world.app = ReloadableApp(world.source.loaded, lambda settings, keys: Broken(how), world.swapped.append)
    async with world.running() as sent:
        assert sent == [{"type": "lifespan.startup.failed", "message": words}]


async def test_one_that_does_not_end_well(world: World, caplog: pytest.LogCaptureFixture) -> None:
    """It is logged without its words."""
    world.app = ReloadableApp(world.source.loaded, lambda settings, keys: Broken("ends"), world.swapped.append)
    async with world.running():
        pass
    assert caplog.messages == ["The application of a server did not end well: OSError"]
    assert "k3y" not in caplog.text


async def test_one_store_for_many(talk: Any, tmp_path: Path) -> None:
    """Routers that follow each other use the store of the process, which opens once."""
    opened: list[str] = []
    memory = open_store("memory")
    open_it = memory.open

    async def counted() -> Any:
        opened.append("memory")
        return await open_it()

    memory.open = counted
    store = shared(memory)
    text = 'store = "memory"\n'
    file = '[upstreams.a]\nurl = "http://a"\n[upstreams.b]\nurl = "http://b"\n[models]\nx = { upstream = "a" }\n'
    world = World(tmp_path, file + f"[state]\n{text}")
    world.app = ReloadableApp(
        world.source.loaded, lambda settings, keys: application(settings, keys=keys, store=store), world.swapped.append
    )
    async with world.running():
        assert await world.reload(file + f'"*" = {{ upstream = "b" }}\n[state]\n{text}')
        assert (await health(talk, world))["store"]["name"]
    assert len(world.swapped) == 1
    assert opened == ["memory"]


async def test_sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file is the same one wherever the process is; without one there are flags and the environment."""
    monkeypatch.chdir(tmp_path)
    assert source_of({}, Path("d.toml"), Settings()).file == str(tmp_path / "d.toml")
    assert Source(flags={"demo": True}, file=None, loaded=Settings()).load().demo
