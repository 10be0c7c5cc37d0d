import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from diglot.translator import FrameStream, Profile, ProtocolMisuse, ServeResponses, TranslationError, UpstreamError
from diglot.translator.exchange.frames import FastPath
from diglot.translator.wire import sse

from judges import events_of, judge_stream

Serve = Callable[..., ServeResponses]


def chunk(delta: Any = None, finish: str | None = None, **more: Any) -> bytes:
    """One frame of a chat stream."""
    choices = [{"index": 0, "delta": delta or {}, "finish_reason": finish}]
    return b"data: " + json.dumps({"model": "m-1", "choices": choices, **more}).encode() + b"\n\n"


HI, STOP, DONE = chunk({"content": "Hi"}), chunk(finish="stop"), b"data: [DONE]\n\n"


def names(frames: list[bytes]) -> list[str]:
    """The events of *frames*, by their short names."""
    return [event if isinstance(event, str) else event["type"].removeprefix("response.") for event in events_of(frames)]


def test_a_stream_from_bytes_to_frames(serve: Serve) -> None:
    """Frames come as soon as they can; the answer grows, and ends once."""
    stream = serve({"stream": True}).stream()
    assert (stream.started, stream.finishing, stream.ended) == (False, False, False)
    frames = stream.feed(HI)
    assert names(frames)[:2] == ["created", "in_progress"]
    assert (stream.started, stream.finishing, stream.ended) == (True, False, False)
    frames += stream.feed(STOP)
    assert (stream.started, stream.finishing, stream.ended) == (True, True, False)
    frames += stream.feed(DONE)
    assert (stream.started, stream.finishing, stream.ended) == (True, False, True)
    judge_stream(frames)
    assert stream.answer["output"][0]["content"][0]["text"] == "Hi"


def test_start_ahead_of_the_first_chunk(serve: Serve) -> None:
    """It begins the answer once, so that the connection stays alive; its model and time are then the request's."""
    stream = serve({"stream": True}).stream()
    frames = stream.start()
    assert names(frames) == ["created", "in_progress"]
    assert stream.start() == []
    frames += stream.feed(chunk({"content": "Hi"}, "stop", created=5)) + stream.finish()
    judge_stream(frames)
    assert (stream.answer["model"], stream.answer["created_at"]) == ("m", 1_700_000_000)


def test_the_end_of_a_stream_is_the_end(serve: Serve) -> None:
    """What follows is ignored: bytes, the end of the connection, a failure; only a new start is misuse."""
    stream = serve({"stream": True}).stream()
    stream.feed(HI + STOP + DONE + HI)
    before = stream.answer["output"]
    assert stream.feed(HI + b"data: garbage\n\n") == []
    assert stream.finish() == []
    assert stream.fail(UpstreamError("late")) == []
    assert stream.answer["output"] == before
    assert stream.answer["status"] == "completed"
    with pytest.raises(ProtocolMisuse):
        stream.start()


@pytest.mark.parametrize(
    "fail",
    [
        lambda s: s.feed(b'data: {"error":{"message":"It broke.","code":503}}\n\n'),
        lambda s: s.feed(b'event: error\ndata: {"message":"It broke.","code":503}\n\n'),
        lambda s: s.feed(b'event: error\ndata: {"error":{"message":"It broke.","code":503}}\n\n'),
        lambda s: s.feed(b'{"error":{"message":"It broke.","code":503}}\n'),
        lambda s: s.fail(UpstreamError("It broke.", status=503)),
    ],
)
def test_a_failure_before_and_after_the_start(serve: Serve, fail: Callable[[Any], list[bytes]]) -> None:
    """Before the start it is raised, to be answered over HTTP; afterwards it ends the stream as failed."""
    with pytest.raises(TranslationError, match=r"It broke\.") as raised:
        fail(serve({"stream": True}).stream())
    assert raised.value.status == 503
    stream = serve({"stream": True}).stream()
    events = judge_stream(stream.feed(HI) + fail(stream))
    assert events[-1]["type"] == "response.failed"
    assert events[-1]["response"]["error"] == {"code": "server_error", "message": "It broke."}
    assert events[-1]["response"]["output"][0]["status"] == "incomplete"


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "ended its stream before it began"),
        (DONE, "ended its stream before it began"),
        (b": keep-alive\n\n", "ended its stream before it began"),
        (b"data: garbage\n\n", "a line that is not JSON"),
        (b"data: ping\n\n" + DONE, "a line that is not JSON"),
        (b"data: 5\n\n", "a line that is not JSON"),
        (b"data: error: out of memory\n\n", "^out of memory$"),
        (b'data: "Internal Server Error"\n\n', "^Internal Server Error$"),
        (b"data: error: \n\n", "^error:$"),
        (b'data: {"choices":[]}\n\n', "ended its stream before it began"),
        (b'event: error\ndata: "It broke."\n\n', "It broke."),
        (b"event: error\ndata: overloaded\n\n", "overloaded"),
        (b"event: error\ndata: {}\n\n", "The upstream reported an error."),
        (b'data: {"detail":"It broke."}\n\n', "It broke."),
        (b'data: {"object":"error","message":"It broke.","code":400}\n\n', "It broke."),
        (b"<html>Bad gateway</html>", "ended its stream before it began"),
    ],
)
def test_a_stream_that_never_began(serve: Serve, data: bytes, message: str) -> None:
    """Nothing was sent yet, so it is an error over HTTP."""
    stream = serve({"stream": True}).stream()
    with pytest.raises(UpstreamError, match=message):
        assert stream.feed(data) + stream.finish() == []
    assert not stream.started


@pytest.mark.parametrize(
    ("tail", "status"),
    [
        (STOP + DONE, "completed"),
        (STOP, "completed"),
        (DONE, "completed"),
        (STOP + b"data: DONE\n\n", "completed"),
        (STOP + b"event: data\ndata: [DONE]\n\n", "completed"),
        (b"", "failed"),
        (b'data: {"choi', "failed"),
        (b'data: {"choi\n\n' + STOP + DONE, "failed"),
        (STOP + b'data: {"choi', "completed"),
        (b"data: ping\n\n" + STOP + DONE, "completed"),
        (b"data: : PROCESSING\n\n" + STOP + DONE, "completed"),
        (b"data: 5\n\ndata: null\n\n" + STOP + DONE, "completed"),
        (b'data: "ping"\n\n' + STOP + b'data: "[DONE]"\n\n', "completed"),
        (STOP + b"data: garbage\n\n", "completed"),
        (b"data: error: out of memory\n\n" + STOP + DONE, "failed"),
        (b"data: RuntimeError: out of memory\n\n" + DONE, "failed"),
        (chunk(finish="length"), "incomplete"),
    ],
)
@pytest.mark.parametrize("size", [1, 1000])
def test_how_a_stream_ends(serve: Serve, tail: bytes, status: str, size: int) -> None:
    """A cut or damaged stream never ends as completed; a missing end mark is no cut, and a comment no damage (W9)."""
    stream = serve({"stream": True}).stream()
    data = HI + tail
    frames = [frame for i in range(0, len(data), size) for frame in stream.feed(data[i : i + size])]
    events = judge_stream(frames + stream.finish())
    assert events[-1]["type"] == f"response.{status}"


def test_a_line_without_end(serve: Serve) -> None:
    """More than the limit in one event is a failure, before the start and after it."""
    with pytest.raises(UpstreamError, match="more than 500 bytes"):
        serve({"stream": True}).stream(max_line=500).feed(b"x" * 501)
    stream = serve({"stream": True}).stream(max_line=500)
    events = judge_stream(stream.feed(HI) + stream.feed(b"data: " + b"x" * 501))
    assert events[-1]["response"]["error"]["message"].endswith("more than 500 bytes.")
    assert stream.feed(b"x" * 501) == []


def test_open_responses_mark_their_end(serve: Serve) -> None:
    """One `[DONE]` behind the last event, also of a failure, and nothing after it."""
    for tail in (STOP + DONE, b'data: {"error":"x"}\n\n'):
        stream = serve({"stream": True}, Profile(events="openresponses")).stream()
        frames = stream.feed(HI + tail)
        assert names(frames)[-1] == "[DONE]"
        assert names(frames).count("[DONE]") == 1
        assert stream.feed(HI) + stream.finish() + stream.fail(UpstreamError("late")) == []


# --- with a transducer that only keeps what it is fed


class Keeping:
    """Starts with the first chunk, ends with a chunk that says so."""

    cut_short = False
    finishing = failing = False
    failure: TranslationError | None = None

    def __init__(self, fast_path: FastPath | None = None) -> None:
        self.answer: dict[str, Any] = {}
        self.fed: list[Any] = []
        self.started = self.ended = False
        self._fast_path = fast_path

    def fast_path(self) -> FastPath | None:
        return self._fast_path

    def start(self) -> list[dict[str, Any]]:
        return []

    def feed(self, chunk: Any) -> list[dict[str, Any]]:
        self.fed.append(chunk)
        self.started = True
        self.ended = chunk == {"type": "end"}
        return [{"got": len(self.fed)}]

    def release(self) -> None: ...

    def garbled(self, what: str) -> None:
        self.fed.append(what)

    def finish(self, clean: bool = False) -> list[dict[str, Any]]:
        self.ended = True
        return [{"clean": clean}]

    def fail(self, error: TranslationError) -> list[dict[str, Any]]:
        self.ended = True
        return [{"failed": error.message}]


def kept(data: bytes, done_mark: bool = False) -> tuple[list[Any], list[bytes]]:
    """What the transducer was fed, and the frames that came of it."""
    transducer = Keeping()
    stream = FrameStream(transducer, sse.Decoder(), sse.data, done_mark)
    frames = stream.feed(data)
    assert (stream.answer, stream.cut_short) == ({}, False)
    return transducer.fed, frames


@pytest.mark.parametrize(
    ("data", "fed"),
    [
        (b'event: a\ndata: {"type":"b"}\n\n', {"type": "b"}),
        (b'event: a\ndata: {"x":1}\n\n', {"x": 1, "type": "a"}),
        (b'event: a\ndata: {"x":1,"type":null}\n\n', {"x": 1, "type": None}),
        (b"event: a\ndata: [1]\n\n", [1]),
        (b'data: {"x":1}\n\n', {"x": 1}),
        (b'event: error\ndata: {"type":"error","message":"x"}\n\n', {"type": "error", "message": "x"}),
        (b'event: error\ndata: {"error":{"message":"x"}}\n\n', {"error": {"message": "x"}, "type": "error"}),
        (b'event: error\ndata: {"message":"x"}\n\n', {"error": {"message": "x"}}),
        (b"event: error\ndata: no JSON\n\n", {"error": "no JSON"}),
        (b"event: error\ndata: null\n\n", {"error": "The upstream reported an error."}),
        (b"event: a\ndata: {no JSON\n\n", "a line that is not JSON"),
        (b"data: [%b0]\n\n" % (b"0," * 1_000_000), "an event of more than 1,000,000 JSON values"),
    ],
)
def test_the_name_of_an_event_says_what_it_is(data: bytes, fed: Any) -> None:
    """Where its data do not say it themselves."""
    assert kept(data)[0] == [fed]


def test_what_says_nothing_is_not_fed() -> None:
    """Empty data are somebody's way to stay alive."""
    assert kept(b"data: \n\ndata:\n\n: x\n\n") == ([], [])


@pytest.mark.parametrize(("done_mark", "last"), [(True, sse.DONE), (False, b'data: {"got":1}\n\n')])
def test_the_end_is_marked_once(done_mark: bool, last: bytes) -> None:
    """Behind the last frame, and nothing behind it is read."""
    fed, frames = kept(b'data: {"type":"end"}\n\ndata: {"x":1}\n\ndata: [DONE]\n\n', done_mark)
    assert (fed, frames[-1], frames.count(sse.DONE)) == ([{"type": "end"}], last, int(done_mark))


def test_the_mark_of_the_upstream_ends_cleanly() -> None:
    """A stream that says that it is over is not cut."""
    assert kept(b"data: [DONE]\n\n", done_mark=True)[1] == [b'data: {"clean":true}\n\n', sse.DONE]


class Short:
    """Takes ones."""

    def take(self, event: sse.Event, /) -> bytes | None:
        return b"short" if event.data == b"1" else None


def test_a_fast_path_takes_events() -> None:
    """However they are cut; what it leaves goes the general path, and behind the end it is not asked."""
    transducer = Keeping(Short())
    stream = FrameStream(transducer, sse.Decoder(), sse.data, done_mark=False)
    assert stream.feed(b"data: 1\n\ndata: 1\n\n") == [b"short", b"short"]
    assert stream.feed(b"data: [2]\n") == []
    assert stream.feed(b"\ndata: 1") == [b'data: {"got":1}\n\n']
    assert stream.feed(b"\n\n") == [b"short"]
    assert stream.feed(b'data: {"type":"end"}\n\ndata: 1\n\n') == [b'data: {"got":2}\n\n']
    assert stream.feed(b"data: 1\n\n") == []
    assert transducer.fed == [[2], {"type": "end"}]


@pytest.mark.parametrize("end", [STOP + DONE, STOP, b""])
@pytest.mark.parametrize("events", ["openai", "openresponses"])
def test_one_after_the_other(serve: Serve, end: bytes, events: Any) -> None:
    """Frames that are made when they are asked for are the same frames."""
    data = HI * 3 + end
    one, other = (serve({"stream": True}, Profile(events=events)).stream() for _ in range(2))
    expected = one.feed(data) + ([] if one.ended else one.finish())
    made = list(other.each(data, last=True))
    assert [re.sub(rb'_\d+"', b"", frame) for frame in made] == [re.sub(rb'_\d+"', b"", frame) for frame in expected]
    assert other.ended
    assert list(other.each(HI, last=True)) == []


def test_one_after_the_other_until_it_breaks(serve: Serve) -> None:
    """Bytes that are no stream end it in the same way, too."""
    stream = serve({"stream": True}).stream(max_line=1000)
    assert names(list(stream.each(HI)))[-1] == "output_text.delta"
    assert names(list(stream.each(b"data: " + b"x" * 2000)))[-1] == "failed"


def test_one_after_the_other_without_news(serve: Serve) -> None:
    """What says nothing gives no frames; half an event waits for its end."""
    stream = serve({"stream": True}).stream()
    assert list(stream.each(HI[:10])) == []
    assert names(list(stream.each(HI[10:].rstrip(), last=True)))[-1] == "failed"


# --- what could not be stored


@pytest.mark.parametrize("profile", [Profile(), Profile(events="openresponses")], ids=["openai", "openresponses"])
@pytest.mark.parametrize("finish", ["stop", "length"])
def test_only_the_last_event_says_that_nothing_was_stored(profile: Profile, finish: str) -> None:
    """Nothing else of it changes, and no other frame does."""
    stream = ServeResponses({"model": "m", "input": "Go", "stream": True}, profile=profile).stream()
    chunk = {"choices": [{"delta": {"content": "event: response.completed\n"}, "finish_reason": finish}]}
    frames = [*stream.feed(b"data: " + json.dumps(chunk).encode() + b"\n\n"), *stream.finish()]
    replaced = [stream.replaced_answer(frame, lambda answer: {**answer, "store": None}) for frame in frames]
    ((before, after),) = [pair for pair in zip(frames, replaced, strict=True) if pair[0] != pair[1]]
    assert before.startswith(b"event: response.completed" if finish == "stop" else b"event: response.incomplete")
    assert after == before.replace(b'"store":false', b'"store":null')


def test_events_that_are_not_encoded_stay() -> None:
    """Whoever merges them stores the merged answer."""
    stream = ServeResponses({"model": "m", "input": "Go", "stream": True}).events()
    event = {"type": "response.completed", "response": {}}
    assert stream.replaced_answer(event, lambda answer: {"store": False}) is event
