"""`truncation: auto`: requests that an upstream finds too long are made shorter, as often as that helps."""

from typing import Any

import pytest
from scripted_model import Model

from diglot.adapters import TranslationMiddleware

pytestmark = pytest.mark.anyio

WORDS = "word " * 100
AUTO = {"model": "m", "truncation": "auto", "instructions": "Be brief."}


def turn(number: int) -> list[dict[str, Any]]:
    """A turn of a user and a model."""
    said = {"type": "output_text", "text": f"Answer {number} {WORDS}"}
    return [
        {"type": "message", "role": "user", "content": f"Question {number} {WORDS}"},
        {"type": "message", "role": "assistant", "content": [said]},
    ]


LAST = {"type": "message", "role": "user", "content": "Now?"}


class Short(Model):
    """An upstream that takes so many messages; with *numbers*, its refusals say how much too long a request is."""

    def __init__(self, most: int, numbers: bool = False) -> None:
        super().__init__("Yes")
        self.most, self.numbers = most, numbers

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        async def take() -> Any:
            message = await receive()
            count = message["body"].count(b'"role"')
            about = f" maximum context length is {self.most * 1000} tokens, you asked for {count * 1000} tokens"
            error = {"code": "context_length_exceeded", "message": f"Too long:{about if self.numbers else ''}"}
            self.answers = [(400, {"error": error})] if count > self.most else ["Yes"]
            return message

        await super().__call__(scope, take, send)


def sizes(model: Model) -> list[int]:
    return [len(body["messages"]) for body in model.bodies]


@pytest.mark.parametrize("streams", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("numbers", [False, True], ids=["no numbers", "numbers"])
async def test_the_oldest_turns_go(ask: Any, streams: bool, numbers: bool) -> None:
    """Until it is short enough; instructions and the last turn stay, and the client is told."""
    model = Short(6, numbers)
    items = [item for number in range(8) for item in turn(number)]
    got = await ask(TranslationMiddleware(model), {**AUTO, "stream": streams, "input": [*items, LAST]})
    assert got.status == 200
    assert (got.events[-1]["response"] if streams else got.json)["truncation"] == "auto"
    assert 1 < len(model.bodies) <= 5
    assert sizes(model)[-1] <= 6
    first, *_, last = model.bodies[-1]["messages"]
    assert (first["content"], last["content"]) == ("Be brief.", "Now?")
    assert model.bodies[-1]["messages"][1]["role"] == "user"
    left = (18 - sizes(model)[-1]) // 2 * 2
    assert f"the oldest {left} items were left out" in got.headers["diglot-losses"]


async def test_a_history_is_made_shorter(store_url: str, ask: Any) -> None:
    """What is stored stays whole."""
    model = Short(100)
    app = TranslationMiddleware(model, store=store_url)
    async with app.running():
        ident = None
        for number in range(4):
            body = {**AUTO, "input": [turn(number)[0]], "previous_response_id": ident}
            ident = (await ask(app, body)).json["id"]
        model.most = 4
        got = await ask(app, {**AUTO, "input": [LAST], "previous_response_id": ident})
        assert got.json["status"] == "completed"
        assert sizes(model)[-1] <= 4
        listed = await ask(app, path=f"/v1/responses/{got.json['id']}/input_items", query_string=b"limit=100")
    assert len(listed.json["data"]) == 9
    assert "items were left out" in got.headers["diglot-losses"]


async def test_it_is_tried_four_times(ask: Any) -> None:
    """Then the client gets the upstream's own error."""
    model = Short(0)
    items = [item for number in range(64) for item in turn(number)]
    got = await ask(TranslationMiddleware(model), {**AUTO, "input": [*items, LAST]})
    assert (got.status, got.error["code"], got.error["message"]) == (400, "context_length_exceeded", "Too long:")
    assert len(model.bodies) == 5


@pytest.mark.parametrize(
    "body",
    [
        {"truncation": "disabled", "input": [*turn(0), *turn(1), LAST]},
        {"truncation": None, "input": [*turn(0), *turn(1), LAST]},
        {"input": [LAST]},
        {"input": "Now?"},
    ],
    ids=["disabled", "null", "one turn", "text"],
)
async def test_nothing_may_go(ask: Any, body: dict[str, Any]) -> None:
    """The error is the upstream's."""
    model = Short(0)
    got = await ask(TranslationMiddleware(model), {**AUTO, **body})
    assert (got.status, got.error["code"]) == (400, "context_length_exceeded")
    assert len(model.bodies) == 1


async def test_another_error_is_no_reason(ask: Any) -> None:
    """Only what is too long is made shorter."""
    model = Model((400, {"error": {"message": "Bad.", "code": "bad"}}))
    got = await ask(TranslationMiddleware(model), {**AUTO, "input": [*turn(0), *turn(1), LAST]})
    assert (got.status, got.error["code"]) == (400, "bad")
    assert len(model.bodies) == 1


async def test_payloads_are_left_out_with_their_turns(store_url: str, ask: Any) -> None:
    """A picture is as large as it is."""
    url = "data:image/png;base64," + "A" * 100_000
    model = Short(3)
    app = TranslationMiddleware(model, store=store_url)
    seen = {"role": "user", "content": [{"type": "input_image", "image_url": url}]}
    async with app.running():
        got = await ask(app, {**AUTO, "input": [seen, turn(0)[1], *turn(1), LAST]})
        shown = await ask(
            app,
            path=f"/v1/responses/{got.json['id']}/input_items",
            query_string=b"include=message.input_image.image_url&order=asc",
        )
    assert got.json["status"] == "completed"
    assert url not in str(model.bodies[-1])
    assert shown.json["data"][0]["content"][0]["image_url"] == url
