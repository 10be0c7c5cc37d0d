"""What the chat application sends in all its forms, and what the client gets for it."""

import gzip
import json
import zlib
from typing import Any

import anyio
import pytest
import zstandard

from diglot.adapters import Limits, TranslationMiddleware
from diglot.adapters.middleware.attempt import UpstreamAttempt
from diglot.adapters.middleware.client_writer import ClientWriter
from diglot.translator import AnswerReader, ServeResponses, UpstreamError

pytestmark = pytest.mark.anyio

DONE = b"data: [DONE]\n\n"
ERROR = b'{"error":{"message":"no such model","type":"invalid_request_error","param":null,"code":"model_not_found"}}'


@pytest.mark.parametrize("ask", ["ask", "stream"])
async def test_http_error(side: Any, chat: Any, ask: str) -> None:
    """An error status of the upstream is the client's error status."""
    headers = {"retry-after": "7"}
    got = await side.talk(chat(ERROR, status=404, kind="application/json", headers=headers), side.body[ask]).run()
    assert (got.status, got.error["code"]) == (404, "model_not_found")
    assert got.headers["retry-after"] == "7"
    assert got.complete


async def test_error_that_is_no_json(side: Any, chat: Any) -> None:
    """Any error body becomes one in the usual shape."""
    got = await side.talk(chat(b"<html>busy</html>", status=503, kind="text/html"), side.ask).run()
    assert got.status == 503
    assert set(got.error) == {"message", "type", "param", "code"}


async def test_stream_without_end(side: Any, chat: Any) -> None:
    """A stream that goes on and on ends as failed at its limit; what came before stays in the answer."""
    endless = [*side.begin, *[side.say("Hello")] * 1000]
    got = await side.talk(chat(*endless), side.stream, limits=Limits(max_stream=20_000)).run()
    assert side.ending(got) == "failed"
    assert "longer than 20000 bytes" in side.failure(got)
    assert side.text(got).startswith("HelloHello")
    assert not side.is_chat or got.events[-1]["response"]["output"][0]["status"] == "incomplete"


async def test_redirect(side: Any, chat: Any) -> None:
    """A redirect is no answer."""
    assert (await side.talk(chat(status=307), side.ask).run()).status == 502


@pytest.mark.parametrize("ask", ["ask", "stream"])
async def test_error_with_200(side: Any, chat: Any, ask: str) -> None:
    """An error body is an error whatever the status says."""
    got = await side.talk(chat(ERROR, kind="application/json"), side.body[ask]).run()
    assert got.status >= 400
    assert got.error["message"] == "no such model"


async def test_a_large_error_with_200(side: Any, chat: Any) -> None:
    """Also where the frames of an answer so large are made one by one."""
    body = ERROR.replace(b"no such model", b"no " + b"x" * 2**21)
    got = await side.talk(chat(body, kind="application/json"), side.stream).run()
    assert got.status >= 400
    assert got.error["message"].startswith("no xxx")


async def test_whole_body_for_a_stream(side: Any, chat: Any) -> None:
    """An upstream that ignores `stream` is streamed all the same."""
    pretty = json.dumps(json.loads(side.whole), indent=2).encode()
    got = await side.talk(chat(pretty[:50], pretty[50:], kind="application/json"), side.stream).run()
    assert side.ending(got) == "completed"
    assert side.text(got) == "Hello"


@pytest.mark.parametrize("kind", ["text/plain", "application/json", "TEXT/Event-Stream; x=y"])
async def test_stream_under_another_name(side: Any, chat: Any, kind: str) -> None:
    """An event stream is known by its first byte, not only by its name."""
    got = await side.talk(chat(b"\n", *side.hello, kind=kind), side.stream).run()
    assert side.ending(got) == "completed"


async def test_stream_that_nobody_asked_for(side: Any, chat: Any) -> None:
    """Some servers always stream: a client that wants a whole body gets one."""
    got = await side.talk(chat(*side.hello), side.ask).run()
    assert (got.status, side.text(got)) == (200, "Hello")
    assert got.headers["content-type"] == "application/json"


async def test_cut_stream_that_nobody_asked_for(side: Any, chat: Any) -> None:
    """It must have an end; a Response can say that it failed, a completion cannot."""
    got = await side.talk(chat(*side.hello[:2]), side.ask).run()
    assert (got.status, got.json.get("status")) == ((200, "failed") if side.is_chat else (502, None))
    assert (await side.talk(chat(b"data: 1\n\n"), side.ask).run()).status == 502
    long = await side.talk(chat(*side.hello), side.ask, limits=Limits(max_answer=20)).run()
    assert (long.status, "larger than 20 bytes" in long.error["message"]) == (502, True)


async def test_compaction_needs_a_whole_body(chat: Any, side: Any) -> None:
    """A summary that comes as a stream is no summary yet."""
    if side.is_chat:
        scope = {"path": "/v1/responses/compact"}
        assert (await side.talk(chat(*side.hello), {"model": "m", "input": "hi"}, scope).run()).status == 502


@pytest.mark.parametrize("body", [b"", b"not json", b"[]", b'"x"', b"{}"])
@pytest.mark.parametrize("ask", ["ask", "stream"])
async def test_nonsense(side: Any, chat: Any, body: bytes, ask: str) -> None:
    """What is no answer is answered with 502, never with an empty success."""
    got = await side.talk(chat(body, kind="application/json"), side.body[ask]).run()
    assert got.status == 502 or side.ending(got) == "failed"


async def test_answer_over_the_limit(side: Any, chat: Any) -> None:
    """An answer that is too large is refused; of an error that is too large, the beginning is enough."""
    limits = Limits(max_answer=20, max_error=20)
    good = await side.talk(chat(side.whole, kind="application/json"), side.ask, limits=limits).run()
    bad = await side.talk(chat(b"x" * 99, status=429), side.ask, limits=limits).run()
    assert good.status == 502
    assert bad.status == 429


async def test_error_first(side: Any, chat: Any) -> None:
    """An error as the first event of a stream is an HTTP error still."""
    got = await side.talk(chat(b"data: " + ERROR + b"\n\n"), side.stream).run()
    assert got.status >= 400
    assert got.error["message"] == "no such model"


async def test_error_later(side: Any, chat: Any) -> None:
    """An error in the middle ends the stream as failed, with what was said so far."""
    got = await side.talk(chat(side.say("Hel"), b"data: " + ERROR + b"\n\n"), side.stream).run()
    assert side.ending(got) == "failed"
    assert side.text(got) == "Hel"
    assert got.complete


@pytest.mark.parametrize("end", [None, b"", RuntimeError("boom")])
async def test_cut(side: Any, chat: Any, end: Any) -> None:
    """A stream that stops in the middle, in whatever way, is never completed."""
    got = await side.talk(chat(side.say("Hel"), end), side.stream).run(raises=end)
    assert side.ending(got) == "failed"
    assert got.complete


@pytest.mark.parametrize("end", [None, b"", RuntimeError("boom")])
async def test_end_without_done(side: Any, chat: Any, end: Any) -> None:
    """After a finish reason the answer is whole, whatever becomes of the connection."""
    got = await side.talk(chat(side.say("Hello"), side.end, end), side.stream).run(raises=end)
    assert side.ending(got) == "completed"


@pytest.mark.parametrize("end", [None, RuntimeError("boom")])
async def test_nothing_at_all(side: Any, chat: Any, end: Any) -> None:
    """An application that starts an answer and says nothing gives 502."""
    got = await side.talk(chat(end), side.stream).run(raises=end)
    assert got.status == 502
    assert got.complete


async def test_what_follows_the_end_is_ignored(side: Any, chat: Any) -> None:
    """Nothing is sent after the terminal event."""
    got = await side.talk(chat(*side.hello, side.say("more")), side.stream).run()
    assert side.ending(got) == "completed"
    assert got.complete


async def test_a_line_without_end(side: Any, chat: Any) -> None:
    """A line over the limit ends the stream."""
    app = chat(side.say("x"), b"data: " + b"x" * 5000)
    got = await side.talk(app, side.stream, limits=Limits(max_line=1000)).run()
    assert side.ending(got) == "failed"


def packed(name: str, data: bytes) -> bytes:
    return {"gzip": gzip.compress, "deflate": zlib.compress, "zstd": zstandard.compress}[name](data)


@pytest.mark.parametrize("name", ["gzip", "deflate", "zstd"])
async def test_compressed(side: Any, chat: Any, name: str) -> None:
    """A compression that nobody asked for is undone: in whole answers, in streams however cut, and in errors."""
    headers = {"content-encoding": name}
    whole = chat(packed(name, side.whole), kind="application/json", headers=headers)
    got = await side.talk(whole, side.ask).run()
    assert side.text(got) == "Hello"
    data = packed(name, b"".join(side.hello))
    stream = chat(*(data[i : i + 7] for i in range(0, len(data), 7)), headers=headers)
    assert side.ending(await side.talk(stream, side.stream).run()) == "completed"
    refused = chat(packed(name, ERROR), status=404, kind="application/json", headers=headers)
    assert (await side.talk(refused, side.ask).run()).error["code"] == "model_not_found"


@pytest.mark.parametrize(
    ("name", "body", "why"),
    [
        ("br", b"x", "compressed its answer"),
        ("gzip", b"nonsense", "compressed its answer"),
        ("gzip", gzip.compress(bytes(9999), mtime=0), "larger than 5000 bytes"),
        ("gzip", gzip.compress(b"{", mtime=0) + b"junk" * 2000, "larger than 5000 bytes"),
    ],
    ids=["unknown", "damaged", "bomb", "junk"],
)
async def test_compressed_beyond_us(side: Any, chat: Any, name: str, body: bytes, why: str) -> None:
    """What cannot be undone, is too large or becomes so is the upstream's fault; an error keeps its status."""
    limits, headers = Limits(max_answer=5000, max_error=5000), {"content-encoding": name}
    got = await side.talk(chat(body, headers=headers, kind="x/y"), side.ask, limits=limits).run()
    assert got.status == 502
    assert why in got.error["message"]
    got = await side.talk(chat(body, headers=headers, status=429), side.ask, limits=limits).run()
    assert got.status == 429


async def test_compressed_comments_let_others_in(side: Any, chat: Any) -> None:
    """A small body that becomes a large one is read in steps: others have their turn in between."""
    bomb = gzip.compress(b": c\n\n" * 400_000 + b"".join(side.hello))
    one, turns = side.talk(chat(bomb, headers={"content-encoding": "gzip"}), side.stream), 0

    async def count() -> None:
        nonlocal turns
        while not one.complete:
            await anyio.lowlevel.checkpoint()
            turns += 1

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(count)
        await one.run()
    assert side.ending(one) == "completed"
    assert turns > 20


@pytest.mark.parametrize("kind", ["application/json", "text/plain", "text/html"])
async def test_stream_nobody_asked_for_under_another_name(side: Any, chat: Any, kind: str) -> None:
    """That holds for a client that did not ask for a stream, too."""
    got = await side.talk(chat(b"\xef\xbb\xbf" + side.hello[0], *side.hello[1:], kind=kind), side.ask).run()
    assert side.text(got) == "Hello"


async def test_gathered_and_not_closed(chat: Any, frame: Any, talk: Any) -> None:
    """A stream that became a whole answer is waited for no longer than any other once its end was said."""
    app = chat(frame({"content": "Hello"}), frame(finish="stop"), 3600)
    limits = Limits(after_finish=0.1, shutdown=0.1)
    got = await talk(TranslationMiddleware(app, limits=limits), {"model": "m", "input": "x"}).run()
    assert got.json["status"] == "completed"
    assert app.cancelled


async def test_gathered_and_broken(chat: Any, frame: Any, talk: Any) -> None:
    """What is wrong with such a stream is still said when nothing more is waited for."""
    call = {"index": 0, "id": "c", "function": {"name": "", "arguments": "{}"}}
    app = chat(frame({"tool_calls": [call]}), frame(finish="tool_calls"), 3600)
    limits = Limits(after_finish=0.1, shutdown=0.1)
    got = await talk(TranslationMiddleware(app, limits=limits), {"model": "m", "input": "x"}).run()
    assert got.json["status"] == "failed"
    assert "without a name" in got.json["error"]["message"]


async def test_a_large_stream(side: Any, chat: Any) -> None:
    """The last frames of a large answer leave one after the other."""
    text = "long " * 20_000
    app = chat(*side.begin, *(side.say(text) for _ in range(12)), side.end, *([DONE] if side.is_chat else []))
    got = await side.talk(app, side.stream).run()
    assert side.ending(got) == "completed"
    assert side.text(got) == text * 12
    assert got.complete


@pytest.mark.parametrize("copies", [1, 2])
async def test_an_upstream_that_only_streams(responses_side: Any, chat: Any, copies: int) -> None:
    """It is asked to stream, and a client that wants the answer whole gets it so."""
    app = chat(*responses_side.hello)
    got = await responses_side.talk(app, {**responses_side.ask, "n": copies}, profile="chatgpt").run()
    assert (got.status, got.headers["content-type"]) == (200, "application/json")
    assert [choice["message"]["content"] for choice in got.json["choices"]] == ["Hello"] * copies
    assert [body["stream"] for body in app.bodies] == [True] * copies
    assert dict(app.scopes[0]["headers"])[b"accept"] == b"text/event-stream"


@pytest.mark.parametrize("ask", ["ask", "stream"])
async def test_one_value_in_each_line(side: Any, chat: Any, ask: str) -> None:
    """NDJSON: neither a JSON body nor an event stream (W9)."""
    lines = b"\n".join(
        line.removeprefix(b"data: ") for part in side.hello for line in part.split(b"\n") if line[:7] == b"data: {"
    )
    got = await side.talk(chat(lines, kind="application/json"), getattr(side, ask)).run()
    assert side.text(got) == "Hello"


@pytest.mark.parametrize("kind", ["text/event-stream", "application/json"])
async def test_indented_json(side: Any, chat: Any, kind: str) -> None:
    """Over several lines, whatever it is called; an error too."""
    error = json.dumps({"error": {"message": "Key is bad", "code": 401}}, indent=2).encode()
    got = await side.talk(chat(error, kind=kind), side.stream).run()
    assert (got.status, got.json["error"]["message"]) == (401, "Key is bad")


@pytest.mark.parametrize("streams", [True, False])
async def test_more_after_the_finish(chat: Any, frame: Any, talk: Any, streams: bool) -> None:
    """The wait after a finish begins anew whenever something is said, and it goes on in the item that is open (W1)."""
    pieces = [part for text in "abcd" for part in (frame({"content": text}, finish="stop"), 0.12)]
    app = chat(*pieces, 3600)
    limits = Limits(after_finish=0.2, shutdown=0.1)
    body = {"model": "m", "input": "x", "stream": streams}
    got = await talk(TranslationMiddleware(app, limits=limits), body).run()
    answer = got.events[-1]["response"] if streams else got.json
    assert [item["content"][0]["text"] for item in answer["output"]] == ["abcd"]


FAILED = b'data: {"type":"response.failed","response":{"status":"failed","output":[],"error":null}}\n\n'
REASON = b'event: error\ndata: {"type":"error","error":{"code":"invalid_prompt","message":"It was filtered."}}\n\n'
QUICK = Limits(after_failure=0.1, shutdown=0.1)


@pytest.mark.parametrize("streamed", [True, False])
@pytest.mark.parametrize(("behind", "status", "message"), [([REASON], 400, "filtered"), ([], 500, "failed")])
async def test_the_reason_of_a_failure(
    chat: Any, talk: Any, streamed: bool, behind: list[bytes], status: int, message: str
) -> None:
    """W34: it may come behind the failure, and is waited for, but not long."""
    app = chat(FAILED, 0.02, *behind, 3600)
    served = TranslationMiddleware(app, upstream_api="responses", limits=QUICK)
    body = {"model": "m", "messages": [{"role": "user", "content": "x"}], "stream": streamed}
    got = await talk(served, body, path="/v1/chat/completions").run()
    assert got.status == status
    assert message in got.json["error"]["message"]


async def test_an_answer_ends_once() -> None:
    """Whoever ends it again, at the same time, changes neither when that was nor what the client got."""
    sent = list[Any]()

    async def send(message: Any) -> None:
        sent.append(message)

    async def check() -> None: ...

    def nothing() -> None: ...

    exchange = ServeResponses({"model": "m", "input": "Go"})
    attempt = UpstreamAttempt(
        AnswerReader.of(exchange), ClientWriter(send), Limits(), changed=nothing, check=check, release=nothing
    )
    await attempt.fail(UpstreamError("no"))
    ended_at = attempt.ended_at
    await attempt.fail(UpstreamError("again"))
    await attempt.finish()
    assert (attempt.ended_at, [message["type"] for message in sent]) == (
        ended_at,
        ["http.response.start", "http.response.body"],
    )
