"""How many tokens a request would have, over what it continues."""

from typing import Any

import pytest
from scripted_model import USAGE, Model

from diglot.adapters import Limits, TranslationMiddleware
from diglot.adapters.stateful import counting
from diglot.translator import state

pytestmark = pytest.mark.anyio

PATH = "/v1/responses/input_tokens"
ASK = {"model": "m", "input": "One"}


@pytest.fixture(autouse=True)
def no_vocabulary(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing but an estimate is left."""
    monkeypatch.setattr(counting, "encoding_on_disk", lambda model: None)


async def test_a_request_alone(store_url: str, ask: Any) -> None:
    """The shape is OpenAI's; a header says how it was counted."""
    app = TranslationMiddleware(Model("Yes"), store=store_url)
    async with app.running():
        got = await ask(app, {**ASK, "input": "word " * 100}, path=PATH)
    assert got.json["object"] == "response.input_tokens"
    assert got.headers["diglot-token-count"] == "estimate"
    assert 50 < got.json["input_tokens"] < 300


async def test_a_chain_starts_with_what_it_used(store_url: str, ask: Any) -> None:
    """Only what was added has to be estimated."""
    app = TranslationMiddleware(Model("Yes"), store=store_url)
    async with app.running():
        first = (await ask(app, ASK)).json
        counts: list[int] = []
        for more in "Two", [{"role": "user", "content": "Two"}]:
            got = await ask(app, {"model": "m", "input": more, "previous_response_id": first["id"]}, path=PATH)
            counts.append(got.json["input_tokens"])
    added = state.tokens.estimate_after(first["usage"], [{"role": "user", "content": "Two"}])
    assert added is not None
    assert counts == [added.tokens] * 2
    assert added.tokens > USAGE["total_tokens"]


async def test_a_chain_that_can_be_counted(ask: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """All of it is counted: that is better than what is added to an earlier number."""

    class Letters:
        def encode_ordinary(self, text: str) -> list[str]:
            return list(text)

    monkeypatch.setattr(counting, "encoding_on_disk", lambda model: Letters())
    app = TranslationMiddleware(Model("Yes"), store="memory")
    async with app.running():
        first = (await ask(app, {**ASK, "input": "x" * 1000})).json
        got = await ask(app, {**ASK, "previous_response_id": first["id"]}, path=PATH)
    assert got.headers["diglot-token-count"] == "tiktoken"
    assert got.json["input_tokens"] > 1000


async def test_a_conversation_is_counted_without_its_lock(store_url: str, ask: Any) -> None:
    """It is only read."""
    app = TranslationMiddleware(Model("Yes"), store=store_url)
    async with app.running():
        items = [{"type": "message", "role": "user", "content": "word " * 500}]
        conversation = (await ask(app, {"items": items}, path="/v1/conversations")).json["id"]
        alone = await ask(app, ASK, path=PATH)
        got = await ask(app, {**ASK, "conversation": conversation}, path=PATH)
        assert (await ask(app, {**ASK, "conversation": conversation})).status == 200
    assert got.json["input_tokens"] > alone.json["input_tokens"] + 400


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({**ASK, "previous_response_id": "resp_" + "0" * 32}, 400),
        ({**ASK, "conversation": "conv_" + "0" * 32}, 404),
        ({**ASK, "input": [{"role": "nobody", "content": "x"}]}, 400),
    ],
)
async def test_what_cannot_be_counted(store_url: str, ask: Any, body: dict[str, Any], status: int) -> None:
    """The error is the one that the request itself would get."""
    model = Model("Yes")
    app = TranslationMiddleware(model, store=store_url)
    async with app.running():
        counted, asked = await ask(app, body, path=PATH), await ask(app, body)
    assert counted.status == asked.status == status
    assert counted.error == asked.error
    assert model.bodies == []


async def test_the_applications_own(ask: Any) -> None:
    """Without a store, and where the application has Responses itself, the request is the application's."""
    model = Model("Its own")
    await ask(TranslationMiddleware(model), ASK, path=PATH)
    app = TranslationMiddleware(model, store="memory", upstream_api="responses", limits=Limits())
    async with app.running():
        await ask(app, ASK, path=PATH)
    assert len(model.bodies) == 2
