"""Each call of the upstream is noted, and traced if somebody traces."""

from typing import Any

import anyio
import pytest

from diglot.adapters import Limits, Record, TranslationMiddleware, Upstream
from diglot.adapters.middleware.notes import Attempt, Notes, with_notes
from diglot.adapters.server.app import on_loopback
from diglot.translator import UpstreamError, preset

ASK = {"model": "m", "input": "hi"}
STREAM = {**ASK, "stream": True}
PARENT = {"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "x-request-id": "r1"}


class Tracer:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.told: list[Any] = []

    def begin(self, exchange: Any, body: Any, scope: Any) -> Any:
        self.told.append(("begin", exchange.endpoint, body["model"]))
        self.scope = {**scope, "headers": [*scope["headers"], (b"x-traced", b"1")]}
        return self

    def first_token(self) -> None:
        self.told.append("first")

    def end(self, answer: Any, error: str | None, attempts: list[Attempt]) -> None:
        self.told.append(("end", answer.get("status"), error, [each.result for each in attempts]))


async def traced(talk: Any, app: Any, body: Any, **options: Any) -> tuple[list[Any], Record, Any]:
    """What a tracer is told of one request, its record, and what the client got."""
    records: list[Record] = []
    middleware = TranslationMiddleware(app, on_exchange=records.append, **options)
    asked = talk(middleware, body, headers=PARENT)
    notes, tracer = Notes(), Tracer()
    notes.tracer = tracer
    asked.scope = with_notes(asked.scope, notes)
    await asked.run()
    return tracer.told, records[0], asked


@pytest.mark.anyio
async def test_a_stream(talk: Any, chat: Any, hello: list[bytes]) -> None:
    """From the call to the end of the answer, with the first piece once."""
    app = chat(*hello)
    told, record, _ = await traced(talk, app, STREAM)
    assert told == [("begin", "/chat/completions", "m"), "first", ("end", "completed", None, ["ok"])]
    assert (b"x-traced", b"1") in app.scopes[0]["headers"]
    assert record.first_token is not None
    assert 0 < record.first_token < record.duration
    assert (record.endpoint, record.profile, record.response_model) == ("/responses", "default", "m")
    assert record.request_seconds > 0
    assert record.answer_seconds == 0


@pytest.mark.anyio
async def test_a_whole_answer(talk: Any, chat: Any, completion: bytes) -> None:
    """It has no first piece; how long it took to translate it is known."""
    told, record, _ = await traced(talk, chat(completion, kind="application/json"), ASK)
    assert told == [("begin", "/chat/completions", "m"), ("end", "completed", None, ["ok"])]
    assert record.first_token is None
    assert record.answer_seconds > 0


@pytest.mark.parametrize(
    ("steps", "status", "error", "result"),
    [
        ((b'{"error":{"message":"no","code":"wrong"}}',), 404, "wrong", "4xx"),
        ((b"{}",), 503, "server_error", "5xx"),
        ((b"data: {}\n\n", None), 200, "incomplete", "lost"),
        ((UpstreamError("gone", code="upstream_disconnected"),), 200, "upstream_disconnected", "lost"),
    ],
)
@pytest.mark.anyio
async def test_failures(talk: Any, chat: Any, steps: Any, status: int, error: str, result: str) -> None:
    """An application that is no `Upstream` says how a call ended by what it sends."""
    kind = "application/json" if status != 200 else "text/event-stream"
    told, record, _ = await traced(talk, chat(*steps, status=status, kind=kind), STREAM)
    assert told[-1][2:] == (error, [result])
    assert (record.attempts, record.upstream) == ((Attempt("", result),), "")


@pytest.mark.anyio
async def test_a_second_try(talk: Any, chat: Any, hello: list[bytes]) -> None:
    """Each has a span of its own; what was learned is in the record."""

    refusal = b'{"error": {"message": "Unsupported parameter: \'stream_options\'", "param": "stream_options"}}'
    answers = [chat(refusal, status=400, kind="application/json"), chat(*hello)]

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await answers.pop(0)(scope, receive, send)

    told, record, _ = await traced(talk, app, STREAM)
    assert [each for each in told if each[0] == "end"] == [
        ("end", None, "400", ["4xx"]),
        ("end", "completed", None, ["ok"]),
    ]
    assert [each.result for each in record.attempts] == ["4xx", "ok"]
    assert record.adaptations


@pytest.mark.anyio
async def test_several_choices(responses_side: Any, talk: Any, chat: Any) -> None:
    """One call each."""
    records: list[Record] = []
    app = chat(responses_side.whole, kind="application/json")
    middleware = TranslationMiddleware(app, upstream_api="responses", on_exchange=records.append)
    await talk(middleware, {**responses_side.ask, "n": 3}, path="/v1/chat/completions").run()
    assert records[0].attempts == (Attempt("", "ok"),) * 3


@pytest.mark.anyio
async def test_the_client_leaves(talk: Any, chat: Any) -> None:
    """That is no error of the upstream."""
    records: list[Record] = []
    middleware = TranslationMiddleware(chat(3600), on_exchange=records.append)
    asked = talk(middleware, STREAM)
    asked.gone.set()
    await asked.run()
    assert [each.result for each in records[0].attempts] == ["abandoned"]


@pytest.mark.anyio
async def test_ids_of_the_client(talk: Any, chat: Any, hello: list[bytes]) -> None:
    """Without a server that notes them, the middleware reads them itself; forged ones are left out."""
    records: list[Record] = []
    middleware = TranslationMiddleware(chat(*hello), on_exchange=records.append)
    await talk(middleware, STREAM, headers=PARENT).run()
    await talk(middleware, STREAM, headers={"traceparent": "x" * 10**6, "x-request-id": "y" * 10**6}).run()
    assert [(r.request_id, r.trace_id) for r in records] == [("r1", "0af7651916cd43dd8448eb211c80319c"), ("", "")]


@pytest.mark.anyio
async def test_an_upstream(talk: Any) -> None:
    """It notes its own calls: its address without credentials, and how each ended."""
    records: list[Record] = []
    upstream = Upstream("http://user:secret@127.0.0.1:9")
    await talk(TranslationMiddleware(upstream, preset("vllm"), on_exchange=records.append), ASK).run()
    await upstream.aclose()
    assert records[0].attempts == (Attempt("127.0.0.1:9", "refused"),)
    assert (records[0].upstream, records[0].profile) == ("127.0.0.1:9", "vllm")


@pytest.mark.anyio
async def test_a_summary_in_front(talk: Any, chat: Any, hello: list[bytes]) -> None:
    """It is a call, too, but nothing of it is the client's first piece."""
    records: list[Record] = []
    app = chat(*hello)
    middleware = TranslationMiddleware(app, on_exchange=records.append)
    turns = [{"role": role, "content": "hi " * 1000} for role in ("user", "assistant", "user")]
    management = [{"type": "compaction", "compact_threshold": 100}]
    await talk(middleware, {**STREAM, "input": turns, "store": False, "context_management": management}).run()
    assert len(app.bodies) == len(records[0].attempts) == 2
    assert records[0].first_token is not None


@pytest.mark.parametrize(
    ("steps", "status", "result"),
    [([b"{}"], 503, "5xx"), ([b"{}"], 404, "4xx"), ([None], 200, "lost"), ([3600], 200, "timeout"), ([], 200, "ok")],
)
def test_an_upstream_that_answers(
    talk: Any, chat: Any, completion: bytes, steps: list[Any], status: int, result: str
) -> None:
    """What came back counts, however long somebody was ready to wait for it."""
    records: list[Record] = []

    async def main() -> None:
        app = chat(*(steps or [completion]), status=status, kind="application/json")
        async with on_loopback(app) as url:
            upstream = Upstream(url, limits=Limits(first_byte=0.3))
            await talk(TranslationMiddleware(upstream, on_exchange=records.append), ASK).run()
            app.steps = ()
            await upstream.aclose()

    anyio.run(main)
    assert [each.result for each in records[0].attempts] == [result]


@pytest.mark.anyio
@pytest.mark.parametrize("method", ["begin", "first_token", "end"])
async def test_a_tracer_that_raises(
    talk: Any, chat: Any, hello: list[bytes], monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    """The client does not notice."""

    def broken(*told: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(Tracer, method, broken)
    _, record, asked = await traced(talk, chat(*hello), STREAM)
    assert record.outcome == "completed"
    assert b"response.completed" in asked.body


@pytest.mark.anyio
async def test_the_client_leaves_a_stream(talk: Any, chat: Any, hello: list[bytes]) -> None:
    """Its server raises when it is told more, and so does the application: that is no error of the upstream, either."""
    records: list[Record] = []
    asked = talk(TranslationMiddleware(chat(*hello), on_exchange=records.append), STREAM)
    notes, tracer = Notes(), Tracer()
    notes.tracer = tracer
    asked.scope = with_notes(asked.scope, notes)

    async def gone(message: Any) -> None:
        raise OSError

    asked.hold = gone
    await asked.run()
    assert records[0].outcome == "disconnected"
    assert [each.result for each in records[0].attempts] == ["ok"]
    assert tracer.told[-1][2] is None
