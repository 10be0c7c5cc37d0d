"""Requests that continue something: what the upstream gets, what the client is told, and what is kept."""

import base64
import json
from typing import Any

import anyio
import pytest
from scripted_model import DONE, Double, Model, call, chunk

from diglot.adapters import Limits, TranslationMiddleware
from diglot.adapters.store import StoreUnavailable, open_store

pytestmark = pytest.mark.anyio

ASK = {"model": "m", "input": "One"}
CONVERSATIONS = "/v1/conversations"
LOOK = {"type": "function", "name": "look", "parameters": {"type": "object", "properties": {}}}
LONG = "x" * 300
SHOWN = b"include[]=message.input_image.image_url"


def answered(got: Any) -> dict[str, Any]:
    """The Response object that a client was sent, whole or streamed."""
    assert got.status == 200, got.body
    return got.events[-1]["response"] if got.body.startswith(b"event:") else got.json


def key_of(answer: dict[str, Any]) -> str:
    return answer["id"].removeprefix("resp_")


@pytest.fixture(params=[False, True], ids=["whole", "streamed"])
def way(request: pytest.FixtureRequest) -> dict[str, Any]:
    """What a request says of streaming."""
    return {"stream": True} if request.param else {}


# Chains


async def test_a_chain_is_the_conversation_in_full(store_url: str, ask: Any, way: dict[str, Any]) -> None:
    """The upstream gets the same request as if the client had sent everything itself."""
    model = Model("First", call("call_1"), "Third")
    app = TranslationMiddleware(model, store=store_url)
    output = {"type": "function_call_output", "call_id": "call_1", "output": "seen"}
    async with app.running():
        first = answered(await ask(app, {**ASK, **way, "tools": [LOOK], "instructions": "Be brief."}))
        more = {"model": "m", "tools": [LOOK], **way}
        second = answered(await ask(app, {**more, "input": "Two", "previous_response_id": first["id"]}))
        third = answered(await ask(app, {**more, "input": [output], "previous_response_id": second["id"]}))
        said = [{"role": "user", "content": "One"}, *first["output"], {"role": "user", "content": "Two"}]
        full = {**more, "input": [*said, *second["output"], output], "store": False}
        last = answered(await ask(app, full))
    assert model.bodies[2] == model.bodies[3]
    assert [message["role"] for message in model.bodies[2]["messages"]] == [
        *("user", "assistant", "user", "assistant", "tool")
    ]
    assert third["output"][0]["content"] == last["output"][0]["content"]
    assert (third["previous_response_id"], last["previous_response_id"]) == (second["id"], None)


async def test_ids_carry_the_key(store_url: str, ask: Any, way: dict[str, Any]) -> None:
    """A response and all of its items are found by the same key."""
    app = TranslationMiddleware(Model(call("call_1")), store=store_url)
    async with app.running():
        answer = answered(await ask(app, {**ASK, **way, "tools": [LOOK]}))
    key = key_of(answer)
    assert len(key) == 32
    assert [item["id"].partition("_")[2][:32] for item in answer["output"]] == [key]


async def test_what_an_answer_says_of_its_place(store_url: str, ask: Any) -> None:
    """Whole, and in all snapshots of a stream."""
    app = TranslationMiddleware(Model("Yes"), store=store_url)
    async with app.running():
        first = answered(await ask(app, ASK))
        conversation = (await ask(app, {}, path=CONVERSATIONS)).json["id"]
        chained = {**ASK, "previous_response_id": first["id"]}
        inside = {**ASK, "conversation": {"id": conversation}}
        for body, previous, stores in (
            (chained, first["id"], True),
            (inside, None, True),
            (
                {**chained, "store": False},
                *(first["id"], False),
            ),
        ):
            got = await ask(app, {**body, "stream": True})
            snapshots = [event["response"] for event in got.events if "response" in event]
            assert len(snapshots) == 3
            for answer in (answered(await ask(app, body)), *snapshots):
                assert (answer["previous_response_id"], answer["store"]) == (previous, stores)
                assert answer.get("conversation") == ({"id": conversation} if body is inside else None)


async def test_nothing_is_read_or_written_without_need(ask: Any) -> None:
    """A request with `store: false` that continues nothing costs no call of the store."""
    calls: list[str] = []

    class Counted(Double):
        def __getattr__(self, name: str) -> Any:
            calls.append(name)
            return super().__getattr__(name)

    app = TranslationMiddleware(Model("Yes"), store=Counted(open_store("memory")))
    async with app.running():
        await ask(app, ASK)
        calls.clear()
        assert answered(await ask(app, {**ASK, "store": False}))["store"] is False
        assert (await ask(app, {**ASK, "store": "yes"})).status == 400
    assert set(calls) <= {"renew", "close", "sweep"}


@pytest.mark.parametrize("ident", ["resp_" + "0" * 32, "resp_1", "resp_" + "0" * 31 + "g"])
async def test_what_is_not_there_is_not_continued(store_url: str, ask: Any, ident: str) -> None:
    """The words are those of OpenAI, whatever is wrong with the id."""
    model = Model("Yes")
    app = TranslationMiddleware(model, store=store_url)
    async with app.running():
        got = await ask(app, {**ASK, "previous_response_id": ident})
    assert got.status == 400
    assert (got.error["code"], got.error["param"]) == ("previous_response_not_found", "previous_response_id")
    assert model.bodies == []


async def test_another_tenants_response_is_not_there(store_url: str, ask: Any) -> None:
    """It is not continued, and not told from what never was."""
    app = TranslationMiddleware(Model("Yes"), store=store_url)
    async with app.running():
        first = answered(await ask(app, ASK))
        got = await ask(app, {**ASK, "previous_response_id": first["id"]}, "you")
        unknown = await ask(app, {**ASK, "previous_response_id": "resp_" + "0" * 32}, "you")
    assert got.status == unknown.status == 400
    assert got.error["message"].replace(key_of(first), "0" * 32) == unknown.error["message"]


async def test_a_deleted_parent_is_named(store_url: str, ask: Any) -> None:
    """A chain has no hole."""
    app = TranslationMiddleware(Model("Yes"), store=store_url)
    async with app.running():
        first = answered(await ask(app, ASK))
        second = answered(await ask(app, {**ASK, "previous_response_id": first["id"]}))
        await ask(app, method="DELETE", path=f"/v1/responses/{first['id']}")
        got = await ask(app, {**ASK, "previous_response_id": second["id"]})
    assert got.status == 400
    assert first["id"] in got.error["message"]


async def test_an_answer_that_failed_can_be_continued(store_url: str, ask: Any) -> None:
    """A failure in a stream is stored as what the client was told, and hands on its input."""
    broken = [chunk({"content": "Half"}), ConnectionError("broken")]
    model = Model(broken, "Then")
    app = TranslationMiddleware(model, store=store_url)
    async with app.running():
        with pytest.raises(ConnectionError):
            await ask(app, {**ASK, "stream": True})
        model.answers[:] = [[chunk({"content": "Half"}), b'data: {"error": {"message": "broken"}}\n\n'], "Then"]
        failed = answered(await ask(app, {**ASK, "stream": True}))
        assert (failed["status"], failed["store"]) == ("failed", True)
        kept = await ask(app, path=f"/v1/responses/{failed['id']}")
        assert kept.json == failed
        await ask(app, {"model": "m", "input": "Two", "previous_response_id": failed["id"]})
    assert [message["content"] for message in model.bodies[-1]["messages"]][-1] == "Two"
    assert model.bodies[-1]["messages"][0] == {"role": "user", "content": "One"}


async def test_an_incomplete_answer_is_kept(store_url: str, ask: Any, way: dict[str, Any]) -> None:
    """It ended at its limit."""
    whole = Model("x").whole({"role": "assistant", "content": "Half"})
    whole["choices"][0]["finish_reason"] = "length"
    streamed = [chunk({"content": "Half"}), chunk({}, "length"), DONE]
    app = TranslationMiddleware(Model(streamed if way else (200, whole)), store=store_url)
    async with app.running():
        answer = answered(await ask(app, {**ASK, **way}))
        assert answer["status"] == "incomplete"
        assert (await ask(app, path=f"/v1/responses/{answer['id']}")).json == answer


async def test_a_history_that_is_too_large(store_url: str, ask: Any) -> None:
    """The client is told how large it is."""
    model = Model("Yes")
    app = TranslationMiddleware(model, store=store_url, limits=Limits(max_history=1024))
    async with app.running():
        first = answered(await ask(app, {**ASK, "input": LONG * 5}))
        got = await ask(app, {**ASK, "previous_response_id": first["id"]})
    assert got.status == 400
    assert "1,024" in got.error["message"]
    assert len(model.bodies) == 1


async def test_a_request_that_is_too_large_to_be_kept(store_url: str, ask: Any) -> None:
    """It is refused before the upstream is called, since its answer could not be stored."""
    model = Model("Yes")
    app = TranslationMiddleware(model, store=store_url, limits=Limits(max_record=1024))
    async with app.running():
        got = await ask(app, {**ASK, "input": LONG * 5})
        assert (got.status, got.error["code"], got.error["param"]) == (400, "request_too_large", "input")
        assert model.bodies == []
        assert answered(await ask(app, {**ASK, "input": LONG * 5, "store": False}))["store"] is False


async def test_an_answer_that_is_too_large_to_be_kept(
    store_url: str, ask: Any, way: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    """The client gets it all the same, and is told that it is not stored."""
    app = TranslationMiddleware(Model(LONG * 5), store=store_url, limits=Limits(max_record=1024))
    async with app.running():
        answer = answered(await ask(app, {**ASK, **way}))
        assert (answer["store"], answer["output"][0]["content"][0]["text"]) == (False, LONG * 5)
        assert (await ask(app, path=f"/v1/responses/{answer['id']}")).status == 404
    assert [record.levelname for record in caplog.records if "max_record" in record.getMessage()] == ["ERROR"]


# When the store fails


@pytest.mark.parametrize("method", ["chain", "read", "context", "lock"])
async def test_a_store_that_cannot_be_read(ask: Any, method: str, caplog: pytest.LogCaptureFixture) -> None:
    """Nothing is sent upstream, and clients try again."""

    async def fail(*arguments: Any) -> None:
        raise StoreUnavailable("gone")

    model = Model("Yes")
    double = Double(open_store("memory"))
    app = TranslationMiddleware(model, store=double)
    async with app.running():
        first = answered(await ask(app, ASK))
        conversation = (await ask(app, {}, path=CONVERSATIONS)).json["id"]
        double.replaced[method] = fail
        body = {
            "chain": {"previous_response_id": first["id"]},
            "read": {"input": [{"type": "item_reference", "id": first["output"][0]["id"]}]},
            "context": {"conversation": conversation},
            "lock": {"conversation": conversation},
        }[method]
        got = await ask(app, {**ASK, **body})
        del double.replaced[method]
        assert (got.status, got.error["code"]) == (503, "store_unavailable")
        assert got.headers["retry-after"] == "1"
        assert len(model.bodies) == 1
        assert answered(await ask(app, {**ASK, **body}))["status"] == "completed"  # no lock was left behind


async def test_a_damaged_record(ask: Any, caplog: pytest.LogCaptureFixture) -> None:
    """It is our fault; the log has its id."""

    async def damaged(store: Any, *arguments: Any) -> Any:
        return [stored._replace(body=b"?") for stored in await store.chain(*arguments)]

    model = Model("Yes")
    app = TranslationMiddleware(model, store=Double(open_store("memory"), chain=damaged))
    async with app.running():
        first = answered(await ask(app, ASK))
        got = await ask(app, {**ASK, "previous_response_id": first["id"]})
    assert (got.status, got.error["code"]) == (500, "damaged_record")
    assert len(model.bodies) == 1
    assert first["id"] in caplog.text


# Conversations


async def test_a_conversation_grows_with_its_answers(store_url: str, ask: Any, way: dict[str, Any]) -> None:
    """What was said before comes first, and each item is there once."""
    model = Model("First", "Second")
    app = TranslationMiddleware(model, store=store_url)
    async with app.running():
        items = [{"type": "message", "role": "user", "content": "Zero"}]
        conversation = (await ask(app, {"items": items}, path=CONVERSATIONS)).json["id"]
        await ask(app, {**ASK, **way, "conversation": conversation})
        second = answered(await ask(app, {**ASK, **way, "input": "Two", "conversation": conversation}))
        await ask(app, {**ASK, "conversation": conversation, "store": False})
        got = await ask(app, path=f"{CONVERSATIONS}/{conversation}/items", query_string=b"order=asc")
        chained = answered(await ask(app, {**ASK, "input": "Three", "previous_response_id": second["id"]}))
    said = [message["content"] for message in model.bodies[1]["messages"]]
    assert said == ["Zero", "One", "First", "Two"]
    assert [item["content"][0]["text"] for item in got.json["data"]] == [*said, "Second"]
    assert [message["content"] for message in model.bodies[-1]["messages"]] == [*said, "Second", "Three"]
    assert "conversation" not in chained


async def test_a_failure_in_a_conversation_adds_nothing_to_it(store_url: str, ask: Any) -> None:
    """It is stored all the same, and who continues it continues the conversation: a chain has no hole."""
    model = Model([b'data: {"error": {"message": "broken"}}\n\n'], "Then")
    app = TranslationMiddleware(model, store=store_url, limits=Limits(keepalive=0.05))
    async with app.running():
        items = [{"type": "message", "role": "user", "content": "Zero"}]
        conversation = (await ask(app, {"items": items}, path=CONVERSATIONS)).json["id"]
        model.answers[:] = [[chunk({"content": "Half"}), b'data: {"error": {"message": "broken"}}\n\n'], "Then"]
        failed = answered(await ask(app, {**ASK, "stream": True, "conversation": conversation}))
        assert failed["status"] == "failed"
        got = await ask(app, path=f"{CONVERSATIONS}/{conversation}/items")
        assert [item["content"][0]["text"] for item in got.json["data"]] == ["Zero"]
        await ask(app, {**ASK, "input": "Two", "previous_response_id": failed["id"]})
        assert answered(await ask(app, {**ASK, "conversation": conversation}))["status"] == "completed"  # not locked
    said = [message["content"] for message in model.bodies[1]["messages"]]
    assert (said[:2], said[-1]) == (["Zero", "One"], "Two")


async def test_one_run_at_a_time(store_url: str, ask: Any, talk: Any) -> None:
    """A second one is told to come back, and can."""
    model = Model([chunk({"content": "Slow"}), 0.3, chunk({}, "stop"), DONE], "Quick")
    app = TranslationMiddleware(model, store=store_url)
    async with app.running(), anyio.create_task_group() as tasks:
        conversation = (await ask(app, {}, path=CONVERSATIONS)).json["id"]
        body = {**ASK, "conversation": conversation}
        tasks.start_soon(ask, app, {**body, "stream": True})
        with anyio.fail_after(5):
            await model.reached.wait()
        got = await ask(app, body)
        assert (got.status, got.error["code"]) == (400, "conversation_locked")
        assert (got.headers["x-should-retry"], got.headers["retry-after"]) == ("true", "1")
        while got.status != 200:
            await anyio.sleep(0.05)
            got = await ask(app, body)
    assert [message["content"] for message in model.bodies[-1]["messages"]] == ["One", "Slow", "One"]


@pytest.mark.parametrize("ident", ["conv_" + "0" * 32, "conv_1"])
async def test_a_conversation_that_is_not_there(store_url: str, ask: Any, ident: str) -> None:
    """It is not found, whether it was to be written to or only read."""
    app = TranslationMiddleware(Model("Yes"), store=store_url)
    async with app.running():
        for more in {}, {"store": False}:
            got = await ask(app, {**ASK, "conversation": ident, **more})
            assert (got.status, got.error["param"]) == (404, "conversation")


async def test_a_chain_whose_conversation_was_deleted(store_url: str, ask: Any) -> None:
    """What the chain began with is gone, so it cannot be continued."""
    model = Model("Yes")
    app = TranslationMiddleware(model, store=store_url)
    async with app.running():
        conversation = (await ask(app, {}, path=CONVERSATIONS)).json["id"]
        first = answered(await ask(app, {**ASK, "conversation": conversation}))
        await ask(app, method="DELETE", path=f"{CONVERSATIONS}/{conversation}")
        got = await ask(app, {**ASK, "previous_response_id": first["id"]})
    assert (got.status, got.error["code"]) == (400, "previous_response_not_found")
    assert len(model.bodies) == 1


async def test_an_item_twice_in_a_conversation(store_url: str, ask: Any) -> None:
    """It is refused, and the conversation is free again."""
    app = TranslationMiddleware(Model("Yes"), store=store_url)
    async with app.running():
        conversation = (await ask(app, {}, path=CONVERSATIONS)).json["id"]
        body = {**ASK, "conversation": conversation}
        answer = answered(await ask(app, body))
        got = await ask(app, {**body, "input": answer["output"]})
        assert (got.status, got.error["param"]) == (400, "input")
        assert got.error["message"].startswith("Duplicate item found with id ")
        assert answered(await ask(app, body))["store"] is True


@pytest.mark.parametrize(
    ("answer", "body"),
    [
        ((500, {"error": {"message": "down"}}), {}),
        ("Yes", {"tools": "none"}),
        ([chunk({"content": "Half"}), b'data: {"error": {"message": "broken"}}\n\n'], {"stream": True}),
    ],
    ids=["upstream", "refused", "failed"],
)
async def test_a_conversation_is_free_after_a_failure(
    store_url: str, ask: Any, answer: Any, body: dict[str, Any]
) -> None:
    """Whoever failed."""
    model = Model(answer, "Yes")
    app = TranslationMiddleware(model, store=store_url)
    async with app.running():
        conversation = (await ask(app, {}, path=CONVERSATIONS)).json["id"]
        await ask(app, {**ASK, "conversation": conversation, **body})
        model.answers[:] = ["Yes"]
        assert answered(await ask(app, {**ASK, "conversation": conversation}))["store"] is True


async def test_a_client_that_leaves_frees_the_conversation(store_url: str, ask: Any, talk: Any) -> None:
    """Nothing is stored for it."""
    model = Model([chunk({"content": "Slow"}), 0.05, 100], "Then")
    app = TranslationMiddleware(model, store=store_url, limits=Limits(shutdown=0.05))
    async with app.running():
        conversation = (await ask(app, {}, path=CONVERSATIONS)).json["id"]
        body = {**ASK, "conversation": conversation}
        leaving = talk(app, {**body, "stream": True}, headers={"authorization": "Bearer me"})

        def leave(message: Any) -> Any:
            if b"Slow" in message.get("body", b""):
                leaving.gone.set()
            return anyio.lowlevel.checkpoint()

        leaving.hold = leave
        await leaving.run()
        ident = leaving.events[0]["response"]["id"]
        assert (await ask(app, path=f"/v1/responses/{ident}")).status == 404
        assert answered(await ask(app, body))["store"] is True
    assert [message["content"] for message in model.bodies[-1]["messages"]] == ["One"]


@pytest.mark.parametrize("stage", ["lock", "stream"])
async def test_a_request_that_is_cancelled_frees_the_conversation(store_url: str, ask: Any, stage: str) -> None:
    """Whether it was cancelled while it took the lock or later."""
    reached = anyio.Event()

    async def slow(store: Any, *arguments: Any) -> Any:
        fence = await store.lock(*arguments)
        if stage == "lock":
            reached.set()
            await anyio.sleep(0.05)
        return fence

    class Noting(Model):
        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            reached.set()
            await super().__call__(scope, receive, send)

    model = Noting([chunk({"content": "Slow"}), 100], "Then")
    app = TranslationMiddleware(model, store=Double(open_store(store_url), lock=slow))
    async with app.running():
        conversation = (await ask(app, {}, path=CONVERSATIONS)).json["id"]
        body = {**ASK, "conversation": conversation}
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(ask, app, {**body, "stream": True})
            await reached.wait()
            tasks.cancel_scope.cancel()
        model.answers[:] = ["Then"]
        assert answered(await ask(app, body))["store"] is True


async def test_a_lock_that_cannot_be_released(ask: Any, caplog: pytest.LogCaptureFixture) -> None:
    """It ends with the lease; the log says so, and the client has its answer."""

    async def fail(*arguments: Any) -> None:
        raise StoreUnavailable("gone")

    app = TranslationMiddleware(
        Model((500, {"error": {"message": "down"}})), store=Double(open_store("memory"), unlock=fail)
    )
    async with app.running():
        conversation = (await ask(app, {}, path=CONVERSATIONS)).json["id"]
        got = await ask(app, {**ASK, "conversation": conversation})
    assert got.error["message"] == "down"
    assert "A conversation was not unlocked, but will be soon: gone" in caplog.text


# References


async def test_references(store_url: str, ask: Any) -> None:
    """Items of responses and of conversations are fetched by their ids; the upstream gets them as if they were sent."""
    model = Model("First", "Second", "Third")
    app = TranslationMiddleware(model, store=store_url)
    async with app.running():
        first = answered(await ask(app, ASK))
        item = {"type": "message", "role": "user", "content": "Kept"}
        conversation = (await ask(app, {"items": [item]}, path=CONVERSATIONS)).json["id"]
        listed = (await ask(app, path=f"{CONVERSATIONS}/{conversation}/items")).json["data"]
        inputs = (await ask(app, path=f"/v1/responses/{first['id']}/input_items")).json["data"]
        named = [inputs[0]["id"], first["output"][0]["id"], listed[0]["id"]]
        refers = [{"type": "item_reference", "id": ident} for ident in named]
        await ask(app, {**ASK, "input": [*refers, {"role": "user", "content": "Two"}], "store": False})
        foreign = await ask(app, {**ASK, "input": refers}, "you")
        unknown = await ask(app, {**ASK, "input": [{"type": "item_reference", "id": "msg_1"}]})
    assert [message["content"] for message in model.bodies[1]["messages"]] == ["One", "First", "Kept", "Two"]
    assert (foreign.status, foreign.error["message"]) == (404, f"Item with id '{named[0]}' not found.")
    assert (unknown.status, unknown.error["message"]) == (404, "Item with id 'msg_1' not found.")
    assert foreign.error["param"] == unknown.error["param"] == "input"
    assert len(model.bodies) == 2


# Places


async def test_errors_name_the_clients_own_places(store_url: str, ask: Any) -> None:
    """What the client did not send itself is `input` as a whole."""
    model = Model("First", "Second")
    app = TranslationMiddleware(model, store=store_url)
    async with app.running():
        first = answered(await ask(app, ASK))
        body = {"model": "m", "previous_response_id": first["id"], "input": [{"role": "user", "content": "Two"}]}
        bad = await ask(app, {**body, "input": [*body["input"], {"type": "message", "role": "no"}]})
        assert (bad.status, bad.error["param"][:8]) == (400, "input[1]")
        for place, param in (2, "input[0].content"), (0, "input"):
            refusal = {"error": {"message": "This is bad", "param": f"messages[{place}].content"}}
            model.answers[:] = [(400, refusal)]
            got = await ask(app, body)
            assert (got.status, got.error["param"]) == (400, param)


async def test_losses_name_the_clients_own_places(store_url: str, ask: Any) -> None:
    """Also in strict mode; what was lost of the history is `input` as a whole."""
    model = Model({"role": "assistant", "content": "First"})
    forgotten = {"type": "reasoning", "id": "rs_1", "summary": []}
    app = TranslationMiddleware(model, store=store_url)
    async with app.running():
        first = answered(await ask(app, {**ASK, "input": [{"role": "user", "content": "One"}, forgotten]}))
        body = {"model": "m", "previous_response_id": first["id"]}
        got = await ask(app, {**body, "input": [{"role": "user", "content": "Two"}, {**forgotten, "id": "rs_2"}]})
        assert [loss.partition(";")[0] for loss in got.headers["diglot-losses"].split(", ")] == [
            '"input"',
            '"input[1]"',
        ]
        app.strict = True
        again = {"role": "user", "content": "Three"}
        got = await ask(app, {**body, "input": [again, {**forgotten, "id": "rs_2"}]})
        assert (got.status, got.error["param"]) == (400, "input")
        plain = await ask(app, {"model": "m", "input": "Plain"})
        got = await ask(app, {**body, "previous_response_id": plain.json["id"], "input": [again, forgotten]})
        assert (got.status, got.error["param"]) == (400, "input[1]")


# Payloads


async def test_payloads_are_kept_whole(store_url: str, ask: Any, way: dict[str, Any]) -> None:
    """A large image reaches the upstream unchanged, now and in later turns, and is in the record."""
    url = "data:image/png;base64," + base64.b64encode(bytes(100_000)).decode()
    model = Model("A picture", "The same")
    app = TranslationMiddleware(model, store=store_url)
    content = [{"type": "input_text", "text": "See"}, {"type": "input_image", "image_url": url, "detail": "auto"}]
    async with app.running():
        first = answered(await ask(app, {**ASK, **way, "input": [{"role": "user", "content": content}]}))
        kept = (await ask(app, path=f"/v1/responses/{first['id']}/input_items", query_string=SHOWN)).json["data"]
        await ask(app, {**ASK, **way, "previous_response_id": first["id"]})
    assert kept[0]["content"] == content
    assert model.bodies[0]["messages"][0]["content"][1]["image_url"]["url"] == url
    assert model.bodies[1]["messages"][0] == model.bodies[0]["messages"][0]
    assert json.dumps(model.bodies[1]).count(url) == 1


async def test_a_long_history_is_read_in_a_thread(store_url: str, ask: Any) -> None:
    """Others do not wait for it."""
    url = "data:image/png;base64," + base64.b64encode(bytes(1_200_000)).decode()
    model = Model("A picture", "The same")
    app = TranslationMiddleware(model, store=store_url)
    async with app.running():
        content = [{"type": "input_image", "image_url": url}]
        first = answered(await ask(app, {**ASK, "input": [{"role": "user", "content": content}]}))
        await ask(app, {**ASK, "previous_response_id": first["id"]})
    assert model.bodies[1]["messages"][0] == model.bodies[0]["messages"][0]
