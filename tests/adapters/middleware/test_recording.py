"""What is left of an exchange: a record for the access log and for the host."""

import json
import logging
from typing import Any

import pytest

from diglot.adapters import Record, TranslationMiddleware

pytestmark = pytest.mark.anyio

ASK = {"model": "m", "input": "hi"}


async def test_record(side: Any, chat: Any, caplog: pytest.LogCaptureFixture) -> None:
    """Every exchange leaves one record without a word that anybody wrote."""
    caplog.set_level(logging.INFO, "diglot.access")
    records: list[Record] = []
    body = json.loads(json.dumps(side.lossy).replace('"hi"', '"my secret"'))
    scope = {"headers": {"authorization": "Bearer key"}, "query_string": b"q=hidden"}
    await side.talk(chat(*side.hello), {**body, "stream": True}, scope, on_exchange=records.append).run()
    (record,) = records
    assert (record.method, record.path, record.status, record.model) == ("POST", side.path, 200, "m")
    assert (record.streaming, record.outcome, record.error) == (True, "completed", None)
    assert [(loss.path, loss.value) for loss in record.losses] == [(side.lost, None)]
    logged = [entry.__dict__["exchange"] for entry in caplog.records if entry.name == "diglot.access"]
    assert logged == [record.fields()]
    assert not any(word in str(caplog.records[0].__dict__) for word in ("secret", "Bearer", "hidden"))


@pytest.mark.parametrize("ask", ["ask", "stream"])
async def test_usage_in_the_record(side: Any, chat: Any, ask: str) -> None:
    """Tokens are counted under the same names in both directions."""
    records: list[Record] = []
    app = chat(side.whole, kind="application/json")
    await side.talk(app, side.body[ask], on_exchange=records.append).run()
    fields = records[0].fields()
    assert (fields["input_tokens"], fields["output_tokens"], fields["outcome"]) == (1, 2, "completed")


async def test_endings_in_the_record(responses_side: Any, chat: Any) -> None:
    """A chat answer that is not whole is not called completed."""
    side, outcomes = responses_side, list[str]()
    cut = {**json.loads(side.whole), "status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}}
    failed = {**cut, "status": "failed", "error": {"code": "server_error", "message": "no"}}
    for body, ask in ((cut, side.ask), (failed, side.ask), (failed, side.stream)):
        app = chat(json.dumps(body).encode(), kind="application/json")
        await side.talk(app, ask, on_exchange=lambda record: outcomes.append(record.outcome)).run()
    app = chat(*side.hello[:-1])
    await side.talk(app, side.stream, on_exchange=lambda record: outcomes.append(record.outcome)).run()
    assert outcomes == ["incomplete", "refused", "refused", "failed"]


async def test_a_broken_callback_breaks_nothing(
    talk: Any, chat: Any, completion: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    """What on_exchange raises is logged and nothing else."""

    def fail(record: Record) -> None:
        raise RuntimeError

    got = await talk(TranslationMiddleware(chat(completion, kind="application/json"), on_exchange=fail), ASK).run()
    assert got.status == 200
    assert "on_exchange raised" in caplog.text
