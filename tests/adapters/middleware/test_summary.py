"""A history that is too long is summarized first, in the same answer."""

from __future__ import annotations

from typing import Any

import anyio
import pytest
from scripted_model import Model, call

from diglot.adapters import Limits, TranslationMiddleware
from diglot.adapters.middleware.sink import ClientGone
from diglot.adapters.middleware.summary import SummarySink, summary_in

pytestmark = pytest.mark.anyio

LONG = {"role": "user", "content": "word " * 500}
DONE = {"type": "message", "role": "assistant", "content": "Done."}
NOW = {"role": "user", "content": "And now?"}
REFUSED = (400, {"error": {"message": "no", "type": "invalid_request_error"}})


def managed(*items: Any, threshold: int = 100, **more: Any) -> dict[str, Any]:
    """A request that is to be summarized above a threshold."""
    management = [{"type": "compaction", "compact_threshold": threshold}]
    return {"model": "m", "input": [*items], "store": False, "context_management": management, **more}


@pytest.fixture(params=[False, True], ids=["whole", "streamed"])
def way(request: pytest.FixtureRequest) -> dict[str, Any]:
    return {"stream": True} if request.param else {}


def answered(got: Any) -> dict[str, Any]:
    assert got.status == 200, got.body
    return got.events[-1]["response"] if got.events else got.json


async def test_the_summary_comes_first(talk: Any, way: dict[str, Any]) -> None:
    """The model goes on from it and the last turn; both calls are in the usage."""
    model = Model("Words were said.", "Now this.")
    system = {"role": "system", "content": "Be brief."}
    got = await talk(TranslationMiddleware(model), managed(system, LONG, DONE, NOW, **way)).run()
    answer = answered(got)
    assert [item["type"] for item in answer["output"]] == ["compaction", "message"]
    assert answer["usage"]["total_tokens"] == 24
    assert "summary" in model.bodies[0]["messages"][-1]["content"]
    first, *others = model.bodies[1]["messages"]
    assert first["content"].startswith("Be brief.")
    assert "Words were said." in str(model.bodies[1]["messages"])
    assert others[-1]["content"] == "And now?"
    assert "word word" not in str(model.bodies[1])
    if way:
        kinds = [event["type"] for event in got.events]
        assert kinds[:4] == [
            *("response.created", "response.in_progress", "response.output_item.added", "response.output_item.done")
        ]
        assert [event["sequence_number"] for event in got.events] == list(range(len(got.events)))


async def test_what_is_short_is_left_alone(talk: Any, way: dict[str, Any]) -> None:
    """Below the threshold, there is one call."""
    model = Model("Yes")
    answer = answered(await talk(TranslationMiddleware(model), managed(LONG, NOW, threshold=10_000, **way)).run())
    assert (len(model.bodies), [item["type"] for item in answer["output"]]) == (1, ["message"])


async def test_one_long_turn_is_summarized_as_a_whole(talk: Any) -> None:
    """An agent that works on one task says all of it in one turn."""
    model = Model("A summary.", "Done.")
    item = {"type": "function_call", "call_id": "c1", "name": "look", "arguments": "{}"}
    output = {"type": "function_call_output", "call_id": "c1", "output": "x " * 800}
    await talk(TranslationMiddleware(model), managed(LONG, item, output)).run()
    assert [message["role"] for message in model.bodies[1]["messages"]] == ["system"]


async def test_later_turns_start_at_the_summary(store_url: str, ask: Any, way: dict[str, Any]) -> None:
    """In a chain, what was summarized is not sent again, and not summarized again."""
    model = Model("First", "All of it.", "Second", "Third")
    app = TranslationMiddleware(model, store=store_url)
    async with app.running():
        first = answered(await ask(app, {"model": "m", "input": [LONG]}))
        chained = managed(NOW, previous_response_id=first["id"], threshold=11, store=True, **way)
        second = answered(await ask(app, chained))
        third = answered(
            await ask(app, {**chained, "previous_response_id": second["id"], "input": [NOW], "context_management": []})
        )
        read = (await ask(app, path=f"/v1/responses/{second['id']}", query_string=b"")).json
    assert [item["type"] for item in second["output"]] == ["compaction", "message"]
    assert [item["type"] for item in read["output"]] == ["compaction", "message"]
    assert len(model.bodies) == 4
    texts = [message["content"] for message in model.bodies[3]["messages"]]
    assert "All of it." in texts[0]
    assert texts[1:] == ["Second", "And now?"]
    assert third["previous_response_id"] == second["id"]


@pytest.mark.parametrize("summary", [REFUSED, ""], ids=["refused", "empty"])
async def test_without_a_summary_the_history_stays(talk: Any, way: dict[str, Any], summary: Any) -> None:
    """A failed summary is a loss, not an error."""
    model = Model(summary, "Yes")
    got = await talk(TranslationMiddleware(model), managed(LONG, DONE, NOW, **way)).run()
    assert [item["type"] for item in answered(got)["output"]] == ["message"]
    assert len(model.bodies) == 2
    assert "word word" in str(model.bodies[1])
    assert "the upstream wrote no summary" in got.headers["diglot-losses"]


async def test_a_client_that_waits_for_the_summary_is_kept(talk: Any) -> None:
    """Comments keep its connection alive; what fails later fails in the stream."""
    frames = Model("").frames("A summary.")
    model = Model([0.3, *frames], REFUSED)
    app = TranslationMiddleware(model, limits=Limits(keepalive=0.05))
    got = await talk(app, managed(LONG, DONE, NOW, stream=True)).run()
    assert got.status == 200
    assert got.body.index(b": keep-alive") < got.body.index(b"response.created")
    assert [event["type"] for event in got.events] == [
        *("response.created", "response.in_progress", "response.output_item.added", "response.output_item.done"),
        "response.failed",
    ]


async def test_a_client_that_leaves_meanwhile(talk: Any, way: dict[str, Any]) -> None:
    """Nothing more is asked for it."""
    model = Model([30.0], "Yes")
    got = talk(TranslationMiddleware(model, limits=Limits(shutdown=0.05)), managed(LONG, NOW, **way))
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(got.run)
        await model.reached.wait()
        await anyio.sleep(0.1)
        got.gone.set()
    assert len(model.bodies) == 1


async def test_payloads_are_decoded_for_it(talk: Any) -> None:
    """A picture in the history is summarized, too."""
    picture = {"type": "input_image", "image_url": "data:image/png;base64," + "QUJD" * 40_000}
    model = Model("A picture.", "Yes")
    seen = {"role": "user", "content": [picture]}
    answer = answered(await talk(TranslationMiddleware(model), managed(seen, DONE, LONG, DONE, NOW)).run())
    assert [item["type"] for item in answer["output"]] == ["compaction", "message"]
    assert model.bodies[0]["messages"][0]["content"][0]["image_url"]["url"] == picture["image_url"]


@pytest.mark.parametrize(
    ("management", "param"),
    [
        ([{"type": "other"}], "context_management[0].type"),
        ([{"type": "compaction", "compact_threshold": 0}], "context_management[0].compact_threshold"),
        ([{"type": "compaction", "compact_threshold": "9"}], "context_management[0].compact_threshold"),
        ("compaction", "context_management"),
    ],
)
async def test_what_is_no_management(talk: Any, management: Any, param: str) -> None:
    """It is refused with its place."""
    model = Model("Yes")
    got = await talk(TranslationMiddleware(model), {**managed(NOW), "context_management": management}).run()
    assert (got.status, got.error["param"], model.bodies) == (400, param, [])


async def test_calls_go_on_behind_a_summary(talk: Any) -> None:
    """A call of the last turn is an output item like any other."""
    model = Model("A summary.", call("c1"))
    tools = [{"type": "function", "name": "look", "parameters": {"type": "object", "properties": {}}}]
    answer = answered(await talk(TranslationMiddleware(model), managed(LONG, DONE, NOW, tools=tools)).run())
    assert [item["type"] for item in answer["output"]] == ["compaction", "function_call"]


@pytest.mark.parametrize(
    "answer",
    [{}, {"status": "failed", "output": []}, {"status": "completed", "output": [{"type": "message"}]}],
)
def test_what_is_no_summary(answer: dict[str, Any]) -> None:
    """Only a whole one counts."""
    assert summary_in(answer) is None


class _Gone:
    """A client that has left."""

    gone, started = True, False

    def leave(self) -> None:
        self.left = True


async def test_the_sink_of_a_client_that_left() -> None:
    """Who writes is told."""
    client = _Gone()
    sink = SummarySink(client)  # type: ignore[arg-type]
    sink.leave()
    assert client.left
    with pytest.raises(ClientGone):
        await sink.open([], [])
