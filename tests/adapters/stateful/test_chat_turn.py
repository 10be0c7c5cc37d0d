"""Stored chat completions over an upstream that speaks Responses."""

from typing import Any

import anyio
import pytest
from scripted_model import Double, Responder, event

from diglot.adapters import Limits, TranslationMiddleware
from diglot.adapters.store import StoreUnavailable, open_store

pytestmark = pytest.mark.anyio

PATH = "/v1/chat/completions"
MESSAGES = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"}]
ASK = {"model": "m", "messages": MESSAGES, "store": True, "metadata": {"topic": "demo"}}


def over(upstream: Any, store: Any, **settings: Any) -> TranslationMiddleware:
    return TranslationMiddleware(upstream, upstream_api="responses", store=store, **settings)


def collected(got: Any) -> list[str]:
    """The text of each choice that a client was told, whole or streamed."""
    assert got.status == 200, got.body
    if not got.body.startswith(b"data: "):
        return [choice["message"]["content"] for choice in got.json["choices"]]
    texts: dict[int, str] = {}
    for choice in (choice for chunk in got.events for choice in chunk["choices"]):
        texts[choice["index"]] = texts.get(choice["index"], "") + (choice["delta"].get("content") or "")
    return [texts[index] for index in sorted(texts)]


def id_of(got: Any) -> str:
    """The one id that all chunks have."""
    (ident,) = {chunk["id"] for chunk in got.events} if got.body.startswith(b"data: ") else {got.json["id"]}
    return ident


@pytest.mark.parametrize("streams", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("count", [1, 2])
async def test_what_the_client_got_is_kept(store_url: str, ask: Any, streams: bool, count: int) -> None:
    """With its messages and metadata; the upstream stores nothing."""
    upstream = Responder("Hello")
    app = over(upstream, store_url)
    async with app.running():
        got = await ask(app, {**ASK, "stream": streams, **({"n": count} if count > 1 else {})}, path=PATH)
        kept = await ask(app, path=f"{PATH}/{id_of(got)}")
        messages = await ask(app, path=f"{PATH}/{id_of(got)}/messages")
        listed = await ask(app, path=PATH)
    assert collected(got) == [choice["message"]["content"] for choice in kept.json["choices"]] == ["Hello"] * count
    assert kept.json["metadata"] == {"topic": "demo"}
    assert [message["content"] for message in messages.json["data"]] == ["Be brief.", "Hi"]
    assert [entry["id"] for entry in listed.json["data"]] == [id_of(got)]
    assert [body["store"] for body in upstream.bodies] == [False] * count
    if not streams:
        assert kept.json == got.json | {"metadata": {"topic": "demo"}}


async def test_ids_are_new(ask: Any) -> None:
    """Although the upstream repeats its own."""
    app = over(Responder("Hello"), "memory")
    async with app.running():
        idents = {id_of(await ask(app, {**ASK, "stream": streams}, path=PATH)) for streams in (False, True, False)}
        assert len(idents) == 3
        assert all(ident.startswith("chatcmpl-") for ident in idents)
        assert len((await ask(app, path=PATH)).json["data"]) == 3


FAILED = event(
    "failed", response={**Responder().whole("x"), "status": "failed", "error": {"code": "x", "message": "no"}}
)
BEGUN = event("created", response={**Responder().whole("x"), "status": "in_progress", "output": []})
SAID = event("output_text.delta", item_id="m1", output_index=0, content_index=0, delta="Half")


@pytest.mark.parametrize("count", [1, 2])
@pytest.mark.parametrize(
    ("answer", "more"),
    [
        ("Hello", {"store": False}),
        ("Hello", {"store": None}),
        ((500, {"error": {"message": "down"}}), {}),
        ([BEGUN, SAID, FAILED], {"stream": True}),
        ([BEGUN, SAID], {"stream": True}),
        ([BEGUN, SAID, FAILED], {}),
        ("Hello", {"messages": []}),
    ],
    ids=["store: false", "null", "refused", "failed", "cut", "failed whole", "bad"],
)
async def test_what_is_not_kept(
    ask: Any, answer: Any, more: dict[str, Any], count: int, caplog: pytest.LogCaptureFixture
) -> None:
    """What the client did not want kept, and what did not come to its end."""
    app = over(Responder(answer), "memory")
    async with app.running():
        got = await ask(app, {**ASK, **more, **({"n": count} if count > 1 else {})}, path=PATH)
        assert got.complete
        assert (await ask(app, path=PATH)).json["data"] == []
    assert "Traceback" not in caplog.text


@pytest.mark.parametrize("count", [1, 2])
async def test_a_client_that_leaves(ask: Any, talk: Any, count: int) -> None:
    """Nothing is kept for it."""
    upstream = Responder([BEGUN, SAID, 0.1, event("completed", response=Responder().whole("Half"))])
    app = over(upstream, "memory", limits=Limits(shutdown=0.3))
    got = talk(app, {**ASK, "stream": True, "n": count}, path=PATH, headers={"authorization": "Bearer me"})
    async with app.running():
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(got.run)
            with anyio.fail_after(5):
                await upstream.reached.wait()
            got.gone.set()
        assert (await ask(app, path=PATH)).json["data"] == []


@pytest.mark.parametrize("count", [1, 2])
@pytest.mark.parametrize("streams", [False, True], ids=["whole", "streamed"])
async def test_a_store_that_is_away(ask: Any, count: int, streams: bool, caplog: pytest.LogCaptureFixture) -> None:
    """The client has its answer; the log says what is missing."""

    async def put(store: Any, *arguments: Any) -> None:
        raise StoreUnavailable("gone")

    app = over(Responder("Hello"), Double(open_store("memory"), put_completion=put))
    async with app.running():
        got = await ask(app, {**ASK, "stream": streams, "n": count}, path=PATH)
    assert collected(got) == ["Hello"] * count
    assert caplog.messages.count(f"{id_of(got)} was not stored: gone") == 1


async def test_messages_that_are_too_large_to_be_kept(ask: Any) -> None:
    """The request is refused before the upstream is called."""
    upstream = Responder("Hello")
    app = over(upstream, "memory", limits=Limits(max_record=100))
    async with app.running():
        got = await ask(app, {**ASK, "messages": [{"role": "user", "content": "x" * 200}]}, path=PATH)
    assert (got.status, got.error["code"], got.error["param"]) == (400, "request_too_large", "messages")
    assert upstream.bodies == []


@pytest.mark.parametrize("metadata", [{"a": 1}, {"x" * 65: "a"}, {str(i): "a" for i in range(17)}])
async def test_metadata_out_of_bounds(ask: Any, metadata: dict[str, Any]) -> None:
    """It is refused: nobody could filter by it."""
    upstream = Responder("Hello")
    app = over(upstream, "memory")
    async with app.running():
        got = await ask(app, {**ASK, "metadata": metadata}, path=PATH)
    assert (got.status, got.error["type"]) == (400, "invalid_request_error")
    assert upstream.bodies == []
