"""The store of a middleware: opened and closed with its application, and looked after meanwhile."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import anyio
import pytest
import trio
from scripted_model import Double, Model

from diglot.adapters import Limits, TranslationMiddleware
from diglot.adapters.stateful import keeper as keepers
from diglot.adapters.stateful.keeper import Keeper
from diglot.adapters.stateful.sealing import new_key
from diglot.adapters.store import StoreError, StoreRefused, StoreUnavailable, open_store
from diglot.translator import RequestError

pytestmark = pytest.mark.anyio

ASK = {"model": "m", "input": "One"}
AWAY = StoreUnavailable("the database is away")
NAMES = ["open", "secret", "secret", "renew"]
"""What is called when a store is opened."""


class Host:
    """A server that starts and stops an application."""

    def __init__(self, app: Any) -> None:
        self.app = app
        self.sent: list[dict[str, Any]] = []
        self.wanted, self.messages = anyio.create_memory_object_stream[dict[str, Any]](10)

    async def serve(self) -> None:
        """Run the lifespan, to its end."""
        await self.app({"type": "lifespan"}, self.messages.receive, self._send)
        self.wanted.close()
        self.messages.close()

    async def say(self, kind: str) -> dict[str, Any]:
        """Send a message and return the answer."""
        count = len(self.sent)
        await self.wanted.send({"type": f"lifespan.{kind}"})
        with anyio.fail_after(5):
            while len(self.sent) == count:  # noqa: ASYNC110
                await anyio.sleep(0.005)
        return self.sent[-1]

    async def _send(self, message: Any) -> None:
        self.sent.append(message)


class Told(Double):
    """A store that tells what is called."""

    def __init__(self, store: Any, **replaced: Any) -> None:
        super().__init__(store, **replaced)
        self.called: list[str] = []

    def __getattr__(self, name: str) -> Any:
        self.called.append(name)
        return super().__getattr__(name)


def raising(error: Exception, times: int = 1) -> Any:
    """A method that raises so often, and then works."""
    left = [error] * times

    def method(name: str) -> Any:
        async def call(store: Any, *arguments: Any) -> Any:
            if left:
                raise left.pop()
            return await getattr(store, name)(*arguments)

        return call

    return method


# With the application


async def test_it_lives_as_long_as_the_application(store_url: str, ask: Any, caplog: pytest.LogCaptureFixture) -> None:
    """It is open when the application has started, and closed when it has stopped; the log says what it is."""
    caplog.set_level(logging.INFO, "diglot")
    store = Told(open_store(store_url))
    app = TranslationMiddleware(Model("Yes"), store=store)
    host = Host(app)
    assert app.opened is None
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(host.serve)
        assert await host.say("startup") == {"type": "lifespan.startup.complete"}
        assert store.called[:4] == NAMES
        assert app.opened is not None
        assert f"Store: {app.opened.name}: {app.opened.durability}" in caplog.messages
        assert (await ask(app, ASK)).json["store"] is True
        assert store.called.count("open") == 1
        assert await host.say("shutdown") == {"type": "lifespan.shutdown.complete"}
    assert store.called[-1] == "close"
    assert "renew" in store.called[-3:-1]  # its lease was returned


async def test_warnings_are_logged_once(ask: Any, caplog: pytest.LogCaptureFixture) -> None:
    """What can be lost is said when it is opened for the first time."""

    async def warn(store: Any) -> Any:
        return (await store.open())._replace(warnings=("much can be lost",))

    app = TranslationMiddleware(Model("Yes"), store=Double(open_store("memory"), open=warn))
    for _ in range(2):
        async with app.running():
            await ask(app, ASK)
    assert caplog.messages.count("Store: much can be lost") == 1


@pytest.mark.parametrize("error", [AWAY, StoreRefused("it is too new")])
async def test_a_store_that_does_not_open_stops_the_start(error: Exception) -> None:
    """The host is told why, in words for its operator."""
    app = TranslationMiddleware(Model("Yes"), store=Double(open_store("memory"), open=raising(error)("open")))
    host = Host(app)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(host.serve)
        assert await host.say("startup") == {"type": "lifespan.startup.failed", "message": str(error)}
        await host.say("shutdown")


async def test_a_file_that_cannot_be_opened_stops_the_start(tmp_path: Path) -> None:
    """A folder is none."""
    host = Host(TranslationMiddleware(Model("Yes"), store=f"sqlite:///{tmp_path}"))
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(host.serve)
        assert (await host.say("startup"))["type"] == "lifespan.startup.failed"
        await host.say("shutdown")


async def test_an_application_that_does_not_start(ask: Any) -> None:
    """Its failure is its own, and no store is opened for it."""

    async def broken(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "lifespan.startup.failed", "message": "broken"})

    store = Told(open_store("memory"))
    host = Host(TranslationMiddleware(broken, store=store))
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(host.serve)
        assert (await host.say("startup"))["message"] == "broken"
    assert store.called == []


async def test_without_a_store_the_lifespan_is_the_applications(ask: Any) -> None:
    """Nothing stands between."""
    app = TranslationMiddleware(Model("Yes"))
    host = Host(app)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(host.serve)
        await host.say("startup")
        await host.say("shutdown")
    async with app.running():
        assert (await ask(app, ASK)).json["store"] is False
    assert app.opened is None


@pytest.mark.parametrize("url", ["redis://127.0.0.1:1", "postgresql://127.0.0.1:1/x"])
async def test_a_server_that_is_not_there_stops_the_start(url: str) -> None:
    """Also where the event loop is none that it has a driver for."""
    host = Host(TranslationMiddleware(Model("Yes"), store=url))
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(host.serve)
        assert (await host.say("startup"))["type"] == "lifespan.startup.failed"
        await host.say("shutdown")


# Without a lifespan


async def test_the_first_requests_open_it(store_url: str, ask: Any) -> None:
    """Several may come at once: it is opened once."""
    store = Told(open_store(store_url))
    app = TranslationMiddleware(Model("Yes"), store=store)
    async with anyio.create_task_group() as tasks:
        for _ in range(3):
            tasks.start_soon(ask, app, ASK)
    assert store.called.count("open") == 1
    async with app.running():
        assert store.called.count("open") == 1
    assert store.called.count("close") == 1


@pytest.mark.parametrize("method", ["open", "secret", "renew"])
async def test_a_store_that_is_away_at_the_first_request(ask: Any, method: str) -> None:
    """That one is told to come back; the next ones find it. What had been opened was closed again."""
    store = Told(open_store("memory"))
    store.replaced[method] = raising(AWAY, 2)(method)
    app = TranslationMiddleware(Model("Yes"), store=store)
    assert (await ask(app, ASK)).status == 503
    assert (await ask(app, path="/v1/responses/resp_1")).status == 503
    assert store.called.count("close") == store.called.count("open")
    async with app.running():
        assert (await ask(app, ASK)).json["store"] is True


async def test_a_store_that_is_refused_at_the_first_request(ask: Any, caplog: pytest.LogCaptureFixture) -> None:
    """It is our fault, whatever the client does."""
    refused = raising(StoreRefused("it is too new"), 2)("open")
    app = TranslationMiddleware(Model("Yes"), store=Double(open_store("memory"), open=refused))
    for got in (await ask(app, ASK), await ask(app, path="/v1/responses/resp_1")):
        assert (got.status, got.error["code"]) == (500, "internal_error")
        assert "too new" not in got.error["message"]


async def test_running_raises_what_is_wrong(tmp_path: Path) -> None:
    """Its caller can do something about it."""
    app = TranslationMiddleware(Model("Yes"), store=f"sqlite:///{tmp_path}")
    with pytest.raises(StoreError):
        async with app.running():
            pass


@pytest.mark.parametrize("run", [asyncio.run, lambda made: trio.run(lambda: made)], ids=["asyncio", "trio"])
@pytest.mark.parametrize("ends", [True, False], ids=["ended", "left"])
@pytest.mark.parametrize("kind", ["memory", "sqlite"])
def test_event_loops_come_and_go(
    run: Callable[[Awaitable[Any]], Any], ends: bool, kind: str, tmp_path: Path, ask: Any
) -> None:
    """Those of tests and reloaders; what was said in one of them is there in the next."""
    app = TranslationMiddleware(Model("Yes"), store="memory" if kind == "memory" else f"sqlite:///{tmp_path}/turns.db")

    async def first() -> str:
        if not ends:
            return (await ask(app, ASK)).json["id"]
        async with app.running():
            return (await ask(app, ASK)).json["id"]

    async def second(ident: str) -> Any:
        async with app.running():
            return await ask(app, {**ASK, "previous_response_id": ident})

    ident = run(first())
    got = run(second(ident))
    assert got.json["previous_response_id"] == ident


# Housekeeping


async def test_it_is_looked_after(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """The lease is renewed, and what has expired goes, portion by portion; a store that is away is asked again."""
    monkeypatch.setattr(keepers, "_RENEWED_EVERY", 0.01)
    monkeypatch.setattr(keepers, "_SWEPT_EVERY", 0.03)
    left, leases = [AWAY, 3, 2, 0, 0, AWAY], list[float]()

    async def sweep(store: Any) -> int:
        answer = left.pop(0) if left else 0
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def renew(store: Any, process: str, seconds: float) -> None:
        leases.append(seconds)

    app = TranslationMiddleware(Model("Yes"), store=Double(open_store("memory"), sweep=sweep, renew=renew))
    async with app.running():
        with anyio.fail_after(5):
            while left:  # noqa: ASYNC110
                await anyio.sleep(0.01)
    assert caplog.messages.count(f"The store could not be looked after: {AWAY}") == 2
    assert leases[-1] == 0
    assert set(leases[:-1]) == {30.0}
    count = len(leases)
    await anyio.sleep(0.05)
    assert len(leases) == count  # nobody looks after what is closed


async def test_a_lease_that_cannot_be_returned(caplog: pytest.LogCaptureFixture) -> None:
    """It ends by itself; the store is closed all the same."""

    async def renew(store: Any, process: str, seconds: float) -> None:
        if not seconds:
            raise AWAY

    store = Told(open_store("memory"), renew=renew)
    async with TranslationMiddleware(Model("Yes"), store=store).running():
        pass
    assert store.called[-1] == "close"
    assert f"The lease of this process was not returned: {AWAY}" in caplog.messages


async def test_ending_what_was_never_begun() -> None:
    """There is nothing to do."""
    keeper = Keeper("memory", limits=Limits())
    await keeper.end()
    assert keeper.opened is None


# Settings


@pytest.mark.parametrize(
    ("settings", "error"),
    [
        ({"store": "mysql://x"}, StoreRefused),
        ({"store": "memory", "tenant": "nobody"}, ValueError),
        ({"store": "memory", "seal": ["short"]}, ValueError),
    ],
)
def test_settings_that_cannot_work(settings: dict[str, Any], error: type[Exception]) -> None:
    """They are an error at once."""
    with pytest.raises(error):
        TranslationMiddleware(Model("Yes"), **settings)


async def test_seals_without_a_store(ask: Any) -> None:
    """Keys are enough for reasoning that comes back through the client; nothing else is there."""
    key = "0" * 64
    model = Model({"role": "assistant", "content": "Yes", "reasoning_content": "Well."})
    app = TranslationMiddleware(model, seal=[key])
    host, sealed = Host(app), ""
    body = {**ASK, "include": ["reasoning.encrypted_content"]}
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(host.serve)
        await host.say("startup")
        got = await ask(app, body)
        assert got.json["store"] is False
        sealed = got.json["output"][0]["encrypted_content"]
        again = [*got.json["output"], {"role": "user", "content": "Two"}]
        assert (await ask(app, {**body, "input": again})).status == 200
        assert (await ask(app, {**ASK, "previous_response_id": got.json["id"]})).status == 400
        await host.say("shutdown")
    assert sealed.startswith("diglot.2")
    assert app.opened is None


async def test_whoever_may_not_use_it(ask: Any) -> None:
    """A rule may refuse: requests and endpoints alike, before anything is done."""

    def rule(scope: Any) -> str:
        raise RequestError("Who are you?", status=401, code="invalid_api_key")

    model = Model("Yes")
    app = TranslationMiddleware(model, store="memory", tenant=rule)
    async with app.running():
        for got in (await ask(app, ASK), await ask(app, path="/v1/responses/resp_1")):
            assert (got.status, got.error["message"]) == (401, "Who are you?")
    assert model.bodies == []


def test_keys_are_as_long_as_they_should_be() -> None:
    """Those that a store proposes."""
    assert len(new_key()) == 32


async def test_a_store_that_raises_what_it_likes(monkeypatch: pytest.MonkeyPatch, ask: Any) -> None:
    """The lease is renewed all the same, and the client gets its answer, which says that it is not stored."""
    monkeypatch.setattr(keepers, "_RENEWED_EVERY", 0.01)
    monkeypatch.setattr(keepers, "_SWEPT_EVERY", 0.01)
    swept = []

    async def odd(store: Any, *args: Any) -> Any:
        raise LookupError("odd")

    async def sweep(store: Any) -> int:
        swept.append(1)
        raise LookupError("odd")

    app = TranslationMiddleware(Model("Yes"), store=Double(open_store("memory"), sweep=sweep, put=odd, chain=odd))
    async with app.running():
        with anyio.fail_after(5):
            while len(swept) < 2:  # noqa: ASYNC110
                await anyio.sleep(0.01)
        whole = await ask(app, ASK)
        streamed = await ask(app, {**ASK, "stream": True})
        refused = await ask(app, {**ASK, "previous_response_id": f"resp_{32 * '0'}"})
    assert (whole.json["status"], whole.json["store"]) == ("completed", False)
    assert streamed.events[-1]["type"] == "response.completed"
    assert streamed.events[-1]["response"]["store"] is False
    assert refused.status == 503


async def test_a_tenant_function_that_fails(ask: Any, caplog: pytest.LogCaptureFixture) -> None:
    """Nobody is served as somebody; the client gets an error, and the log says where it came from."""

    def tenant(scope: Any) -> str:
        raise LookupError(str(scope["path"]))

    app = TranslationMiddleware(Model("Yes"), store="memory", tenant=tenant)
    async with app.running():
        for got in (await ask(app, ASK), await ask(app, path=f"/v1/responses/resp_{32 * '0'}")):
            assert (got.status, got.json["error"]["code"]) == (500, "internal_error")
    assert caplog.text.count("raised LookupError") == 2


def test_loops_that_begin_at_once(tmp_path: Path) -> None:
    """Each has a store of its own, also while the first one is being opened."""
    keeper = Keeper(f"sqlite:///{tmp_path}/two.db", limits=Limits())
    first, second = asyncio.new_event_loop(), asyncio.new_event_loop()
    stores = []

    async def begin() -> None:
        session = await keeper.begin()
        stores.append(session.store)
        await keeper.end()

    async def fail() -> None:
        raise StoreUnavailable

    shared: Any = keeper._shared
    opening, shared.open = shared.open, fail
    with pytest.raises(StoreUnavailable):
        first.run_until_complete(begin())
    second.run_until_complete(begin())
    shared.open = opening
    first.run_until_complete(begin())
    assert stores[0] is not stores[1]
    first.close()
    second.close()
