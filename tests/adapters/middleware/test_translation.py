"""How one request is translated: the rest is tested where requests are served."""

from __future__ import annotations

import threading

import pytest

from diglot.adapters.middleware.translation import Translation
from diglot.translator import Exchange, Profile, RequestBody, RequestError, Summary, TranslationError, preset

pytestmark = pytest.mark.anyio

SCOPE = {"path": "/v1/responses"}


def translation(body: object) -> Translation:
    made = Translation(SCOPE, "/responses")
    made.bodies.take(RequestBody(body))
    return made


async def test_the_exchange_and_the_bytes() -> None:
    """Both are there when it is made."""
    made = translation({"model": "m", "input": "Hi"})
    exchange = await made.make(preset("vllm"), strict=False)
    assert (made.exchange, made.profile) == (exchange, preset("vllm"))
    assert b"".join(made.bodies.request) == b'{"model":"m","messages":[{"role":"user","content":"Hi"}]}'


async def test_items_that_do_not_fit_stay_out() -> None:
    """Until others take their place; nothing new leaves out what was left out before."""
    items = [{"role": "user", "content": text} for text in ("one", "two", "three")]
    made = translation({"model": "m", "input": items, "truncation": "auto"})
    made.leave_out(frozenset({0}))
    made.leave_out(frozenset())
    exchange = await made.make(preset("default"), strict=False)
    assert [message["content"] for message in exchange.request["messages"]] == ["two", "three"]


async def test_no_summary_before_it_is_translated() -> None:
    """Nobody knows how long it is."""
    assert translation({}).summary_request() is None


@pytest.mark.parametrize("size", [0, 2**21])
async def test_the_history_without_its_summary(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The history stays, and the report says so; large requests are translated in a thread."""
    make, threads = Translation.make_at_once, set[int]()

    def without_summary(self: Translation, profile: Profile, strict: bool) -> Exchange:
        threads.add(threading.get_ident())
        if self._summary is not None:
            raise RequestError("No.")
        return make(self, profile, strict)

    monkeypatch.setattr(Translation, "make_at_once", without_summary)
    made = Translation(SCOPE, "/responses")
    made.bodies.take(RequestBody({"model": "m", "input": "Hi"}, size=size))
    exchange = await made.behind(Summary({}, None), preset("default"), strict=False)
    assert [loss.why for loss in exchange.report] == ["the upstream wrote no summary"]
    assert (threading.get_ident() in threads) is (size == 0)


async def test_a_bug_is_an_error(caplog: pytest.LogCaptureFixture) -> None:
    """The client gets an answer all the same, and the log no content."""
    made = translation({"model": "secret"})

    def broken(make: object) -> None:
        raise KeyError(made.bodies.received.body["model"])

    made.bodies.received.translate = broken  # type: ignore[method-assign,assignment]
    with pytest.raises(TranslationError, match="could not be translated"):
        await made.make(preset("default"), strict=False)
    assert "secret" not in caplog.text


async def test_an_error_of_the_client() -> None:
    """It is raised as it is."""
    with pytest.raises(RequestError):
        await translation({"model": "m"}).make(preset("default"), strict=False)


async def test_a_summary_that_cannot_be_used() -> None:
    """The history stays, and that is reported."""
    item = {"type": "compaction", "id": "cmp_1", "encrypted_content": "somebody else's"}
    items = [{"role": "user", "content": text} for text in ("one", "two")]
    made = translation({"model": "m", "input": items, "context_management": [{"type": "compaction"}]})
    await made.make(preset("default"), strict=False)
    exchange = await made.behind(Summary(item, None), preset("default"), strict=False)
    assert [message["content"] for message in exchange.request["messages"]] == ["one", "two"]
    assert "the upstream wrote no summary" in [loss.why for loss in exchange.report]
    assert made.summary_request() is None
