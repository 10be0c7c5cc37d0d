"""Streams in the other dialect, as iterators."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from openai.types.chat import ChatCompletionChunk
from openai.types.responses import ResponseTextDeltaEvent

import diglot
from diglot.translator import RequestError, ServeChat, ServeResponses, TranslationError, UpstreamError

from golden_files import load, profile_of, sse

GOLDEN = Path(__file__).parent.parent / "golden"
STREAMS = sorted(GOLDEN.glob("*/stream/**/*.json"))
CHUNKS: list[dict[str, Any]] = [
    {"id": "chatcmpl-1", "created": 7, "model": "m", "choices": [{"index": 0, "delta": {"content": "Hel"}}]},
    {"id": "chatcmpl-1", "created": 7, "model": "m", "choices": [{"index": 0, "delta": {"content": "lo"}}]},
    {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]},
]
REQUEST = {"model": "m", "input": "Go"}
ITEM = {"id": "msg_1", "type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Hello"}]}
FINISHED = {"id": "resp_1", "created_at": 7, "model": "m", "status": "completed", "output": [ITEM], "usage": None}
EVENTS: list[dict[str, Any]] = [
    {"type": "response.created", "response": {**FINISHED, "status": "in_progress", "output": []}},
    {"type": "response.output_text.delta", "item_id": "msg_1", "output_index": 0, "content_index": 0, "delta": "Hel"},
    {"type": "response.output_text.delta", "item_id": "msg_1", "output_index": 0, "content_index": 0, "delta": "lo"},
    {"type": "response.completed", "response": FINISHED},
]
Stream = Callable[..., Any]


def text_of(chunks: Iterable[dict[str, Any]]) -> bytes:
    return b"".join(b"data: " + json.dumps(chunk).encode() + b"\n\n" for chunk in chunks)


TEXT = text_of(CHUNKS)


def cut(text: bytes, size: int) -> list[bytes]:
    return [text[start : start + size] for start in range(0, len(text), size)]


async def awaited(pieces: Iterable[Any]) -> AsyncIterator[Any]:
    for piece in pieces:
        await asyncio.sleep(0)
        yield piece


def outcome(stream: Iterator[Any]) -> Any:
    """All that comes of a stream: its events, or its error; its answer and its losses."""
    try:
        events = list(stream)
    except TranslationError as error:
        return str(error)
    return events, stream.answer, stream.losses  # pyright: ignore[reportAttributeAccessIssue]


@pytest.mark.parametrize(
    "chunks",
    [
        CHUNKS,
        iter(CHUNKS),
        [ChatCompletionChunk.construct(**chunk) for chunk in CHUNKS],
        TEXT,
        bytearray(TEXT),
        TEXT.decode(),
        [TEXT],
        [memoryview(TEXT)],
        cut(TEXT, 1),
        cut(TEXT, 17),
        [piece.decode() for piece in cut(TEXT, 7)],
        [*CHUNKS, {"id": "what follows the end"}],
        [TEXT + b"data: [DONE]\n\n"],
        text_of(CHUNKS).removesuffix(b"\n\n"),
        [b": keep-alive\n\n", TEXT],
        [b"", *cut(TEXT, 10), b""],
        TEXT.splitlines(),
        TEXT.decode().splitlines(),
        [": keep-alive", "", *TEXT.decode().splitlines(), "data: [DONE]", ""],
        TEXT.splitlines(keepends=True),
    ],
)
def test_pieces(chunks: Any) -> None:
    """Bytes, texts, mappings and objects of the SDK, cut anywhere, are one stream."""
    assert outcome(diglot.responses_stream(chunks, request=REQUEST)) == outcome(
        diglot.responses_stream(CHUNKS, request=REQUEST)
    )


@pytest.mark.parametrize("pieces", [CHUNKS, cut(TEXT, 9)])
def test_pieces_that_are_awaited(pieces: list[Any]) -> None:
    """They give the same."""

    async def run() -> Any:
        stream = diglot.responses_stream(awaited(pieces), request=REQUEST)
        return [event async for event in stream], stream.answer, stream.losses

    assert asyncio.run(run()) == outcome(diglot.responses_stream(CHUNKS, request=REQUEST))


def test_awaiting_goes_on_until_the_end_and_no_further() -> None:
    """Behind the end of the answer nothing is asked for any more."""

    async def run() -> Any:
        pieces = awaited([*EVENTS, {"never": "read"}])
        stream = diglot.chat_stream(pieces)
        chunks = [chunk async for chunk in stream]
        return chunks, [piece async for piece in pieces]

    chunks, rest = asyncio.run(run())
    assert chunks[-1]["choices"][0]["finish_reason"] == "stop"
    assert rest == [{"never": "read"}]


def test_the_other_direction() -> None:
    """Chunks of a chat completion."""
    events = [*EVENTS[:-1], ResponseTextDeltaEvent.construct(**{**EVENTS[2], "delta": "!"})]
    stream = diglot.chat_stream([*events, {"type": "response.completed"}])
    texts = [choice["delta"].get("content") for chunk in stream for choice in chunk.get("choices", ())]
    assert texts == ["", "Hel", "lo", "!", None]
    assert stream.answer["id"] == "chatcmpl-1"


def test_lines_of_named_events() -> None:
    """A name, the data, a blank line: that is how a client's `iter_lines()` gives them."""
    pieces = [line for event in EVENTS for line in (f"event: {event['type']}", f"data: {json.dumps(event)}", "")]
    assert outcome(diglot.chat_stream(pieces)) == outcome(diglot.chat_stream(EVENTS))
    assert outcome(diglot.chat_stream(pieces[-3:])) == outcome(diglot.chat_stream(EVENTS[-1:]))


def test_a_stop_sequence_ends_it() -> None:
    """The rest is not read."""
    pieces = iter([*EVENTS[:3], {"never": "read"}])
    request = {"model": "m", "messages": [{"role": "user", "content": "Go"}], "stop": "el"}
    stream = diglot.chat_stream(pieces, request=request)
    reasons = [choice["finish_reason"] for chunk in stream for choice in chunk.get("choices", ())]
    assert reasons[-1] == "stop"
    assert stream.answer["choices"][0]["message"]["content"] == "H"
    assert list(pieces)[-1] == {"never": "read"}


def test_usage_is_shown_unless_a_request_does_not_ask_for_it() -> None:
    """Nobody knows what was asked for, so nothing is held back."""
    used = {"input_tokens": 1, "output_tokens": 2, "total_tokens": 3}
    events = [*EVENTS[:-1], {"type": "response.completed", "response": {**FINISHED, "usage": used}}]
    assert [chunk.get("usage") for chunk in diglot.chat_stream(events)][-1] == {
        "prompt_tokens": 1,
        "completion_tokens": 2,
        "total_tokens": 3,
    }
    request = {"model": "m", "messages": [{"role": "user", "content": "Go"}]}
    assert "usage" not in list(diglot.chat_stream(events, request=request))[-1]


@pytest.mark.parametrize("path", STREAMS, ids=[f"{f.parts[-3]}-{f.stem}" for f in STREAMS])
@pytest.mark.parametrize("size", [1 << 30, 5])
def test_it_is_the_stream_of_an_exchange(path: Path, size: int) -> None:
    """Every golden case: what an exchange says in bytes, the iterator says in events."""
    case = load(path)
    serve, convert = (
        (ServeResponses, diglot.responses_stream)
        if "serve_responses" in path.parts
        else (ServeChat, diglot.chat_stream)
    )
    asked, text = case["given"]["asked"], sse(case["given"])
    settings: Any = {"profile": profile_of(case), "new_id": lambda prefix: f"{prefix}_1", "clock": lambda: 5.0}
    made = outcome(convert(cut(text, size), request=asked, **settings))
    frames = serve(asked, **settings).stream()
    try:
        said = frames.feed(text)
        said += [] if frames.ended else frames.finish()
    except TranslationError as error:
        assert made == str(error)
    else:
        bodies = [frame.partition(b"data: ")[2] for frame in said]
        assert made[0] == [json.loads(body) for body in bodies if body.strip() != b"[DONE]"]
        assert made[1] == frames.answer


@pytest.mark.parametrize("stream", [diglot.responses_stream, diglot.chat_stream])
@pytest.mark.parametrize(
    "pieces", [[], b"", [b": nothing\n\n"], [b"\n\n"], [b"data: [DONE]\n\n"], ["nothing"], [{}], [[]]]
)
def test_a_stream_that_never_begins(stream: Stream, pieces: Any) -> None:
    """The iterator raises, and goes on to raise."""
    events = stream(pieces)
    assert (events.answer, events.losses) == (None, [])
    for _ in range(2):
        with pytest.raises(UpstreamError):
            next(events)


def test_errors_of_the_upstream() -> None:
    """At the beginning they are raised; later the stream ends with them."""
    error = {"error": {"message": "Busy", "code": 429}}
    with pytest.raises(UpstreamError, match="Busy") as caught:
        next(diglot.responses_stream([error]))
    assert caught.value.status == 429
    assert list(diglot.responses_stream([*CHUNKS[:2], error]))[-1]["type"] == "response.failed"
    assert "error" in list(diglot.chat_stream([*EVENTS[:2], {"type": "error", "message": "Busy"}]))[-1]


def test_a_stream_that_is_cut_does_not_end_well() -> None:
    """Whatever the pieces are."""
    assert list(diglot.responses_stream(CHUNKS[:2]))[-1]["type"] in ("response.failed", "response.incomplete")
    assert "error" in list(diglot.chat_stream(EVENTS[:3]))[-1]


def test_errors_of_the_connection_are_the_callers() -> None:
    """They go through as they are; asked again, the iterator says how far it came."""

    def broken() -> Iterator[Any]:
        yield CHUNKS[0]
        raise OSError("cable")

    stream = diglot.responses_stream(broken())
    with pytest.raises(OSError, match="cable"):
        list(stream)
    assert list(stream)[-1]["type"] in ("response.failed", "response.incomplete")


def test_a_request_that_is_none() -> None:
    """It is refused before anything is read."""
    with pytest.raises(RequestError):
        diglot.responses_stream(iter(()), request={"model": "m"})


@pytest.mark.parametrize("pieces", [{"choices": []}, ChatCompletionChunk.construct(), 5, object()])
def test_what_is_no_stream(pieces: Any) -> None:
    """A finished answer is none, nor is what cannot be iterated over."""
    with pytest.raises(TypeError, match="a stream must be an iterable of pieces"):
        diglot.responses_stream(pieces)


def test_what_is_no_piece() -> None:
    """It is named."""
    with pytest.raises(TypeError, match="chunk: object is not JSON"):
        next(diglot.responses_stream([object()]))  # pyright: ignore[reportArgumentType, reportCallIssue]


def test_whole_and_streamed_answers_have_the_same_ids() -> None:
    """Those are hashes of the request and of what an answer and its first chunk both say of it."""
    message = {"role": "assistant", "content": "Hello"}
    whole = {**CHUNKS[0], "choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}
    stream = diglot.responses_stream(TEXT, request=REQUEST)
    list(stream)
    assert stream.answer == diglot.responses_answer(whole, request=REQUEST)[0]
    other = diglot.responses_stream(TEXT.replace(b"chatcmpl-1", b"chatcmpl-2"), request=REQUEST)
    list(other)
    assert other.answer["id"] != stream.answer["id"]


def test_the_losses_of_a_stream_are_those_of_its_answer() -> None:
    """What the request lost is not among them."""
    chunks = [CHUNKS[0], {"choices": [{"index": 1, "delta": {"content": "x"}}]}, CHUNKS[2]]
    stream = diglot.responses_stream(chunks, request={**REQUEST, "truncation": "auto"})
    list(stream)
    assert [loss.path for loss in stream.losses] == ["choices"]


def test_what_is_said_before_the_answer_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Comments may come for ever; they are not kept for ever."""
    monkeypatch.setattr("diglot.translator.wire.sse.MAX_LINE", 1_000)
    stream = diglot.responses_stream([*[b": keep-alive\n\n"] * 100, TEXT])
    assert [event["type"] for event in stream][-1] == "response.completed"


def test_the_events_and_the_answer_are_the_callers() -> None:
    """They may be changed while the stream goes on."""
    stream = diglot.responses_stream(CHUNKS, request=REQUEST)
    for event in stream:
        event.clear()  # pyright: ignore[reportAttributeAccessIssue]
        stream.answer.clear()
    assert stream.answer["output"][0]["content"][0]["text"] == "Hello"
