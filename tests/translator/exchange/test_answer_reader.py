"""One answer of an upstream in, what the client gets out; whole scenarios are in tests/adapters/middleware."""

import json
from typing import Any

import pytest

from diglot.translator import (
    AnswerBounds,
    AnswerReader,
    Body,
    Data,
    Failed,
    ProtocolMisuse,
    Retries,
    Retry,
    ServeChat,
    ServeResponses,
    UpstreamError,
    encode_json,
)

HELLO = {"choices": [{"index": 0, "message": {"role": "assistant", "content": "Hello"}, "finish_reason": "stop"}]}
STREAM = [
    b'data: {"choices":[{"delta":{"content":"Hel"}}]}\n\n',
    b'data: {"choices":[{"delta":{"content":"lo"}}]}\n\n',
    b'data: {"choices":[{"delta":{},"finish_reason":"stop"}]}\n\n',
    b"data: [DONE]\n\n",
]
SSE = "text/event-stream"


def asked(stream: bool = False, **more: Any) -> ServeResponses:
    return ServeResponses({"model": "m", "input": "Go", "stream": stream, **more})


def reader(stream: bool = False, **options: Any) -> AnswerReader[bytes]:
    return AnswerReader.of(asked(stream), **options)


def frames(*actions: Any) -> bytes:
    """All frames of actions that are Data, or nothing."""
    return b"".join(frame for action in actions if isinstance(action, Data) for frame in action.frames)


def test_a_whole_answer() -> None:
    """It comes at once, as a value and encoded."""
    one = reader()
    assert one.head(200, "application/json") is None
    data = encode_json(HELLO)
    assert one.feed(data[:20]) is None
    body = one.feed(data[20:], last=True)
    assert isinstance(body, Body)
    assert json.loads(body.data) == body.answer == one.answer
    assert (one.ended, one.accepted, one.in_vain, one.streams) == (True, True, False, False)
    assert one.feed(b"more") is one.finish() is one.fail(UpstreamError("late")) is None


def test_a_shortcut_for_plain_answers() -> None:
    """Asked first, unless the client wants events or the answer is large; what it does not take goes the other way."""

    class Shortcut:
        def take(self, data: bytes) -> Body | None:
            seen.append(data)
            return Body.of({"quick": True}) if b"Hello" in data else None

    def answered(data: bytes, read: Any = AnswerReader.of) -> Any:
        exchange = asked()
        exchange.fast_path = Shortcut()
        one = read(exchange)
        one.head(200, "application/json")
        return one.feed(data, last=True)

    seen: list[bytes] = []
    hello = encode_json(HELLO)
    assert answered(hello) == Body.of({"quick": True})
    assert answered(hello.replace(b"Hello", b"Bye")).answer["status"] == "completed"
    assert len(seen) == 2
    assert answered(hello, AnswerReader.of_events).answer["status"] == "completed"
    assert answered(hello + b" " * 2**20).answer["status"] == "completed"
    assert len(seen) == 2


def test_a_stream() -> None:
    """Frames come as soon as they are whole; nothing is left to be done behind the end."""
    one = reader(stream=True)
    one.head(200, SSE)
    first = one.feed(STREAM[0])
    assert b"response.created" in frames(first)
    assert (one.started, one.finishing, one.was_silent) == (True, False, False)
    assert one.feed(b": comment\n\n") is None
    assert one.was_silent
    assert b'"delta":"lo"' in frames(one.feed(STREAM[1]))
    assert one.feed(STREAM[2]) is None
    assert (one.finishing, one.failing, one.ended) == (True, False, False)
    assert b"response.completed" in frames(one.finish())
    assert one.ended
    assert one.answer["status"] == "completed"


@pytest.mark.parametrize("kind", ["text/plain", ""])
def test_the_first_byte_decides(kind: str) -> None:
    """Whatever the server calls it."""
    streamed, whole = reader(stream=True), reader(stream=True)
    for one in (streamed, whole):
        one.head(200, kind)
        assert one.feed(b" \n") is None
        assert one.was_silent
    assert b"response.completed" in frames(*map(streamed.feed, STREAM))
    assert b"response.completed" in frames(whole.feed(encode_json(HELLO), last=True))


@pytest.mark.parametrize("kind", [SSE, ""])
def test_a_stream_that_nobody_asked_for(kind: str) -> None:
    """It is gathered."""
    one = reader()
    one.head(200, kind)
    assert [one.feed(data) for data in STREAM[:3]] == [None] * 3
    assert (one.finishing, one.failing) == (True, False)
    body = one.finish()
    assert isinstance(body, Body)
    assert body.answer["output"][0]["content"][0]["text"] == "Hello"


def test_events_instead_of_frames() -> None:
    """For whoever joins several answers: values, which nobody has to read again."""
    streamed, whole = AnswerReader.of_events(asked(True)), AnswerReader.of_events(asked())
    streamed.head(200, SSE)
    first = streamed.feed(STREAM[0])
    assert isinstance(first, Data)
    assert [event["type"] for event in first.frames][:2] == ["response.created", "response.in_progress"]
    whole.head(200)
    body = whole.feed(encode_json(HELLO), last=True)
    assert isinstance(body, Body)
    assert (body.data, body.answer["status"]) == (b"", "completed")


def test_an_error() -> None:
    """Before anything was sent it is one of HTTP, afterwards it is told in the stream."""
    refused = reader(stream=True)
    refused.head(404, "application/json")
    assert refused.feed(b'{"error":{"message":"no ') is None
    failed = refused.feed(b'such model"}}', last=True)
    assert isinstance(failed, Failed)
    assert (failed.error.status, failed.error.message, refused.in_vain) == (404, "no such model", True)
    broken = reader(stream=True)
    broken.head(200, SSE)
    broken.feed(STREAM[0])
    assert b"response.failed" in frames(broken.fail(UpstreamError("gone")))
    assert (broken.ended, broken.error is not None) == (True, True)


def test_an_error_behind_a_complete_answer() -> None:
    """The client gets the whole answer, and no error; one that is not yet sent is refused as any other."""
    streamed, gathered = reader(stream=True), reader()
    for one in (streamed, gathered):
        one.head(200, SSE)
        for data in STREAM[:3]:
            one.feed(data)
        assert (one.finishing, one.failing) == (True, False)
    assert b"response.completed" in frames(streamed.fail(UpstreamError("gone")))
    assert (streamed.ended, streamed.error, streamed.answer["status"]) == (True, None, "completed")
    lost = UpstreamError("gone")
    assert gathered.fail(lost) == Failed(lost)
    assert gathered.error is lost


def test_an_end_that_waits_for_its_reason() -> None:
    """A failure that comes without one is waited for."""
    one = AnswerReader.of(ServeChat({"model": "m", "stream": True, "messages": [{"role": "user", "content": "Go"}]}))
    one.head(200, SSE)
    one.feed(b'data: {"type":"response.created","response":{"id":"r"}}\n\n')
    one.feed(b'data: {"type":"response.failed","response":{"status":"failed"}}\n\n')
    assert (one.finishing, one.failing) == (True, True)
    lost = UpstreamError("gone")
    one.fail(lost)
    assert one.error is lost


def test_a_refusal_that_teaches() -> None:
    """It is not told; the request is made anew."""
    exchange = ServeChat({"model": "m", "messages": [{"role": "user", "content": "Go"}]})
    error = b'{"error":{"message":"Unsupported parameter: \'store\'","param":"store"}}'
    one = AnswerReader.of(exchange, retries=Retries())
    one.head(400)
    assert one.may_teach
    retry = one.feed(error, last=True)
    assert isinstance(retry, Retry)
    assert (retry.profile.responses_unsupported, one.ended, one.error) == ({"store"}, True, None)
    alone = AnswerReader.of(exchange)
    alone.head(400)
    assert not alone.may_teach
    assert isinstance(alone.feed(error, last=True), Failed)


def test_keeping_a_stream_alive() -> None:
    """It may begin before the upstream has said anything; then errors are told in it."""
    one = reader(stream=True)
    assert b"response.created" in frames(one.begin())
    assert frames(one.begin()) == b""
    one.head(500)
    assert b"response.failed" in frames(one.feed(b"{}", last=True))
    assert one.ended


@pytest.mark.parametrize(
    ("bounds", "stream", "kind", "data", "words"),
    [
        (AnswerBounds(max_answer=20), False, "", encode_json(HELLO), "larger than 20 bytes"),
        (AnswerBounds(max_answer=20), False, SSE, STREAM[0], "larger than 20 bytes"),
        (AnswerBounds(max_stream=20), True, SSE, STREAM[0], "longer than 20 bytes"),
        (AnswerBounds(max_line=20), True, SSE, STREAM[0], "20"),
    ],
)
def test_bounds(bounds: AnswerBounds, stream: bool, kind: str, data: bytes, words: str) -> None:
    """What is too much is an error, not memory."""
    one = reader(stream, bounds=bounds)
    one.head(200, kind)
    failed = one.feed(data)
    assert isinstance(failed, Failed)
    assert words in failed.error.message


def test_of_a_large_error_the_beginning_is_enough() -> None:
    """It is told all the same."""
    one = reader(bounds=AnswerBounds(max_error=20))
    one.head(429)
    assert one.feed(b"x" * 30) is None
    failed = one.feed(b"x" * 30, last=True)
    assert isinstance(failed, Failed)
    assert failed.error.status == 429
    assert "x" * 21 not in failed.error.message


def test_what_is_large() -> None:
    """A body may be read in a thread; its frames are made one after the other, and may fail."""
    large = encode_json({**HELLO, "choices": [{**HELLO["choices"][0], "message": {"content": "x" * 2**21}}]})
    one, never = reader(stream=True), reader(stream=True)
    one.head(200)
    assert one.takes_long(large, True)
    assert not one.takes_long(large, False)
    data = one.feed(large, last=True)
    assert isinstance(data, Data)
    assert not isinstance(data.frames, list)
    assert (one.ended, sum(b"response.completed" in frame for frame in data.frames), one.ended) == (False, 1, True)
    never.head(200)
    data = never.feed(b'{"error":{"message":"%b"}}' % (b"x" * 2**21), last=True)
    assert isinstance(data, Data)
    with pytest.raises(UpstreamError):
        list(data.frames)


def test_lines_of_json() -> None:
    """Values that stand one below the other are a stream without its words (NDJSON)."""
    lines = b"\n".join(data.removeprefix(b"data: ").strip() for data in STREAM[:3])
    for stream in (False, True):
        one = reader(stream)
        one.head(200, "application/x-ndjson")
        one.feed(lines, last=True)
        assert one.answer["output"][0]["content"][0]["text"] == "Hello"


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("data", [b"<html>", b"", b"[]", b"not json", b'"x"'])
def test_no_answer(stream: bool, data: bytes) -> None:
    """An error, and never an empty success."""
    one = reader(stream)
    one.head(200, "text/html")
    one.feed(data, last=True)
    assert one.ended
    assert one.error is not None or one.answer["status"] == "failed"


def test_the_order_of_verbs() -> None:
    """The head comes first."""
    with pytest.raises(ProtocolMisuse):
        reader().feed(b"x")


# --- what is stored before the end


def test_the_answer_of_a_stream_is_known_before_its_end_is_sent() -> None:
    """Also if its last frames are made one by one."""
    exchange = ServeResponses({"model": "m", "input": "Go", "stream": True})
    reader = AnswerReader.of(exchange)
    reader.head(200, "text/event-stream")
    assert (reader.concluded, reader.conclusion["status"]) == (False, "in_progress")
    text = "x" * (1 << 20)
    end = {"choices": [{"delta": {"content": text}, "finish_reason": "stop"}]}
    action = reader.feed(b"data: " + json.dumps(end).encode() + b"\n\n", last=True)
    assert isinstance(action, Data)
    concluded = []
    for frame in action.frames:
        concluded.append(reader.concluded)
        assert reader.not_stored(frame) == frame or concluded[-1]
    assert concluded[0] is False
    assert concluded[-1] is True
    assert reader.conclusion["output"][0]["content"][0]["text"] == text


def test_a_whole_answer_has_no_conclusion() -> None:
    """It is an action of its own."""
    reader = AnswerReader.of(ServeResponses({"model": "m", "input": "Go"}))
    assert (reader.concluded, reader.conclusion, reader.not_stored(b"x")) == (False, {}, b"x")


def test_a_request_that_is_too_long_is_made_shorter() -> None:
    """As often as a request may be; what the client does not allow is not done."""
    items = [{"role": role, "content": "x" * 100} for role in ("user", "assistant") * 20]
    too_long = b'{"error":{"code":"context_length_exceeded","message":"Too long."}}'
    retries, left_out, counts = Retries(), frozenset[int](), []
    body = {"model": "m", "input": items, "truncation": "auto"}
    while True:
        exchange = ServeResponses(body, left_out=left_out)
        reader = AnswerReader.of(exchange, retries=retries)
        reader.head(400, "application/json")
        action = reader.feed(too_long, last=True)
        if not isinstance(action, Retry):
            break
        assert left_out < action.left_out
        left_out = action.left_out
        counts.append(len(left_out))
        assert action.profile is exchange.profile
    assert len(counts) == 4
    assert isinstance(action, Failed)
    assert action.error.code == "context_length_exceeded"
    for more in {"truncation": "disabled"}, {"input": "Go"}:
        assert ServeResponses({**body, **more}).shortened(400, too_long) is None
    assert ServeResponses(body).shortened(400, b'{"error":{"message":"Bad."}}') is None


def test_a_request_that_cannot_be_repeated() -> None:
    """It could be read, but the answer that repeats it is nested deeper: its client gets an error."""
    value: Any = "x"
    for _ in range(5_000):
        value = [value]
    exchange = ServeResponses({"model": "m", "input": "Hi", "metadata": {"a": value}})
    reader = AnswerReader.of(exchange)
    reader.head(200, "application/json")
    action = reader.feed(b'{"choices":[{"message":{"content":"Hello."},"finish_reason":"stop"}]}', last=True)
    assert isinstance(action, Failed)
    assert (action.error.status, reader.ended, reader.answer) == (400, True, {})
