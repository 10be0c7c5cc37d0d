import json
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from diglot.translator import BadRequest, BadUpstream, Misuse, Profile, ServeResponses, TranslationError, preset

from judges import events_of, judge_stream

Serve = Callable[..., ServeResponses]
TOOL = {"type": "function", "name": "f"}


def chunk(delta: Any = None, finish: str | None = None, **more: Any) -> bytes:
    """One frame of a chat stream."""
    choices = [{"index": 0, "delta": delta or {}, "finish_reason": finish}]
    return b"data: " + json.dumps({"model": "m-1", "choices": choices, **more}).encode() + b"\n\n"


HI, STOP, DONE = chunk({"content": "Hi"}), chunk(finish="stop"), b"data: [DONE]\n\n"


def names(frames: list[bytes]) -> list[str]:
    """The events of *frames*, by their short names."""
    return [event if isinstance(event, str) else event["type"].removeprefix("response.") for event in events_of(frames)]


def body(**error: Any) -> bytes:
    return json.dumps({"error": {"message": "Bad.", **error}}).encode()


# --- the request -----------------------------------------------------------------------------------------------------


def test_an_exchange_has_the_chat_request_and_the_losses(serve: Serve) -> None:
    """What to send, and what was lost on the way."""
    exchange = serve({"truncation": "auto"})
    assert exchange.chat == {"model": "m", "messages": [{"role": "user", "content": "Go"}]}
    assert [loss.path for loss in exchange.report] == ["truncation"]
    assert exchange.profile == Profile()


@pytest.mark.parametrize(("stream", "streaming"), [(True, True), (False, False), (None, False)])
def test_only_the_body_decides_about_streaming(serve: Serve, stream: Any, streaming: bool) -> None:
    """`stream: true` and nothing else."""
    assert serve({"stream": stream}).streaming is streaming


def test_strict_is_handed_on(serve: Serve) -> None:
    """What would be lost is refused; what is only emulated is not."""
    with pytest.raises(BadRequest):
        serve({"truncation": "auto"}, strict=True)
    assert serve({"metadata": {"a": "b"}}, strict=True).chat["model"] == "m"


@pytest.mark.parametrize(
    ("expose", "asked", "shown"),
    [
        ("auto", None, "content"),
        ("auto", {}, "content"),
        ("auto", {"summary": None}, "content"),
        ("auto", {"summary": "auto"}, "summary"),
        ("auto", {"generate_summary": "concise"}, "summary"),
        ("content", {"summary": "auto"}, "content"),
        ("summary", None, "summary"),
        ("both", None, "content summary"),
        ("off", {"summary": "auto"}, ""),
    ],
)
def test_where_thoughts_are_shown(serve: Serve, expose: Any, asked: Any, shown: str) -> None:
    """The profile decides, or the client by asking for a summary."""
    exchange = serve({"reasoning": asked}, Profile(reasoning_expose=expose))
    choice = {"message": {"reasoning_content": "hm", "content": "Hi"}, "finish_reason": "stop"}
    output = exchange.answer({"choices": [choice]})["output"]
    item = output[0] if len(output) == 2 else {}
    assert " ".join(name for name in ("content", "summary") if item.get(name)) == shown


# --- errors ----------------------------------------------------------------------------------------------------------

ITEMS = [
    {"type": "message", "role": "user", "content": [{"type": "input_image", "image_url": "u"}]},
    {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"},
    {"type": "message", "role": "assistant", "content": "A"},
    {"type": "function_call_output", "call_id": "c", "output": "x"},
]
ASKED = {"instructions": "Be brief.", "input": ITEMS, "tools": [{"type": "web_search"}, TOOL]}


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("messages[0].content", "instructions"),
        ("messages[1].content[0].image_url.url", "input[0].content[0].image_url"),
        ("messages[2].tool_calls[0].id", "input[1].id"),
        ("messages[3]", "input[3]"),
        ("messages.1.content", "input[0].content"),
        ("messages[9].content", "input[9].content"),
        ("messages", "input"),
        ("tools[0].function.name", "tools[1].name"),
        ("tools[0].custom.format", "tools[1].format"),
        ("tools[7].function.name", "tools[7].function.name"),
        ("tools", "tools"),
        ("max_tokens", "max_output_tokens"),
        ("max_completion_tokens", "max_output_tokens"),
        ("response_format.json_schema.schema", "text.format.schema"),
        ("reasoning_effort", "reasoning.effort"),
        ("verbosity", "text.verbosity"),
        ("temperature", "temperature"),
        ("top_k", "top_k"),
        ("", ""),
        ("[0]", "[0]"),
    ],
)
def test_an_upstreams_path_is_told_in_the_clients_words(serve: Serve, theirs: str, ours: str) -> None:
    """Path and message name what the client sent (protocol 7.2)."""
    error = serve(ASKED).error(400, body(param=theirs, message=f"Invalid '{theirs}'."))
    assert (error.param, error.message) == (ours, f"Invalid '{ours}'.")


def test_an_error_without_a_path(serve: Serve) -> None:
    """Status, code and message are the upstream's."""
    error = serve().error(429, body(code="slow"))
    assert isinstance(error, BadUpstream)
    assert (error.status, error.code, error.param, error.message) == (429, "slow", None, "Bad.")


LESSONS: list[tuple[str, dict[str, Any], dict[str, Any], dict[str, Any]]] = [
    (
        "default",
        {"stream": True},
        {"message": "Unrecognized request argument supplied: stream_options"},
        {"stream_usage": False},
    ),
    ("default", {"stream": True}, {"message": "Bad.", "param": "stream_options"}, {"stream_usage": False}),
    (
        "openai",
        {"instructions": "x"},
        {"message": "'developer' is not one of ['system', 'user']"},
        {"developer_role": "system"},
    ),
    (
        "default",
        {"max_output_tokens": 50},
        {"message": "Unsupported parameter: 'max_tokens' is not supported with this model."},
        {"renamed": {}},
    ),
    (
        "openai",
        {"max_output_tokens": 50},
        {"message": "Bad.", "param": "max_completion_tokens", "code": "unknown_parameter"},
        {"renamed": {"max_completion_tokens": "max_tokens"}},
    ),
    (
        "openrouter",
        {"max_output_tokens": 50},
        {"message": "extra inputs are not permitted: max_tokens"},
        {"renamed": {"reasoning_effort": "reasoning.effort"}},
    ),
]


@pytest.mark.parametrize(("name", "asked", "error", "changes"), LESSONS)
@pytest.mark.parametrize("status", [400, 422])
def test_an_upstream_teaches(
    serve: Serve, status: int, name: str, asked: dict[str, Any], error: dict[str, Any], changes: dict[str, Any]
) -> None:
    """What was added here and is not known there is left out the next time."""
    exchange = serve(asked, preset(name))
    assert exchange.learned(status, body(**error)) == msgspec.structs.replace(preset(name), **changes)


@pytest.mark.parametrize(("name", "asked", "error", "changes"), LESSONS)
def test_a_lesson_is_learned_once(
    serve: Serve, name: str, asked: dict[str, Any], error: dict[str, Any], changes: dict[str, Any]
) -> None:
    """With the new profile the request no longer says it, and the same error teaches nothing, or the way back."""
    learned = serve(asked, preset(name)).learned(400, body(**error))
    assert learned is not None
    again = serve(asked, learned)
    assert again.chat != serve(asked, preset(name)).chat
    assert again.learned(400, body(**error)) is None


@pytest.mark.parametrize(
    ("status", "asked", "error"),
    [
        (
            400,
            {"max_output_tokens": 99999},
            {"message": "max_tokens is too large: 99999. This model supports at most 4096 completion tokens."},
        ),
        (400, {"max_output_tokens": 5}, {"message": "max_tokens must be at least 16", "param": "max_tokens"}),
        (400, {"max_output_tokens": 5}, {"message": "Unknown parameter: 'max_tokens_per_day'."}),
        (400, {"max_output_tokens": 5}, {"message": "Unsupported value: 'temperature'."}),
        (400, {}, {"message": "Unsupported parameter: 'max_tokens'."}),
        (400, {}, {"message": "Unknown argument: stream_options"}),
        (400, {"instructions": "x"}, {"message": "'developer' is not one of ['system', 'user']"}),
        (400, {"stream": True}, {"message": "The model does not exist."}),
        (401, {"stream": True}, {"message": "Unknown argument: stream_options"}),
        (500, {"stream": True}, {"message": "Unknown argument: stream_options"}),
        (200, {"stream": True}, {"message": "Unknown argument: stream_options"}),
    ],
)
def test_other_errors_teach_nothing(serve: Serve, status: int, asked: dict[str, Any], error: dict[str, Any]) -> None:
    """A limit, another field, what was not sent, or another status is no lesson."""
    assert serve(asked).learned(status, body(**error)) is None


# --- streams ---------------------------------------------------------------------------------------------------------


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
    assert stream.fail(BadUpstream("late")) == []
    assert stream.answer["output"] == before
    assert stream.answer["status"] == "completed"
    with pytest.raises(Misuse):
        stream.start()


@pytest.mark.parametrize(
    "fail",
    [
        lambda s: s.feed(b'data: {"error":{"message":"It broke.","code":503}}\n\n'),
        lambda s: s.feed(b'event: error\ndata: {"message":"It broke.","code":503}\n\n'),
        lambda s: s.feed(b'event: error\ndata: {"error":{"message":"It broke.","code":503}}\n\n'),
        lambda s: s.feed(b'{"error":{"message":"It broke.","code":503}}\n'),
        lambda s: s.fail(BadUpstream("It broke.", status=503)),
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
        (b"data: 5\n\n", "a chunk that is not an object"),
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
    with pytest.raises(BadUpstream, match=message):
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
        (b"data: garbage\n\n" + STOP + DONE, "failed"),
        (b"data: 5\n\n" + STOP + DONE, "failed"),
        (STOP + b"data: garbage\n\n", "failed"),
        (chunk(finish="length"), "incomplete"),
    ],
)
@pytest.mark.parametrize("size", [1, 1000])
def test_how_a_stream_ends(serve: Serve, tail: bytes, status: str, size: int) -> None:
    """A cut or damaged stream never ends as completed; a missing end mark is no cut."""
    stream = serve({"stream": True}).stream()
    data = HI + tail
    frames = [frame for i in range(0, len(data), size) for frame in stream.feed(data[i : i + size])]
    events = judge_stream(frames + stream.finish())
    assert events[-1]["type"] == f"response.{status}"


def test_a_line_without_end(serve: Serve) -> None:
    """More than the limit in one event is a failure, before the start and after it."""
    with pytest.raises(BadUpstream, match="more than 500 bytes"):
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
        assert stream.feed(HI) + stream.finish() + stream.fail(BadUpstream("late")) == []


def test_the_transducer_takes_decoded_chunks(serve: Serve) -> None:
    """Who has chunks already needs no bytes."""
    transducer = serve({"stream": True}).transducer()
    events = transducer.feed({"choices": [{"delta": {"content": "Hi"}, "finish_reason": "stop"}]})
    events += transducer.finish()
    assert events[-1]["response"] == transducer.answer
    assert transducer.ended
