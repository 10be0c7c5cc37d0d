"""What the chat application sends in all its forms, and what the client gets for it."""

import gzip
import json
import zlib
from typing import Any

import pytest
import zstandard

from diglot.adapters import Limits, ResponsesMiddleware

pytestmark = pytest.mark.anyio

ASK = {"model": "m", "input": "hi"}
STREAM = {**ASK, "stream": True}
ERROR = b'{"error":{"message":"no such model","type":"invalid_request_error","param":null,"code":"model_not_found"}}'


@pytest.mark.parametrize("ask", [ASK, STREAM])
async def test_http_error(talk: Any, chat: Any, ask: Any) -> None:
    """An error status of the upstream is the client's error status."""
    headers = {"retry-after": "7"}
    got = await talk(ResponsesMiddleware(chat(ERROR, status=404, kind="application/json", headers=headers)), ask).run()
    assert (got.status, got.error["code"]) == (404, "model_not_found")
    assert got.headers["retry-after"] == "7"
    assert got.complete


async def test_error_that_is_no_json(talk: Any, chat: Any) -> None:
    """Any error body becomes one in the usual shape."""
    got = await talk(ResponsesMiddleware(chat(b"<html>busy</html>", status=503, kind="text/html")), ASK).run()
    assert got.status == 503
    assert set(got.error) == {"message", "type", "param", "code"}


async def test_stream_without_end(talk: Any, chat: Any, hello: list[bytes]) -> None:
    """A stream that goes on and on ends as failed at its limit; what came before stays in the answer."""
    endless = hello[:-2] + hello[1:2] * 1000
    got = await talk(ResponsesMiddleware(chat(*endless), limits=Limits(max_stream=20_000)), STREAM).run()
    assert got.types[-1] == "failed"
    assert "longer than 20000 bytes" in got.events[-1]["response"]["error"]["message"]
    assert got.events[-1]["response"]["output"][0]["status"] == "incomplete"


async def test_redirect(talk: Any, chat: Any) -> None:
    """A redirect is no answer."""
    assert (await talk(ResponsesMiddleware(chat(status=307)), ASK).run()).status == 502


@pytest.mark.parametrize("ask", [ASK, STREAM])
async def test_error_with_200(talk: Any, chat: Any, ask: Any) -> None:
    """An error body is an error whatever the status says."""
    got = await talk(ResponsesMiddleware(chat(ERROR, kind="application/json")), ask).run()
    assert got.status >= 400
    assert got.error["message"] == "no such model"


async def test_whole_body_for_a_stream(talk: Any, chat: Any, completion: bytes) -> None:
    """An upstream that ignores `stream` is streamed all the same."""
    pretty = json.dumps(json.loads(completion), indent=2).encode()
    got = await talk(ResponsesMiddleware(chat(pretty[:50], pretty[50:], kind="application/json")), STREAM).run()
    assert got.types[-1] == "completed"
    assert got.events[-1]["response"]["output"][0]["content"][0]["text"] == "Hello"


@pytest.mark.parametrize("kind", ["text/plain", "application/json", "TEXT/Event-Stream; x=y"])
async def test_stream_under_another_name(talk: Any, chat: Any, hello: list[bytes], kind: str) -> None:
    """An event stream is known by its first byte, not only by its name."""
    got = await talk(ResponsesMiddleware(chat(b"\n", *hello, kind=kind)), STREAM).run()
    assert got.types[-1] == "completed"


async def test_stream_that_nobody_asked_for(talk: Any, chat: Any, hello: list[bytes]) -> None:
    """An event stream for a client that wants a whole body is the upstream's fault."""
    assert (await talk(ResponsesMiddleware(chat(*hello)), ASK).run()).status == 502


@pytest.mark.parametrize("body", [b"", b"not json", b"[]", b'"x"', b"{}"])
@pytest.mark.parametrize("ask", [ASK, STREAM])
async def test_nonsense(talk: Any, chat: Any, body: bytes, ask: Any) -> None:
    """What is no completion is answered with 502, never with an empty success."""
    got = await talk(ResponsesMiddleware(chat(body, kind="application/json")), ask).run()
    assert got.status == 502 or got.types[-1] == "failed"


async def test_answer_over_the_limit(talk: Any, chat: Any, completion: bytes) -> None:
    """An answer that is too large is refused; of an error that is too large, the beginning is enough."""
    limits = Limits(max_answer=20, max_error=20)
    good = await talk(ResponsesMiddleware(chat(completion, kind="application/json"), limits=limits), ASK).run()
    bad = await talk(ResponsesMiddleware(chat(b"x" * 99, status=429), limits=limits), ASK).run()
    assert good.status == 502
    assert bad.status == 429


async def test_error_first(talk: Any, chat: Any) -> None:
    """An error as the first event of a stream is an HTTP error still."""
    got = await talk(ResponsesMiddleware(chat(b"data: " + ERROR + b"\n\n")), STREAM).run()
    assert got.status >= 400
    assert got.error["message"] == "no such model"


async def test_error_later(talk: Any, chat: Any, frame: Any) -> None:
    """An error in the middle ends the stream as failed, with what was said so far."""
    got = await talk(ResponsesMiddleware(chat(frame({"content": "Hel"}), b"data: " + ERROR + b"\n\n")), STREAM).run()
    assert got.types[-1] == "failed"
    assert got.events[-1]["response"]["output"][0]["content"][0]["text"] == "Hel"
    assert got.complete


@pytest.mark.parametrize("end", [None, b"", RuntimeError("boom")])
async def test_cut(talk: Any, chat: Any, frame: Any, end: Any) -> None:
    """A stream that stops in the middle, in whatever way, is never completed."""
    got = await talk(ResponsesMiddleware(chat(frame({"content": "Hel"}), end)), STREAM).run()
    assert got.types[-1] == "failed"
    assert got.complete


@pytest.mark.parametrize("end", [None, b"", RuntimeError("boom")])
async def test_end_without_done(talk: Any, chat: Any, frame: Any, end: Any) -> None:
    """After a finish reason the answer is whole, whatever becomes of the connection."""
    got = await talk(ResponsesMiddleware(chat(frame({"content": "Hello"}), frame(finish="stop"), end)), STREAM).run()
    assert got.types[-1] == "completed"


@pytest.mark.parametrize("end", [None, RuntimeError("boom")])
async def test_nothing_at_all(talk: Any, chat: Any, end: Any) -> None:
    """An application that starts an answer and says nothing gives 502."""
    got = await talk(ResponsesMiddleware(chat(end)), STREAM).run()
    assert got.status == 502
    assert got.complete


async def test_what_follows_the_end_is_ignored(talk: Any, chat: Any, hello: list[bytes], frame: Any) -> None:
    """Nothing is sent after the terminal event."""
    got = await talk(ResponsesMiddleware(chat(*hello, frame({"content": "more"}))), STREAM).run()
    assert got.types[-1] == "completed"
    assert got.complete


async def test_a_line_without_end(talk: Any, chat: Any, frame: Any) -> None:
    """A line over the limit ends the stream."""
    app = chat(frame({"content": "x"}), b"data: " + b"x" * 5000)
    got = await talk(ResponsesMiddleware(app, limits=Limits(max_line=1000)), STREAM).run()
    assert got.types[-1] == "failed"


def packed(name: str, data: bytes) -> bytes:
    return {"gzip": gzip.compress, "deflate": zlib.compress, "zstd": zstandard.compress}[name](data)


@pytest.mark.parametrize("name", ["gzip", "deflate", "zstd"])
async def test_compressed(talk: Any, chat: Any, hello: list[bytes], completion: bytes, name: str) -> None:
    """A compression that nobody asked for is undone: in whole answers, in streams however cut, and in errors."""
    headers = {"content-encoding": name}
    whole = chat(packed(name, completion), kind="application/json", headers=headers)
    got = await talk(ResponsesMiddleware(whole), ASK).run()
    assert got.json["output"][0]["content"][0]["text"] == "Hello"
    data = packed(name, b"".join(hello))
    stream = chat(*(data[i : i + 7] for i in range(0, len(data), 7)), headers=headers)
    assert (await talk(ResponsesMiddleware(stream), STREAM).run()).types[-1] == "completed"
    refused = chat(packed(name, ERROR), status=404, kind="application/json", headers=headers)
    assert (await talk(ResponsesMiddleware(refused), ASK).run()).error["code"] == "model_not_found"


@pytest.mark.parametrize(("name", "body"), [("br", b"x"), ("gzip", b"nonsense"), ("gzip", gzip.compress(bytes(9999)))])
async def test_compressed_beyond_us(talk: Any, chat: Any, name: str, body: bytes) -> None:
    """What cannot be undone, or would become too large, is the upstream's fault; an error keeps its status."""
    limits, headers = Limits(max_answer=5000, max_error=5000), {"content-encoding": name}
    got = await talk(ResponsesMiddleware(chat(body, headers=headers, kind="x/y"), limits=limits), ASK).run()
    assert got.status == 502
    assert "compress" in got.error["message"]
    got = await talk(ResponsesMiddleware(chat(body, headers=headers, status=429), limits=limits), ASK).run()
    assert got.status == 429
