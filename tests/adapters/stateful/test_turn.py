"""What is stored before a client is told so, and what it is told when that is impossible."""

import json
import logging
from typing import Any

import anyio
import pytest
from scripted_model import DONE, Double, Model, Responder, chunk, failing

from diglot.adapters import Limits, TranslationMiddleware
from diglot.adapters.stateful import failures
from diglot.adapters.stateful.turn import Turn, put_in_time
from diglot.adapters.store import ChainGone, LockLost, Store, StoreUnavailable, open_store
from diglot.translator import PLAIN, ServeResponses

pytestmark = pytest.mark.anyio

ASK = {"model": "m", "input": "One"}
AWAY = StoreUnavailable("gone")
BROKEN = [chunk({"content": "Half"}), b'data: {"error": {"message": "broken"}}\n\n']
CUT_OFF = [chunk({"content": "Half"}), chunk({}, "length"), DONE]
LARGE = "x" * (1 << 20)
TERMINAL = ("response.completed", "response.incomplete", "response.failed")


def told(got: Any) -> dict[str, Any]:
    """What the client was told last."""
    return got.events[-1]["response"] if got.events else got.json


# The order


@pytest.mark.parametrize(
    ("answer", "streams"),
    [("Yes", False), ("Yes", True), (LARGE, True), (BROKEN, True), (CUT_OFF, True), (["whole"], True)],
    ids=["whole", "list", "iterator", "failed", "incomplete", "whole to a stream"],
)
async def test_it_is_stored_before_the_client_sees_the_end(
    store_url: str, talk: Any, answer: Any, streams: bool
) -> None:
    """Whatever way the end takes."""
    order: list[str] = []

    async def noting(store: Any, *arguments: Any) -> None:
        await store.put(*arguments)
        order.append("stored")

    if answer == ["whole"]:  # a server that does not stream
        answer = (200, Model("").whole("Yes"))
    app = TranslationMiddleware(Model(answer), store=Double(open_store(store_url), put=noting))
    body = {**ASK, "stream": True} if streams else ASK
    got = talk(app, body)

    async def note(message: Any) -> None:
        data = message.get("body", b"")
        if data and (not streams or any(f"event: {kind}\n".encode() in data for kind in TERMINAL)):
            order.append("told")

    got.hold = note
    async with app.running():
        await got.run()
        kept = await talk(app, path=f"/v1/responses/{told(got)['id']}", method="GET").run()
    assert order == ["stored", "told"]
    assert kept.json == told(got)
    assert got.complete


async def test_what_is_sent_goes_on_while_it_is_stored(talk: Any) -> None:
    """All but the end is with the client before."""
    seen: list[str] = []

    async def noting(store: Any, *arguments: Any) -> None:
        seen.extend(got.types)

    app = TranslationMiddleware(Model("Yes"), store=Double(open_store("memory"), put=noting))
    got = talk(app, {**ASK, "stream": True})
    async with app.running():
        await got.run()
    assert "output_text.delta" in seen
    assert "completed" not in seen


# When it is not stored


async def hang(store: Any, *arguments: Any) -> None:
    await anyio.sleep_forever()


@pytest.mark.parametrize(
    "put",
    [
        lambda: failing(AWAY, AWAY),
        lambda: hang,
        lambda: failing(ChainGone("gone")),
        lambda: failing(LockLost("gone")),
    ],
    ids=["away", "hangs", "chain gone", "lock lost"],
)
@pytest.mark.parametrize("answer", ["Yes", LARGE], ids=["small", "large"])
@pytest.mark.parametrize("events", [None, "openresponses"], ids=["openai", "openresponses"])
async def test_the_client_is_told_that_it_is_not_stored(
    ask: Any,
    put: Any,
    answer: str,
    events: str | None,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """It gets its answer, of which nothing else is changed; the log has one error for each."""
    monkeypatch.setattr(failures, "PATIENCE", 0.05)
    model = Model(answer)
    double = Double(open_store("memory"))
    app = TranslationMiddleware(model, store=double)
    if events:
        app.profile = app.profile.replace(events=events)
    async with app.running():
        good = await ask(app, ASK)
        good_stream = await ask(app, {**ASK, "stream": True})
        double.replaced["put"] = put()
        got = await ask(app, ASK)
        double.replaced["put"] = put()
        got_stream = await ask(app, {**ASK, "stream": True})
        assert (await ask(app, path=f"/v1/responses/{got.json['id']}")).status == 404
    assert steady(got.json) == steady(good.json) | {"store": False}
    changed = [steady(event) for event in got_stream.events]
    expected = [steady(event) for event in good_stream.events]
    expected[-1]["response"]["store"] = False
    assert changed == expected
    assert got_stream.body.endswith(DONE) == good_stream.body.endswith(DONE) == bool(events)
    errors = [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR]
    assert [" was not stored: " in error for error in errors] == [True, True]
    assert got.json["id"] in errors[0]


def steady(value: dict[str, Any]) -> dict[str, Any]:
    """The same without what differs between two answers."""

    def plain(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: plain(x) for name, x in value.items() if name not in VARYING}
        return [plain(x) for x in value] if isinstance(value, list) else value

    return plain(json.loads(json.dumps(value)))


VARYING = ("id", "item_id", "created_at", "completed_at", "obfuscation")


async def test_a_second_try_is_made(ask: Any, caplog: pytest.LogCaptureFixture) -> None:
    """A store that is away for a moment costs nothing."""
    app = TranslationMiddleware(Model("Yes"), store=Double(open_store("memory"), put=failing(AWAY)))
    async with app.running():
        got = await ask(app, ASK)
        assert got.json["store"] is True
        assert (await ask(app, path=f"/v1/responses/{got.json['id']}")).json == got.json
    assert "was not stored" not in caplog.text


async def test_putting_in_time(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """A try that hangs is named by what happened to it."""
    monkeypatch.setattr(failures, "PATIENCE", 0.01)
    assert not await put_in_time("It", anyio.sleep_forever)
    assert "It was not stored: no answer within 0.01 seconds" in caplog.text


# When nothing is to be stored


@pytest.fixture
def stored() -> list[Any]:
    """What has been put into the store."""
    return []


@pytest.fixture
def counting(store_url: str, stored: list[Any]) -> Store:
    """A store that tells what is put into it."""

    async def noting(store: Any, *arguments: Any) -> None:
        stored.append(arguments)
        await store.put(*arguments)

    return Double(open_store(store_url), put=noting)


@pytest.mark.parametrize(
    ("answer", "body"),
    [
        ("Yes", {"store": False}),
        ("Yes", {"store": False, "stream": True}),
        ("Yes", {"tools": "none"}),
        ((500, {"error": {"message": "down"}}), {}),
        ((429, {"error": {"message": "busy"}}), {"stream": True}),
        ((200, {"choices": []}), {}),
    ],
    ids=["store: false", "streamed", "refused", "server error", "busy", "no answer"],
)
async def test_nothing_is_stored(ask: Any, counting: Any, stored: list[Any], answer: Any, body: dict[str, Any]) -> None:
    """Of what the client did not want stored, and of what was no answer."""
    app = TranslationMiddleware(Model(answer), store=counting)
    async with app.running():
        got = await ask(app, {**ASK, **body})
    assert got.complete
    assert stored == []


@pytest.mark.parametrize("streams", [False, True])
async def test_nothing_is_stored_for_a_client_that_left(
    talk: Any, counting: Any, stored: list[Any], streams: bool
) -> None:
    """Nothing was promised."""
    whole = json.dumps(Model("").whole("Yes")).encode()
    pieces = [chunk({"content": "a"}), 0.1, chunk({}, "stop"), DONE] if streams else [b": hi\n\n", 0.1, whole]
    model = Model(pieces)
    app = TranslationMiddleware(model, store=counting, limits=Limits(shutdown=0.3))
    got = talk(app, {**ASK, "stream": streams})
    async with app.running(), anyio.create_task_group() as tasks:
        tasks.start_soon(got.run)
        with anyio.fail_after(5):
            await model.reached.wait()
        got.gone.set()
    assert stored == []


async def test_an_answer_that_was_cut_by_a_shutdown_is_told_as_it_is_stored(
    talk: Any, counting: Any, stored: list[Any]
) -> None:
    """The client is told of a failure, which is stored."""
    model = Model([chunk({"content": "a"}), 100])
    app = TranslationMiddleware(model, store=counting)
    got = talk(app, {**ASK, "stream": True})
    async with app.running():
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(got.run)
            with anyio.fail_after(5):
                while "output_text.delta" not in got.types:  # noqa: ASYNC110
                    await anyio.sleep(0.01)
            tasks.cancel_scope.cancel()
        kept = await talk(app, path=f"/v1/responses/{told(got)['id']}", method="GET").run()
    assert told(got)["status"] == "failed"
    assert kept.json == told(got)
    assert len(stored) == 1


async def test_a_turn_that_keeps_nothing() -> None:
    """It does what there is to do: nothing but sealing."""
    plain = Turn(PLAIN)
    await plain.load()
    plain.translated(ServeResponses(ASK))
    assert not await plain.keep({})
    await plain.release()
    assert (plain.options, plain.usage_before(), plain.keeps, plain.is_large) == ({"seals": PLAIN}, None, False, False)


async def test_reasoning_of_several_choices_is_sealed(ask: Any) -> None:
    """Each choice is a request of its own, whose answer is the same client's."""
    item = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "gAAAA"}

    class Reasoner(Responder):
        def whole(self, answer: Any) -> dict[str, Any]:
            made = super().whole(answer)
            return {**made, "output": [item, *made["output"]]}

    app = TranslationMiddleware(Reasoner("Yes"), upstream_api="responses", store="memory")
    body = {"model": "m", "messages": [{"role": "user", "content": "Hi"}]}
    async with app.running():
        one = await ask(app, body, path="/v1/chat/completions")
        two = await ask(app, {**body, "n": 2}, path="/v1/chat/completions")
    envelopes = [
        choice["message"]["reasoning_details"][0]["data"] for got in (one, two) for choice in got.json["choices"]
    ]
    assert len({envelope[:8] for envelope in envelopes}) == 1
